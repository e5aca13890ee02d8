"""Reading what is not here yet: each of these waits for peers to send it.

They use the peers that the core has through the connections of its store, now or later; without a
``timeout`` they wait for ever for one to come.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from hypercore.aio.extensions import Extension
from hypercore.core import Hypercore
from hypercore.errors import (
    BadArgument,
    BlockNotAvailable,
    DecodingError,
    InvalidOperation,
    RequestTimeout,
)
from hypercore.hyperbee import extension
from hypercore.ids import encode_id
from hypercore.replication import Block, Download, Peer, Replicator, Seek, Update, Want

T = TypeVar("T")

_PREFETCHED = 512
_MAX_HINTS = 2176


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is.

    Attributes:
        blocks: how many of its blocks are here.
        total: how many it has.
    """

    blocks: int
    total: int


async def update(core: Hypercore, *, timeout: float | None = None) -> bool:
    """Learn the longest length that the peers can prove; return whether the core changed.

    Raises:
        RequestTimeout: no peer said anything for ``timeout`` seconds.
    """
    before = (core.fork, core.length)
    await _wait(core, lambda changed: Update(before, changed), timeout, "no peer said how long it is")
    return (core.fork, core.length) != before


async def get(core: Hypercore, index: int, *, timeout: float | None = None) -> bytes:
    """Return a block, from a peer if it is not here.

    Raises:
        BadArgument: the index is negative.
        RequestTimeout: it did not come within ``timeout`` seconds.
    """
    return await available(core, lambda: core.get(index), timeout=timeout)


async def available(core: Hypercore, read: Callable[[], T], *, timeout: float | None = None) -> T:
    """Return what ``read`` returns, fetching every block of the core that it misses.

    ``read`` is called again after each block that has come, so it must be a pure read: of the core, or of a
    bee or drive on it. An iterator is read piece by piece, each going on behind the last key.

    Raises:
        RequestTimeout: a block did not come within ``timeout`` seconds.
        Whatever ``read`` raises, but for BlockNotAvailable.
    """
    with _Hints(core) as hints:
        while True:
            try:
                return read()
            except BlockNotAvailable as error:
                missing = error
            hints.follow(missing)
            await _fetch(core, missing.index, timeout)


async def _fetch(core: Hypercore, index: int, timeout: float | None) -> None:
    await _wait(core, lambda changed: Block(index, changed), timeout, f"block {index} did not come")


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


async def download(
    core: Hypercore,
    start: int = 0,
    end: int | None = None,
    *,
    linear: bool = False,
    progress: Callable[[Progress], None] | None = None,
    timeout: float | None = None,
) -> None:
    """Fetch the blocks from ``start`` up to, not including, ``end``; by default all that the peers have now.

    Args:
        core: what to fetch them of.
        start: the first block.
        end: the one behind the last; it may lie behind the present length.
        linear: fetch them in their order.
        progress: called when blocks have come.
        timeout: seconds without any new block after which it is given up.

    Raises:
        BadArgument: the range is not one.
        RequestTimeout: nothing came for ``timeout`` seconds; what came is stored.
        StorageError: the storage failed.
    """
    if end is None:
        await update(core, timeout=timeout)
        end = core.length
    if not 0 <= start <= end:
        raise BadArgument(f"a range of blocks begins at 0 or above and ends behind, found {start} to {end}")
    stop = end

    want: Download | None = None

    def begin(changed: Callable[[], None]) -> Download:
        nonlocal want
        want = Download(core.state, start, stop, linear=linear, on_change=changed)
        return want

    def told() -> None:
        if progress is not None and want is not None:
            progress(Progress(want.blocks, want.total))

    await _wait(core, begin, timeout, f"blocks {start} to {stop - 1} did not all come", told)


async def read_stream(
    core: Hypercore, start: int = 0, end: int | None = None, *, timeout: float | None = None
) -> AsyncIterator[bytes]:
    """Iterate over the blocks from ``start`` up to ``end``, fetching those that are not here ahead of time.

    By default ``end`` is the length that the peers have when it begins.

    Raises:
        BadArgument: ``start`` is negative.
        RequestTimeout: a block did not come within ``timeout`` seconds.
    """
    if start < 0:
        raise BadArgument(f"a block index is not negative, found {start}")
    if end is None:
        await update(core, timeout=timeout)
        end = core.length
    replicator = Replicator.of(core.state)
    woken = asyncio.Event()
    ahead: Download | None = None
    try:
        while start < end:
            here = _stored_until(core, start, min(end, start + _PREFETCHED))
            if ahead is None or ahead.is_done or here + _PREFETCHED // 2 > _stop_of(ahead, start):
                ahead = _prefetch(core, replicator, ahead, here, end, woken)
            if here > start:
                for block in core.read_stream(start, here):
                    yield block
                start = here
                continue
            woken.clear()
            if core.has(start):
                continue
            try:
                await asyncio.wait_for(woken.wait(), timeout)
            except asyncio.TimeoutError:
                raise RequestTimeout(f"core {core.id}: block {start} did not come in {timeout} s") from None
            if ahead is not None and ahead.error is not None:
                raise ahead.error
    finally:
        if ahead is not None and not ahead.is_done:
            replicator.give_up(ahead)


def _stored_until(core: Hypercore, start: int, end: int) -> int:
    """Return the first block from ``start`` on that is not stored, at most ``end``."""
    first, last = next(core.stored_ranges(start), (end, end))
    return min(last, end) if first == start else start


def _stop_of(ahead: Download, start: int) -> int:
    return start if ahead.end is None else ahead.end


def _prefetch(
    core: Hypercore,
    replicator: Replicator,
    before: Download | None,
    start: int,
    end: int,
    woken: asyncio.Event,
) -> Download | None:
    """Ask for the next blocks of a stream, and no longer for those that it asked for before."""
    stop = min(start + 2 * _PREFETCHED, end)
    ahead = Download(core.state, start, stop, linear=True, on_change=woken.set)
    replicator.add(ahead)
    if before is not None and not before.is_done:
        replicator.give_up(before)
    return ahead


async def seek(core: Hypercore, byte_offset: int, *, timeout: float | None = None) -> tuple[int, int]:
    """Return the block at a byte offset and the offset in it, asking peers for the tree nodes in between.

    Raises:
        BadArgument: the offset is negative or behind the end.
        RequestTimeout: no peer answered within ``timeout`` seconds.
    """
    while True:
        with suppress(BlockNotAvailable, InvalidOperation):
            return core.seek(byte_offset)
        await _wait(
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


async def _wait(
    core: Hypercore,
    begin: Callable[[Callable[[], None]], Want],
    timeout: float | None,
    what: str,
    told: Callable[[], None] = lambda: None,
) -> None:
    """Wait until a want is over; it may take ``timeout`` seconds from each sign of progress to the next.

    ``told`` is called after each of them.
    """
    woken = asyncio.Event()
    want = begin(woken.set)
    replicator = Replicator.of(core.state)
    replicator.add(want)
    try:
        while not want.is_done:
            woken.clear()
            try:
                await asyncio.wait_for(woken.wait(), timeout)
            except asyncio.TimeoutError:
                if not want.is_done:
                    raise RequestTimeout(
                        f"core {encode_id(replicator.core.key)}: {what} in {timeout} s"
                    ) from None
            told()
    finally:
        if not want.is_done:
            replicator.give_up(want)
    if want.error is not None:
        raise want.error
