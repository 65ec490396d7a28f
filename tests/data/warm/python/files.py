import os, stat
print(sorted(os.listdir("/box")), sorted(os.listdir(".")), oct(os.stat("main.py").st_mode), os.stat("main.py").st_size)
open("new.txt", "w").write("text\n")
print(open("new.txt").read(), oct(os.stat("new.txt").st_mode), sorted(os.listdir()))
for path in ("/box/main.py", "/etc/x", "/usr/x", "/tmp/x", "/dev/shm/x"):
    try:
        open(path, "w").close()
        print(path, "can be written")
    except OSError as e:
        print(path, e)
print(sorted(os.listdir("/")), sorted(os.listdir("/tmp")), sorted(os.listdir("/dev")))
