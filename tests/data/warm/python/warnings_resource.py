open("main.py")
print("a resource warning is not shown")
