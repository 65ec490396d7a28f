def f():
    try:
        {}["missing"]
    except KeyError as e:
        raise ValueError("while looking") from e
def g():
    try:
        f()
    except ValueError:
        undefined_name
g()
