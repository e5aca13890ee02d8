"""Plays Node with replication.mjs, on this package: ``python node_double.py SCRIPT serve|fetch ...``."""

import asyncio
import json
import sys
from pathlib import Path

from hypercore import Corestore, aio

HOST = "127.0.0.1"


async def serve(directory, count, block_size):
    with Corestore(directory / "creator") as store:
        core = store.get(name="core")
        core.append([b"a" * block_size] * count)
        async with await aio.serve(store, HOST) as server:
            print(json.dumps({"port": server.port, "key": core.key.hex()}), flush=True)
            await asyncio.to_thread(sys.stdin.read)


async def fetch(directory, count, block_size, port, key):
    with Corestore(directory / "reader") as store:
        core = store.get(key=key)
        async with await aio.connect(store, HOST, int(port)):
            await aio.download(core, 0, count)
        print(json.dumps({"seconds": 1.5, "outcome": [{"length": core.length}]}))


if __name__ == "__main__":
    _script, command, directory, count, block_size, *rest = sys.argv[1:]
    numbers = int(count), int(block_size)
    if command == "serve":
        asyncio.run(serve(Path(directory), *numbers))
    else:
        asyncio.run(fetch(Path(directory), *numbers, *rest))
