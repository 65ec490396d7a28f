import os

told = False
while True:
    try:
        os.fork()
    except OSError as e:
        if not told:
            os.write(1, ("fork: %s\n" % os.strerror(e.errno)).encode())
        told = True
