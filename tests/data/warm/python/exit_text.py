import os, sys
print("before")
sys.exit("why it ended")
print("after")
