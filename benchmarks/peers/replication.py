"""The Python side of the comparison of downloads: does one and prints how long it took.

    python -m benchmarks.peers.replication OPERATION DIRECTORY BLOCKS BLOCK_SIZE

replication.mjs is its counterpart, and the other end where the two talk to each other. What is timed begins
with opening the copies and connecting, and ends when the last block is stored.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.peers.experiments import Experiment, Size
from benchmarks.peers.javascript import find_node
from hypercore import Corestore, Hypercore, aio

HOST = "127.0.0.1"
_SCRIPT = Path(__file__).with_suffix(".mjs")
_BATCH = 100
_PRIMARY_KEY = b"\x01" * 32

Read = Callable[[Hypercore], Awaitable[None]]
Result = dict[str, Any]
"""What is printed: the seconds, and the outcome that has to be the same on the other side."""


@dataclass(frozen=True, slots=True)
class Work:
    """What to transfer: all blocks together, and where the stores are."""

    directory: Path
    count: int
    block_size: int


def download(work: Work) -> Result:
    """Download a core; both ends in one process."""
    return asyncio.run(_in_one_process(work))


def download_stream(work: Work) -> Result:
    """Read a core in a stream that fetches it; both ends in one process."""
    return asyncio.run(_in_one_process(work, stream=True))


def download_50_cores(work: Work) -> Result:
    """Download 50 cores at once over one connection; both ends in one process."""
    return asyncio.run(_in_one_process(work, cores=50))


def download_20_readers(work: Work) -> Result:
    """Download a core to 20 stores at once, each with its own connection; all in one process."""
    return asyncio.run(_in_one_process(work, readers=20))


def download_from_node(work: Work) -> Result:
    """Download from a Node server in another process; the reference does, too."""
    return asyncio.run(_from_node(work))


def serve_node(work: Work) -> Result:
    """Serve a Node client in another process, which is what is timed; the reference does, too."""
    return asyncio.run(_serve_node(work))


OPERATIONS: dict[str, Callable[[Work], Result]] = {
    operation.__name__: operation
    for operation in (
        download,
        download_stream,
        download_50_cores,
        download_20_readers,
        download_from_node,
        serve_node,
    )
}
"""What can be compared, by name; the docstrings say what is timed."""

TABLE = (
    Experiment("download", Size(10_000, 1_000), at_least=6),
    Experiment("download", Size(1_000, 65_536), at_least=1.3),
    Experiment("download_stream", Size(10_000, 1_000), at_least=20),
    Experiment("download_50_cores", Size(10_000, 1_000), at_least=6),
    Experiment("download_20_readers", Size(20_000, 1_000), at_least=5),
    Experiment("download_from_node", Size(10_000, 1_000), at_least=2),
    Experiment("serve_node", Size(10_000, 1_000), at_least=0.9),
)
"""All experiments, in the order of the table; the blocks are those of all cores and readers together."""


async def _in_one_process(work: Work, *, cores: int = 1, readers: int = 1, stream: bool = False) -> Result:
    blocks = work.count // cores // readers
    async with _serving(work, cores, blocks) as (port, keys):
        return await _time_readers(
            work, readers, port, keys, _streaming(blocks) if stream else _downloading(blocks)
        )


async def _from_node(work: Work) -> Result:
    command = [
        *find_node(),
        str(_SCRIPT),
        "serve",
        str(work.directory),
        str(work.count),
        str(work.block_size),
    ]
    pipe = asyncio.subprocess.PIPE
    server = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert server.stdin
    assert server.stdout
    try:
        about = json.loads(await server.stdout.readline())
        return await _time_readers(
            work, 1, about["port"], [bytes.fromhex(about["key"])], _downloading(work.count)
        )
    finally:
        server.stdin.close()
        await server.wait()


async def _serve_node(work: Work) -> Result:
    async with _serving(work, 1, work.count) as (port, keys):
        numbers = [str(number) for number in (work.count, work.block_size, port)]
        command = [*find_node(), str(_SCRIPT), "fetch", str(work.directory), *numbers, keys[0].hex()]
        client = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        printed, _ = await client.communicate()
    result: Result = json.loads(printed)
    return result


@asynccontextmanager
async def _serving(work: Work, cores: int, blocks: int) -> AsyncIterator[tuple[int, Sequence[bytes]]]:
    """Serve some cores of equal blocks; give the port and their keys."""
    block = b"a" * work.block_size
    with Corestore(work.directory / "creator", primary_key=_PRIMARY_KEY) as store:
        originals = [store.get(name=f"core {number}") for number in range(cores)]
        for original in originals:
            for done in range(0, blocks, _BATCH):
                original.append([block] * min(_BATCH, blocks - done))
        async with await aio.serve(store, HOST) as server:
            yield server.port, [original.key for original in originals]


async def _time_readers(work: Work, readers: int, port: int, keys: Sequence[bytes], read: Read) -> Result:
    """Time readers that do the same at once."""
    with ExitStack() as open_stores:
        stores = [
            open_stores.enter_context(Corestore(work.directory / f"reader {number}"))
            for number in range(readers)
        ]
        async with AsyncExitStack() as connections:
            start = perf_counter()
            copies = await asyncio.gather(*(_fetch(store, port, keys, read, connections) for store in stores))
            seconds = perf_counter() - start
        return {"seconds": seconds, "outcome": [_describe(copy) for each in copies for copy in each]}


async def _fetch(
    store: Corestore, port: int, keys: Sequence[bytes], read: Read, connections: AsyncExitStack
) -> list[Hypercore]:
    """Open copies of all cores, connect, and read something of them."""
    copies = [store.get(key=key) for key in keys]
    await connections.enter_async_context(await aio.connect(store, HOST, port))
    await asyncio.gather(*map(read, copies))
    return copies


def _downloading(blocks: int) -> Read:
    return lambda copy: aio.download(copy, 0, blocks)


def _streaming(blocks: int) -> Read:
    async def read(copy: Hypercore) -> None:
        count = 0
        async for _ in aio.read_stream(copy, 0, blocks):
            count += 1
        if count != blocks:
            raise LookupError(f"the stream ended behind {count} blocks")

    return read


def _describe(core: Hypercore) -> dict[str, Any]:
    return {
        "length": core.length,
        "contiguousLength": core.contiguous_length,
        "byteLength": core.byte_length,
        "treeHash": core.tree_hash().hex(),
    }


def main(arguments: list[str]) -> None:
    """Run what the command line says."""
    operation, directory, count, block_size = arguments
    print(json.dumps(OPERATIONS[operation](Work(Path(directory), int(count), int(block_size)))))


if __name__ == "__main__":
    main(sys.argv[1:])
