import gc
gc.callbacks.append(lambda phase, info: print(phase, info["generation"]))
gc.collect()
print("main")
