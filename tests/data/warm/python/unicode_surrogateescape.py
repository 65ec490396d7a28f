print("\udcff\udc80")
