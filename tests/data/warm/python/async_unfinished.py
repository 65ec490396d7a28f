import asyncio
async def f(): await asyncio.sleep(100)
async def main(): asyncio.ensure_future(f())
asyncio.run(main())
print("over")
