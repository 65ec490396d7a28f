print("going", flush=True)
print(len("a" * 10**10))
