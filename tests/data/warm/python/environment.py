import os
print(dict(os.environ), os.environb, os.getenv("HOME"), list(os.environ))
os.environ["NEW"] = "1"
os.system("echo $NEW $HOME $PATH")
print(open("/proc/self/environ").read().split("\0"))
