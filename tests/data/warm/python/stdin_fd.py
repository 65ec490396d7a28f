import os, stat
print(os.read(0, 4), os.lseek(0, 0, 1), os.read(0, 100), os.read(0, 1))
st = os.fstat(0)
print(stat.S_ISREG(st.st_mode), st.st_size, os.lseek(0, 0, 2))
try:
    print(os.write(0, b"x"))
except OSError as e:
    print(e)
