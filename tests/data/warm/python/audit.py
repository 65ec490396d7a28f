import sys
seen = []
sys.addaudithook(lambda e, a: seen.append(e))
import textwrap, io
open("main.py").close()
print([e for e in seen if e in ("open", "import", "exec", "compile", "marshal.loads")][:3] != [])
