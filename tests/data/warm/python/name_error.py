print("before")
prnt("oops")
