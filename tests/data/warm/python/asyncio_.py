import asyncio
async def f(n):
    await asyncio.sleep(0.01)
    return n
async def main(): print(await asyncio.gather(*map(f, range(5))))
asyncio.run(main())
