import errno
import glob
import os

tried, wrong = 0, []
places = ["/usr/bin/x", "/usr/lib/x", "/etc/x", "/etc/passwd", "/etc/ld.so.preload", "/bin/x", "/lib/x", "/opt/x", "/opt/jdk/x", "/x",
          "/usr/lib/jvm/x", "/usr/share/x", "/sys/x", "/dev/x", "/proc/x", os.__file__, os.path.dirname(os.__file__) + "/x.py",
          os.path.dirname(os.__file__) + "/__pycache__/os.cpython-311.pyc", os.path.realpath("/usr/bin/python3"), os.path.realpath("/bin/sh")]
places += glob.glob("/usr/lib/x86_64-linux-gnu/libc.so*")
for path in places:
    for flags in (os.O_WRONLY | os.O_CREAT, os.O_RDWR, os.O_WRONLY | os.O_TRUNC):
        tried += 1
        try:
            os.close(os.open(path, flags))
            wrong.append(path + " written")
        except OSError as e:
            if e.errno not in (errno.EROFS, errno.EACCES, errno.ENOENT, errno.EPERM, errno.ETXTBSY):
                wrong.append("%s %s" % (path, errno.errorcode[e.errno]))
    for act in (lambda: os.unlink(path), lambda: os.rename(path, path + "2"), lambda: os.chmod(path, 0o777), lambda: os.utime(path)):
        try:
            act()
            wrong.append(path + " changed")
        except OSError:
            pass
print("tried", tried)
print("wrong", *wrong)
