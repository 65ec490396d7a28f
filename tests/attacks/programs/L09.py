import os
import subprocess
import sys
import sysconfig

with open("/box/sitecustomize.py", "w") as f:
    f.write("print('evil site')\n")
with open("/box/random.py", "w") as f:
    f.write("print('evil random')\n")
os.makedirs("/box/__pycache__")
with open("/box/helper.py", "w") as f:
    f.write("print('honest helper')\n")
code = compile("print('forged helper')", "/box/helper.py", "exec")
import importlib.util  # noqa: E402
import marshal  # noqa: E402

st = os.stat("/box/helper.py")
with open(importlib.util.cache_from_source("/box/helper.py"), "wb") as f:
    f.write(importlib.util.MAGIC_NUMBER + (0).to_bytes(4, "little") + int(st.st_mtime).to_bytes(4, "little")
            + st.st_size.to_bytes(4, "little") + marshal.dumps(code))
env = dict(os.environ, PYTHONPATH="/box")
out = subprocess.run([sys.executable, "-c", "import random, helper"], env=env, capture_output=True, text=True)
print(out.stdout, out.stderr, sep="", end="")
stdlib = sysconfig.get_paths()["stdlib"]
for path in (stdlib + "/random.py", stdlib + "/__pycache__/random.%s.pyc" % sys.implementation.cache_tag,
             stdlib + "/sitecustomize.py", "/usr/local/planted.pth"):
    try:
        open(path, "ab").close()
        print("wrote", path)
    except OSError as e:
        print("stdlib", e.errno)
