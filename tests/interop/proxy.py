"""A TCP proxy between two peers that cuts connections, or delays, splits and joins what passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from random import Random

_LONGEST_DELAY_S = 0.002


class Proxy:
    """Passes on what clients and a server say to each other; an asynchronous context manager.

    Args:
        port: of the server.
        cut_after: returns how many bytes of the server a connection brings before it is cut; None for all.
        on_cut: called when it is.
        mangle: the random numbers to delay, split and join by; None for nothing of that.

    Attributes:
        port: where it listens.
        whole: how many bytes of the server have passed in frames that passed whole.
    """

    def __init__(
        self,
        port: int,
        *,
        cut_after: Callable[[], int | None] = lambda: None,
        on_cut: Callable[[], None] = lambda: None,
        mangle: Random | None = None,
    ) -> None:
        self.port = 0
        self.whole = 0
        self._target = port
        self._cut_after = cut_after
        self._on_cut = on_cut
        self._random = mangle
        self._ways: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.Task[None]] = set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        ways = {
            asyncio.ensure_future(self._pass(reader, server_writer)),
            asyncio.ensure_future(self._pass_until_cut(server_reader, writer)),
        }
        self._ways |= ways
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.wait(ways)
        self._ways -= ways
        writer.transport.abort()
        server_writer.transport.abort()
        self._connections.discard(task)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for piece in self._pieces(reader):
            writer.write(piece)
            with suppress(ConnectionError):
                await writer.drain()

    async def _pass_until_cut(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        limit = self._cut_after()
        frames = _Frames()
        async for piece in self._pieces(reader):
            passed = piece if limit is None else piece[:limit]
            writer.write(passed)
            with suppress(ConnectionError):
                await writer.drain()
            self.whole += frames.add(passed)
            if limit is not None:
                limit -= len(passed)
                if not limit:
                    self._on_cut()
                    return

    async def _pieces(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                if self._random is None:
                    yield data
                    continue
                for piece in _split(self._random, data):
                    # What arrives meanwhile is joined.
                    await asyncio.sleep(self._random.random() * _LONGEST_DELAY_S)
                    yield piece

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._connections)


class _Frames:
    """The frames of a secret stream: three bytes of length, and the rest."""

    def __init__(self) -> None:
        self._rest = b""

    def add(self, data: bytes) -> int:
        """Return how many bytes the frames have that end in this piece."""
        buf, whole = self._rest + data, 0
        while len(buf) >= whole + 3:
            size = 3 + int.from_bytes(buf[whole : whole + 3], "little")
            if len(buf) < whole + size:
                break
            whole += size
        self._rest = buf[whole:]
        return whole


def _split(random: Random, data: bytes) -> Iterator[bytes]:
    while data:
        size = random.choice((1, 2, 3, 17, 100, 5000, 1 << 16))
        yield data[:size]
        data = data[size:]
