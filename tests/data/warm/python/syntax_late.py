print("not reached")
x = = 1
