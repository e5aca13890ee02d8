"""Peers that live at random: they append, truncate, connect and disconnect, download and forget."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import Any

from hypercore import Hypercore, KeyPair, aio
from tests.interop.replication import Remote, block, complete, digest, reached

STEPS = 25


@dataclass
class Link:
    """A connection: whether it lasts, and what ends it."""

    is_open: Callable[[], Awaitable[bool]]
    close: Callable[[], Awaitable[Any]]


class Ours:
    """A core of ours, which others can connect to; open until the stack closes.

    Errors that do not end a connection are added to the list.
    """

    def __init__(self, key: bytes | None, stack: AsyncExitStack, errors: list[Exception]) -> None:
        self.core = stack.enter_context(
            Hypercore(key_pair=KeyPair.generate()) if key is None else Hypercore(key=key)
        )
        self.key = self.core.key
        self.port = 0
        self._stack = stack
        self._errors = errors

    async def open(self) -> None:
        """Begin to listen."""
        serving = await aio.serve(self.core, report=self._errors.append)
        self.port = (await self._stack.enter_async_context(serving)).port

    async def append(self, sizes: list[int]) -> int:
        """Append blocks of these sizes, and return the length."""
        length = self.core.length
        return self.core.append([block(length + place, size) for place, size in enumerate(sizes)])

    async def truncate(self, length: int) -> None:
        self.core.truncate(length)

    async def connect(self, port: int) -> Link:
        """Connect to another one."""
        connection = await aio.connect(self.core, "127.0.0.1", port, report=self._errors.append)

        async def is_open() -> bool:
            return not connection.is_closed

        return Link(is_open, connection.close)

    async def download(self, start: int, end: int) -> None:
        await aio.download(self.core, start, end)

    async def state(self) -> tuple[int, int]:
        """Return fork and length."""
        return self.core.fork, self.core.length

    async def follow(self, fork: int, length: int) -> None:
        """Wait until it has a fork and a length, and download all of it."""
        await reached(self.core, fork, length)
        await aio.download(self.core)
        assert complete(self.core)

    async def digest(self) -> str:
        """Return the digest of all blocks."""
        return digest(self.core.read_stream())


class Theirs:
    """A core in Node, which others can connect to."""

    def __init__(self, core: Remote) -> None:
        self.key = core.key
        self.port = 0
        self._core = core

    async def open(self) -> None:
        """Begin to listen."""
        self.port = (await self._core("serve", isInitiator=False)).about["port"]

    async def append(self, sizes: list[int]) -> int:
        """Append blocks of these sizes, and return the length."""
        return (await self._core("append", sizes=sizes))["length"]

    async def truncate(self, length: int) -> None:
        await self._core("truncate", length=length)

    async def connect(self, port: int) -> Link:
        """Connect to another one."""
        connection = await self._core("connect", port=port, isInitiator=True)
        return Link(lambda: connection("isOpen"), lambda: connection("disconnect"))

    async def download(self, start: int, end: int) -> None:
        await self._core("download", start=start, end=end)

    async def state(self) -> tuple[int, int]:
        """Return fork and length."""
        state = await self._core("state")
        return state["fork"], state["length"]

    async def follow(self, fork: int, length: int) -> None:
        """Wait until it has a fork and a length, and download all of it."""
        await self._core("until", state={"fork": fork, "length": length})
        await self.download(0, length)

    async def digest(self) -> str:
        """Return the digest of all blocks."""
        _, length = await self.state()
        return await self._core("digest", start=0, end=length)


Peer = Ours | Theirs


async def live(random: Random, writer: Peer, others: list[Peer], *, truncates: bool) -> list[Link]:
    """Do this and that; return the connections that are left."""
    everyone = [writer, *others]
    links: list[Link] = []
    downloads: list[asyncio.Future[None]] = []
    length = 0
    for _ in range(STEPS):
        deed = random.random()
        if deed < 0.3 or not length:
            sizes = [random.choice((0, 1, 50, 3000)) for _ in range(random.choice((1, 1, 3, 20, 100)))]
            length = await writer.append(sizes)
        elif deed < 0.4 and truncates:
            length = random.randrange(length)
            await writer.truncate(length)
        elif deed < 0.65:
            one, other = random.sample(everyone, 2)
            links.append(await one.connect(other.port))
        elif deed < 0.72 and links:
            await links.pop(random.randrange(len(links))).close()
        elif deed < 0.9:
            start = random.randrange(length)
            download = random.choice(others).download(start, random.randint(start, length))
            downloads.append(asyncio.ensure_future(download))
        else:
            reader = random.choice(others)
            if isinstance(reader, Ours) and reader.core.length:
                start = random.randrange(reader.core.length)
                reader.core.clear(start, random.randint(start, reader.core.length))
    for each in downloads:
        each.cancel()
    await asyncio.gather(*downloads, return_exceptions=True)
    if not length:
        await writer.append([3])  # that there are no blocks any more is not told to anybody
    return links
