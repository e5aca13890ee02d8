"""Experiments with replication: what one store has, another one fetches over TCP."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks.event_loop import EventLoop, event_loop
from benchmarks.experiments import sizes
from benchmarks.measuring import Measure
from hypercore import Corestore, Hypercore, aio

HOST = "127.0.0.1"
APPENDED_TOGETHER_BYTES = 1 << 20

CASES = (
    {"nr_blocks": 10, "block_byte_size": 100},
    {"nr_blocks": 1_000, "block_byte_size": 100},
    {"nr_blocks": 10_000, "block_byte_size": 1_000},
)

Copies = list[Hypercore]
"""The cores of the creator as the downloader has them: empty at first."""

Fetch = Callable[[Copies], Coroutine[Any, Any, None]]


@dataclass
class Exchange:
    """A creator whose cores are served on loopback, and a downloader that has none of them yet."""

    loop: EventLoop
    originals: Sequence[Hypercore]
    downloader: Corestore
    server: aio.Server
    connection: aio.PeerConnection | None = None

    def run(self, fetch: Fetch) -> None:
        """Connect, and let the downloader fetch something; it fails if the connection ends before."""
        self.loop.run(self._run(fetch))

    async def _run(self, fetch: Fetch) -> None:
        copies = self.copies()
        self.connection = await aio.connect(self.downloader, HOST, self.server.port)
        await self.connection.during(fetch(copies))

    def copies(self) -> Copies:
        """The downloader's copies of all cores, in their order."""
        return [self.downloader.get(key=original.key) for original in self.originals]

    async def close(self) -> None:
        """Close the connection and the server."""
        if self.connection is not None:
            await self.connection.close()
        await self.server.close()


@contextmanager
def exchange_of(directory: Path, cores: Sequence[Iterable[bytes]]) -> Iterator[Exchange]:
    """Give an exchange of cores with these blocks; at its end nothing is left open, come what may."""
    with (
        Corestore(directory / "creator") as creator,
        Corestore(directory / "downloader") as downloader,
        event_loop() as loop,
    ):
        originals = [creator.get(name=f"core {number}") for number in range(len(cores))]
        for original, blocks in zip(originals, cores, strict=True):
            append_all(original, blocks)
        exchange = Exchange(loop, originals, downloader, loop.run(aio.serve(creator, HOST)))
        try:
            yield exchange
        finally:
            loop.run(exchange.close())


def append_all(core: Hypercore, blocks: Iterable[bytes]) -> None:
    """Append blocks, as many at a time as take little memory."""
    batch: list[bytes] = []
    size = 0
    for block in blocks:
        batch.append(block)
        size += len(block) + 100
        if size >= APPENDED_TOGETHER_BYTES:
            core.append(batch)
            batch, size = [], 0
    core.append(batch)


@contextmanager
def complete_exchange_of(directory: Path, cores: Sequence[Iterable[bytes]]) -> Iterator[Exchange]:
    """Give an exchange, and fail unless the downloader got all blocks and each of them is proven right."""
    with exchange_of(directory, cores) as exchange:
        yield exchange
        for original, copy in zip(exchange.originals, exchange.copies(), strict=True):
            assert copy.length == copy.contiguous_length == original.length
            assert copy.tree_hash() == original.tree_hash()
            check_stored_blocks(copy)


def check_stored_blocks(copy: Hypercore) -> None:
    """Fail unless all that is stored of a core is what its creator signed."""
    assert copy.verify()
    assert copy.audit() == []


def equal_blocks(nr_blocks: int, block_byte_size: int) -> Iterable[bytes]:
    """Blocks of nothing but the letter a."""
    return repeat(b"a" * block_byte_size, nr_blocks)


def random_blocks(nr_blocks: int, block_byte_size: int) -> Iterable[bytes]:
    """Blocks that nothing on their way can compress, the same ones every time."""
    random = Random(nr_blocks)
    return (random.randbytes(block_byte_size) for _ in range(nr_blocks))


def downloading(nr_blocks: int) -> Callable[[Exchange], None]:
    """What downloads all blocks of all cores of an exchange at once."""

    async def fetch(copies: Copies) -> None:
        await asyncio.gather(*(aio.download(copy, 0, nr_blocks) for copy in copies))

    return lambda exchange: exchange.run(fetch)


@sizes(*CASES)
def test_download(measure: Measure, nr_blocks: int, block_byte_size: int) -> None:
    """Download a Hypercore over TCP, from connecting to the last block."""
    measure(
        downloading(nr_blocks),
        lambda directory: complete_exchange_of(directory, [equal_blocks(nr_blocks, block_byte_size)]),
    )


@sizes(*CASES, title="Read-stream download experiment")
def test_download_read_stream(measure: Measure, nr_blocks: int, block_byte_size: int) -> None:
    """Read all blocks of a Hypercore in a stream that fetches them over TCP, connecting included."""

    async def fetch(copies: Copies) -> None:
        (copy,) = copies
        count = 0
        async for _ in aio.read_stream(copy, 0, nr_blocks):
            count += 1
        assert count == nr_blocks

    measure(
        lambda exchange: exchange.run(fetch),
        lambda directory: complete_exchange_of(directory, [equal_blocks(nr_blocks, block_byte_size)]),
    )


@sizes(*CASES)
def test_download_random_blocks(measure: Measure, nr_blocks: int, block_byte_size: int) -> None:
    """Download a Hypercore of blocks that cannot be compressed over TCP, connecting included."""
    measure(
        downloading(nr_blocks),
        lambda directory: complete_exchange_of(directory, [random_blocks(nr_blocks, block_byte_size)]),
    )


@sizes(
    {"nr_blocks": 10, "block_byte_size": 100, "nr_blocks_read": 5},
    {"nr_blocks": 10_000, "block_byte_size": 100, "nr_blocks_read": 100},
    {"nr_blocks": 100_000, "block_byte_size": 100, "nr_blocks_read": 1_000},
)
def test_download_sparse(measure: Measure, nr_blocks: int, block_byte_size: int, nr_blocks_read: int) -> None:
    """Get single blocks from anywhere in a Hypercore over TCP, one at a time, connecting included."""
    if nr_blocks_read > nr_blocks:
        pytest.fail(f"nrBlocksRead is {nr_blocks_read}: the core has only {nr_blocks} blocks")
    indexes = Random(nr_blocks).sample(range(nr_blocks), nr_blocks_read)

    @contextmanager
    def given(directory: Path) -> Iterator[Exchange]:
        with exchange_of(directory, [random_blocks(nr_blocks, block_byte_size)]) as exchange:
            yield exchange
            (original,), (copy,) = exchange.originals, exchange.copies()
            assert copy.get_many(indexes) == original.get_many(indexes)
            check_stored_blocks(copy)

    async def fetch(copies: Copies) -> None:
        (copy,) = copies
        for index in indexes:
            await aio.get(copy, index)

    measure(lambda exchange: exchange.run(fetch), given)


@sizes(
    {"nr_cores": 2, "nr_blocks": 10, "block_byte_size": 100},
    {"nr_cores": 50, "nr_blocks": 100, "block_byte_size": 100},
    {"nr_cores": 50, "nr_blocks": 200, "block_byte_size": 1_000},
)
def test_sync_many_cores(measure: Measure, nr_cores: int, nr_blocks: int, block_byte_size: int) -> None:
    """Download several Hypercores at once over one TCP connection, connecting included."""
    measure(
        downloading(nr_blocks),
        lambda directory: complete_exchange_of(
            directory, [random_blocks(nr_blocks, block_byte_size) for _ in range(nr_cores)]
        ),
    )
