open("bad.py", "w").write("def (\n")
import bad
