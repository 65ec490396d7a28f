import threading
def f():
    import typing, json, dataclasses
    print(typing.__name__ + json.__name__ + dataclasses.__name__)
ts = [threading.Thread(target=f) for _ in range(8)]
for t in ts: t.start()
for t in ts: t.join()
