print("open
