# coding: utf-7
print("utf-7 +AOk-")
