open("a.py", "w").write("import b\nX = b.Y\n")
open("b.py", "w").write("import a\nY = a.X\n")
import a
