"""Fetching many blocks: of a core, of the files of a drive, or one after the other as they are read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import overload

from hypercore.aio.reading import available, update
from hypercore.aio.waiting import is_set_within, wait
from hypercore.core import Hypercore
from hypercore.errors import BadArgument, RequestTimeout
from hypercore.hyperdrive import Hyperdrive
from hypercore.replication import Download, Replicator

OnProgress = Callable[["Progress"], None]

_PREFETCHED = 512


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is.

    Attributes:
        blocks: how many of its blocks are here.
        total: how many it has.
    """

    blocks: int
    total: int


@overload
async def download(
    source: Hypercore,
    start: int = 0,
    end: int | None = None,
    *,
    linear: bool = False,
    progress: OnProgress | None = None,
    timeout: float | None = None,
) -> None: ...


@overload
async def download(
    source: Hyperdrive,
    start: str = "/",
    *,
    progress: OnProgress | None = None,
    timeout: float | None = None,
) -> None: ...


async def download(
    source: Hypercore | Hyperdrive,
    start: int | str | None = None,
    end: int | None = None,
    *,
    linear: bool = False,
    progress: OnProgress | None = None,
    timeout: float | None = None,
) -> None:
    """Fetch the blocks of a core, by default all that the peers have now, or the files of a drive.

    Args:
        source: the core, or the drive.
        start: the first block; of a drive, the folder, by default all of it.
        end: the block behind the last; it may lie behind the present length.
        linear: fetch them in their order.
        progress: called when blocks have come.
        timeout: seconds without any new block after which it is given up.

    Raises:
        BadArgument: the range is not one.
        RequestTimeout: nothing came for ``timeout`` seconds; what came is stored.
        StorageError: the storage failed.
    """
    if isinstance(source, Hyperdrive):
        await _download_files(source, "/" if start is None else str(start), progress, timeout)
    else:
        first = 0 if start is None else int(start)
        await _download_blocks(source, first, end, linear=linear, progress=progress, timeout=timeout)


async def _download_blocks(
    core: Hypercore,
    start: int = 0,
    end: int | None = None,
    *,
    linear: bool = False,
    progress: Callable[[Progress], None] | None = None,
    timeout: float | None = None,
) -> None:
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

    await wait(core, begin, timeout, f"blocks {start} to {stop - 1} did not all come", told)


async def _download_files(
    drive: Hyperdrive, folder: str, progress: OnProgress | None, timeout: float | None
) -> None:
    await update(drive, timeout=timeout)
    if folder in ("", "/"):  # all entries are needed, and so in a row they come fastest
        await _download_blocks(drive.core, 0, drive.core.length, timeout=timeout)

    def ranges() -> list[tuple[int, int]]:
        blobs = [entry.blob for entry in drive.list(folder) if entry.blob is not None]
        return [each for blob in blobs for each in drive.blobs.reader(blob).ranges()]

    joined = list(_join(await available(drive, ranges, timeout=timeout)))
    total = sum(end - start for start, end in joined)
    before = 0
    for start, end in joined:

        def told(part: Progress, before: int = before) -> None:
            if progress is not None:
                progress(Progress(before + part.blocks, total))

        await _download_blocks(drive.blobs.core, start, end, progress=told, timeout=timeout)
        before += end - start


def _join(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Iterate over the same blocks as ranges in ascending order, as few as there can be."""
    first, last = 0, 0
    for start, end in sorted(ranges):
        if start > last:
            if first < last:
                yield first, last
            first = start
        last = max(last, end)
    if first < last:
        yield first, last


async def read_stream(
    core: Hypercore, start: int = 0, end: int | None = None, *, timeout: float | None = None
) -> AsyncGenerator[bytes, None]:
    """Iterate over the blocks from ``start`` up to ``end``, fetching those that are not here ahead of time.

    By default ``end`` is the length that the peers have when it begins.

    Raises:
        BadArgument: ``start`` is negative.
        BlockNotAvailable: a snapshot has lost a block by a truncation.
        Closed: the core was closed.
        RequestTimeout: a block did not come within ``timeout`` seconds.
        StorageError: the storage failed.
    """
    if start < 0:
        raise BadArgument(f"a block index is not negative, found {start}")
    if end is None:
        await update(core, timeout=timeout)
        end = core.length
    replicator = Replicator.of(core.state)
    woken = asyncio.Event()
    ahead: Download | None = None
    stop = core.on_change(woken.set)  # also when it closes
    try:
        while start < end:
            if ahead is not None and ahead.error is not None:
                raise ahead.error
            here = _stored_until(core, start, min(end, start + _PREFETCHED))
            if ahead is None or ahead.is_done or here + _PREFETCHED // 2 > _stop_of(ahead, start):
                ahead = _prefetch(core, replicator, ahead, here, end, woken)
            if here > start:
                for block in core.read_stream(start, here):
                    yield block
                start = here
                continue
            woken.clear()
            if not await is_set_within(woken, timeout):
                raise RequestTimeout(f"core {core.id}: block {start} did not come in {timeout} s")
    finally:
        stop()
        if ahead is not None and not ahead.is_done:
            replicator.give_up(ahead)


def _stored_until(core: Hypercore, start: int, end: int) -> int:
    """Return the first block from ``start`` on that is not stored, at most ``end``."""
    first, last = next(core.state.stored_ranges(start), (end, end))
    stored = min(last, end) if first == start else start
    # A snapshot keeps what the core has lost, and a named session has blocks of its own.
    while stored < end and core.has(stored):
        stored += 1
    return stored


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
