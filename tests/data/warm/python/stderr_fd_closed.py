import os, sys
sys.stderr.write("seen")
os.close(2)
print("out")
sys.stderr.write("lost")
