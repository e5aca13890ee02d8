"""Reading what is not here yet: each of these waits for peers to send it.

They use the peers that the core has through the connections of its store, now or later; without a
``timeout`` they wait for ever for one to come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from typing import TypeVar

from hypercore.aio.extensions import Extension
from hypercore.aio.waiting import wait
from hypercore.core import Hypercore
from hypercore.errors import (
    BlockNotAvailable,
    DecodingError,
    InvalidOperation,
)
from hypercore.hyperbee import extension
from hypercore.hyperdrive import Hyperdrive
from hypercore.replication import Block, Peer, Replicator, Seek, Update

T = TypeVar("T")

_MAX_HINTS = 2176


async def update(source: Hypercore | Hyperdrive, *, timeout: float | None = None) -> bool:
    """Learn the longest length that the peers can prove; return whether the core changed.

    Of a drive it is the core of the entries; that of the data follows by itself.

    Raises:
        RequestTimeout: no peer said anything for ``timeout`` seconds.
    """
    core = source if isinstance(source, Hypercore) else source.core
    before = (core.fork, core.length)
    await wait(core, lambda changed: Update(before, changed), timeout, "no peer said how long it is")
    return (core.fork, core.length) != before


async def get(core: Hypercore, index: int, *, timeout: float | None = None) -> bytes:
    """Return a block, from a peer if it is not here.

    Raises:
        BadArgument: the index is negative.
        RequestTimeout: it did not come within ``timeout`` seconds.
    """
    return await available(core, lambda: core.get(index), timeout=timeout)


async def available(
    source: Hypercore | Hyperdrive, read: Callable[[], T], *, timeout: float | None = None
) -> T:
    """Return what ``read`` returns, fetching every block that it misses.

    ``read`` is called again after each block that has come, so it must be a pure read: of the core, of a bee
    on it, or of the drive. An iterator is read piece by piece, each going on behind the last key.

    Raises:
        RequestTimeout: a block did not come within ``timeout`` seconds.
        BlockNotAvailable: a snapshot has lost the block by a truncation.
        Whatever else ``read`` raises.
    """
    with ExitStack() as stack:
        hints: dict[Hypercore, _Hints] = {}
        while True:
            try:
                return read()
            except BlockNotAvailable as error:
                missing = error
            core = _core_of(source, missing.key)
            if core.state.has(missing.index, missing.index + 1):
                raise missing  # it is only a snapshot that lacks it: no peer can help
            if core not in hints:
                hints[core] = stack.enter_context(_Hints(core))
            hints[core].follow(missing)
            await _fetch(core, missing.index, timeout)


def _core_of(source: Hypercore | Hyperdrive, key: bytes | None) -> Hypercore:
    """Return the core that lacks a block: a drive has two."""
    if isinstance(source, Hypercore):
        return source
    return source.core if key in (None, source.key) else source.blobs.core


async def _fetch(core: Hypercore, index: int, timeout: float | None) -> None:
    await wait(core, lambda changed: Block(index, changed), timeout, f"block {index} did not come")


class _Hints:
    """Fetches along what a read is going to need, as the read itself or a peer that has all blocks says."""

    def __init__(self, core: Hypercore) -> None:
        self._core = core
        self._replicator = Replicator.of(core.state)
        self._wants: dict[int, Block] = {}
        self._asked: set[bytes] = set()
        self._extension: Extension | None = None

    def follow(self, missing: BlockNotAvailable) -> None:
        """Ask for the blocks that a read named, and peers for those that they think it needs."""
        self._fetch(missing.hints)
        if missing.request is not None and missing.request[1] not in self._asked:
            name, message = missing.request
            if self._extension is None:
                self._extension = Extension(self._core, name, self._on_message)
            self._asked.add(message)
            self._replicator.broadcast(name, message)

    def _on_message(self, message: bytes, peer: Peer) -> None:
        with suppress(DecodingError):
            answer = extension.decode(message)
            if isinstance(answer, extension.Cache):
                self._fetch(answer.blocks)

    def _fetch(self, blocks: Iterable[int]) -> None:
        self._wants = {index: want for index, want in self._wants.items() if not want.is_done}
        for index in blocks:
            if len(self._wants) >= _MAX_HINTS:
                return
            if 0 <= index < self._core.length and index not in self._wants and not self._core.has(index):
                want = self._wants[index] = Block(index)
                self._replicator.add(want)

    def __enter__(self) -> _Hints:
        return self

    def __exit__(self, *_: object) -> None:
        if self._extension is not None:
            self._extension.close()
        for want in self._wants.values():
            if not want.is_done:
                self._replicator.give_up(want)


async def seek(core: Hypercore, byte_offset: int, *, timeout: float | None = None) -> tuple[int, int]:
    """Return the block at a byte offset and the offset in it, asking peers for the tree nodes in between.

    Raises:
        BadArgument: the offset is negative or behind the end.
        BlockNotAvailable, InvalidOperation: a snapshot has lost the way by a truncation.
        RequestTimeout: no peer answered within ``timeout`` seconds.
    """
    while True:
        try:
            return core.seek(byte_offset)
        except (BlockNotAvailable, InvalidOperation):
            if core.state.seek_gap(byte_offset, core.padding) is None:
                raise  # only a snapshot lacks the way
        await wait(
            core,
            lambda changed: Seek(byte_offset, core.padding, changed),
            timeout,
            f"nobody told where byte {byte_offset} is",
        )


def push(core: Hypercore, index: int) -> int:
    """Send a block to all peers that take what they did not ask for, and return to how many.

    Raises:
        BlockNotAvailable: it is not stored here.
    """
    return Replicator.of(core.state).push(index)


def allow_push(core: Hypercore, allowed: bool = True) -> None:
    """Take, or no longer take, blocks that peers send without being asked; they are verified like all."""
    Replicator.of(core.state).set_push(allowed)
