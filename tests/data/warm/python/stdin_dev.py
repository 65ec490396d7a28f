print(open("/dev/stdin").read(), end="")
open("/dev/stdout", "w").write("out\n")
open("/dev/stderr", "w").write("err\n")
