import warnings, sys
print(warnings.filters)
warnings.warn("shown")
warnings.warn("old", DeprecationWarning)
def f(): warnings.warn("deeper", stacklevel=2)
f()
