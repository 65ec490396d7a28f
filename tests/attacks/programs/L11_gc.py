import gc

gc.set_threshold(1)
gc.set_debug(gc.DEBUG_SAVEALL)
a = []
a.append(a)
del a
gc.freeze()
gc.collect()
print("frozen", gc.get_freeze_count() > 0)
