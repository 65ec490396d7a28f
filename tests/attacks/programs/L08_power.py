print("going", flush=True)
print(9**9**9)
