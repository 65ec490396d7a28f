open("bad.py", "w").write("import json\n1/0\n")
import bad
