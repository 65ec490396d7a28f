async def f(): pass
c = f()
print("never awaited")
