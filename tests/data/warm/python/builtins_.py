import builtins
print(sorted(dir(builtins)))
print(quit, exit, copyright, license, help, credits)
print(builtins.__dict__.keys() == vars(builtins).keys(), builtins.__import__, open, print)
