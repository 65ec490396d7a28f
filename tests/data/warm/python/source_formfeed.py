print("form feed")
