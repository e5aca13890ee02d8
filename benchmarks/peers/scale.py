"""What has to hold however long a core and however large a bee is, measured on this package alone.

Each claim is measured in a process of its own, in a fresh directory. A claim that does not hold is reported,
but it is not an error: this is a measurement, not a test.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter

from benchmarks.peers.claims import Claim, Growth, in_own_process
from benchmarks.peers.downloading import download_memory
from benchmarks.peers.experiments import Size
from hypercore import Corestore, Hyperbee, Hypercore

DEFAULT_SIZE = Size(1_000_000, 100)

_BATCH = 100
_SHORT_BLOCKS = 1_000
_ROUNDS = 100
_APPENDS_IN_ROUND = 100
_OPENINGS = 101
_OPERATIONS_BETWEEN_SAMPLES = 100
_LARGE_BEE = 100_000
_SMALL_BEE = 1_000
_PUTS_IN_ROUND = 100
_REPORT_EVERY_S = 5


def append(directory: Path, size: Size) -> Claim:
    """Appending to a long core takes as long as appending to a short one."""
    block = b"a" * size.block_size
    short_s: list[float] = []
    long_s: list[float] = []
    with Corestore(directory / "long") as long_store, Corestore(directory / "short") as short_store:
        long = long_store.get(name="core")
        _fill(long, size)
        # The two take turns, so that what else the machine does slows down both.
        for number in range(_ROUNDS):
            short = short_store.get(name=f"core {number}")
            _fill(short, Size(_SHORT_BLOCKS, size.block_size))
            _time_appends(short, block, short_s)
            short.close()
            _time_appends(long, block, long_s)
    long_us, short_us = median(long_s) * 1e6, median(short_s) * 1e6
    return Claim(
        f"p50 of an append at {size.blocks:,} blocks, against {_SHORT_BLOCKS:,}",
        long_us / short_us,
        1.15,
        "times",
        f"{long_us:.2f} us against {short_us:.2f} us",
    )


def _time_appends(core: Hypercore, block: bytes, seconds: list[float]) -> None:
    for _ in range(_APPENDS_IN_ROUND):
        start = perf_counter()
        core.append(block)
        seconds.append(perf_counter() - start)


def opening(directory: Path, size: Size) -> Claim:
    """Opening a long core takes no longer than opening a short one: only head and roots are read."""
    seconds = []
    with Corestore(directory) as store:
        _fill(store.get(name="core"), size)
    with Corestore(directory) as store:
        for _ in range(_OPENINGS):
            start = perf_counter()
            core = store.get(name="core")
            seconds.append(perf_counter() - start)
            core.close()
    return Claim(
        f"opening a core of {size.blocks:,} blocks in an open store",
        median(seconds) * 1e3,
        0.5,
        "ms",
        f"the first of {_OPENINGS} took {seconds[0] * 1e3:.2f} ms",
    )


def memory(directory: Path, size: Size) -> Claim:
    """Writing takes no more memory the longer it goes on."""
    block = b"a" * size.block_size
    growth = Growth()
    progress = _Progress("blocks appended", size.blocks)
    with Corestore(directory) as store:
        core = store.get(name="core")
        for index in range(size.blocks):
            core.append(block)
            if index % _OPERATIONS_BETWEEN_SAMPLES == 0:
                growth.sample()
                progress(index)
        end = growth.sample()
    return Claim(
        f"growth of anonymous memory while appending {size}",
        growth.peak / 1e6,
        64,
        "MB",
        f"at its peak; {end / 1e6:.2f} MB at the end",
    )


class _Progress:
    """Says on stderr, every few seconds, how far a long step has come."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._next = monotonic() + _REPORT_EVERY_S

    def __call__(self, done: int) -> None:
        if monotonic() >= self._next:
            print(f"    {self._what}: {done:,} of {self._total:,}", file=sys.stderr, flush=True)
            self._next = monotonic() + _REPORT_EVERY_S


def _fill(core: Hypercore, size: Size) -> None:
    block = b"a" * size.block_size
    progress = _Progress("blocks stored", size.blocks)
    for done in range(0, size.blocks, _BATCH):
        progress(core.append([block] * min(_BATCH, size.blocks - done)))


def bee_put(_directory: Path, size: Size) -> Claim:
    """Putting into the tree of a large bee takes little longer than putting into that of a small one."""
    large = _BeeInMemory(Size(min(_LARGE_BEE, size.blocks), size.block_size))
    small = _BeeInMemory(Size(_SMALL_BEE, size.block_size))
    large_s: list[float] = []
    small_s: list[float] = []
    for _ in range(_ROUNDS):  # in turns, as above
        small_s.append(small.time_puts())
        large_s.append(large.time_puts())
    large_us, small_us = (median(each) / _PUTS_IN_ROUND * 1e6 for each in (large_s, small_s))
    return Claim(
        f"put into a bee of {large.size.blocks:,} keys, in memory, against {_SMALL_BEE:,}",
        large_us / small_us,
        2.5,
        "times",
        f"{large_us:.2f} us against {small_us:.2f} us",
    )


class _BeeInMemory:
    """A bee of random keys that no disk is needed for."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self._random = Random(size.blocks)
        self._value = b"a" * size.block_size
        self._bee = Hyperbee(Corestore(None).get(name="core"))
        keys = (self._new_key() for _ in range(size.blocks))
        _put_batches(self._bee, keys, self._value, _Progress("entries put", size.blocks))

    def time_puts(self) -> float:
        """Return how many seconds the tree takes for some new keys, which are not stored."""
        keys = [self._new_key() for _ in range(_PUTS_IN_ROUND)]
        batch = self._bee.batch()
        batch.lock()
        for key in keys:
            batch.get(key)  # from here on the nodes on the way to it are loaded
        start = perf_counter()
        for key in keys:
            batch.put(key, self._value)
        seconds = perf_counter() - start
        batch.close()
        return seconds

    def _new_key(self) -> bytes:
        return self._random.randbytes(16)


def bee_memory(directory: Path, size: Size) -> Claim:
    """Reading a bee takes no more memory the longer it goes on."""
    in_own_process(_fill_bee, directory, size)  # what it frees there would hide growth here
    growth = Growth()
    progress = _Progress("entries read", size.blocks + size.blocks // 2)
    with Corestore(directory) as store:
        bee = Hyperbee(store.get(name="core"))
        after_scan_of = {}
        for number, _ in enumerate(bee.items(), 1):
            if number % _OPERATIONS_BETWEEN_SAMPLES == 0:
                growth.sample()
                progress(number)
            if number in (size.blocks // 2, size.blocks):
                after_scan_of[number] = growth.sample()
        first_half, whole = after_scan_of.values()
        random = Random(1)
        for number in range(size.blocks // 2):
            bee.get(_key(random.randrange(size.blocks)))
            if number % _OPERATIONS_BETWEEN_SAMPLES == 0:
                growth.sample()
                progress(size.blocks + number)
        end = growth.sample()
    return Claim(
        f"growth of anonymous memory while reading a bee of {size}",
        growth.peak / 1e6,
        128,
        "MB",
        f"at its peak; {first_half / 1e6:.2f} MB after the first half of a scan, {whole / 1e6:.2f} MB after "
        f"the second, {end / 1e6:.2f} MB after {size.blocks // 2:,} gets of random keys",
    )


def _fill_bee(directory: Path, size: Size) -> None:
    numbers = list(range(size.blocks))
    Random(0).shuffle(numbers)
    with Corestore(directory) as store:
        bee, progress = Hyperbee(store.get(name="core")), _Progress("entries stored", size.blocks)
        _put_batches(bee, map(_key, numbers), b"a" * size.block_size, progress)


def _key(number: int) -> bytes:
    return b"key%d" % number


def _put_batches(bee: Hyperbee, keys: Iterable[bytes], value: bytes, progress: _Progress) -> None:
    rest = iter(keys)
    while some := list(islice(rest, _BATCH)):
        with bee.batch() as batch:
            for key in some:
                batch.put(key, value)
        progress(bee.version - 1)


CLAIMS: dict[str, Callable[[Path, Size], Claim]] = {
    claim.__name__: claim for claim in (append, opening, memory, bee_put, bee_memory, download_memory)
}
"""What can be measured, by name."""


def measure(size: Size, report: Callable[[str], None], names: Iterable[str] = tuple(CLAIMS)) -> list[Claim]:
    """Measure claims, one after the other.

    Each process that measures says on stderr, too, how far it is.

    Raises:
        HypercoreError: a store failed.
        OSError: there is no directory for the stores, or the system does not tell the memory of a process.
    """
    claims = []
    names = list(names)
    for number, name in enumerate(names, 1):
        report(f"[{number}/{len(names)}] {name}, {size} ...")
        with TemporaryDirectory(prefix="hypercore-scale-") as directory:
            claims.append(in_own_process(CLAIMS[name], Path(directory), size))
    return claims
