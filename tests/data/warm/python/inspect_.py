import inspect
def f(a, *, b=1):
    """doc"""
    return a
print(inspect.getsource(f), inspect.signature(f), inspect.getfile(f), inspect.stack()[0].lineno)
