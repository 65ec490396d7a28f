class A:
    def __del__(self):
        try:
            import json
        except BaseException as e: print(type(e).__name__, e)
        try:
            import os
            print("os", os is not None)
        except BaseException as e: print(type(e).__name__, e)
a = A()
