import __main__, sys
print(__main__ is sys.modules["__main__"], __main__.__file__, vars(__main__) is globals(), __main__.__spec__, __main__.__annotations__ if "__annotations__" in globals() else "none")
x: int = 3
print(__annotations__)
