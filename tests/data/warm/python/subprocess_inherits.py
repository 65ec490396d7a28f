import os, sys
print("parent", flush=True)
sys.exit(os.waitstatus_to_exitcode(os.system("echo child; cat; exit 7")))
