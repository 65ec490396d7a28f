async def g():
    try: yield 1
    finally: print("closed")
async def main():
    async for x in g():
        print(x)
        break
import asyncio
asyncio.run(main())
