import re
print(re.findall(r"(\w)(\d+)", "a1 b22 c333"), re.sub("x*", "-", "abxd"), re.compile("(?P<n>a)", re.I | re.X))
re.compile("(")
