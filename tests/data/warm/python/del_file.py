f = open("/dev/stdout", "w")
f.write("not flushed by the program")
