print("allocating", flush=True)
kept = []
while True:
    kept.append(b"\1" * (1 << 20))
