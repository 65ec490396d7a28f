import os
os.mkdir("textwrap")
import textwrap
print(textwrap.__spec__.origin, textwrap.dedent("  x"))
