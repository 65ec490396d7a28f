open("helper.py", "w").write("print(__name__, __file__)\nX = 5\n")
import helper
print(helper.X, helper.__spec__)
import os
print(sorted(os.listdir()), sorted(os.listdir("__pycache__")))
