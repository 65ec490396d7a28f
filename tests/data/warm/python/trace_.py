import sys
def t(frame, event, arg):
    print(event, frame.f_code.co_name, frame.f_lineno)
    return t
sys.settrace(t)
def f():
    x = 1
    return x
f()
import typing
