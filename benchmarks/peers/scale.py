"""What has to hold however long a core is, measured on this package alone.

Each claim is measured in a process of its own, in a fresh directory. A claim that does not hold is reported,
but it is not an error: this is a measurement, not a test.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benchmarks.peers.experiments import Size
from hypercore import Corestore, Hypercore

DEFAULT_SIZE = Size(1_000_000, 100)

_BATCH = 100
_SHORT_BLOCKS = 1_000
_ROUNDS = 100
_APPENDS_IN_ROUND = 100
_OPENINGS = 101
_APPENDS_BETWEEN_SAMPLES = 100
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure, and what it may be at most; both have the unit."""

    name: str
    measured: float
    limit: float
    unit: str
    details: str

    @property
    def holds(self) -> bool:
        """Whether the figure is within its limit."""
        return self.measured <= self.limit

    def as_json(self) -> dict[str, Any]:
        """Return the figures and the verdict."""
        return {**asdict(self), "holds": self.holds}

    def as_row(self) -> tuple[str, ...]:
        """Return the cells below HEADER."""
        return (
            self.name,
            f"{self.measured:.2f} {self.unit}",
            f"<= {self.limit:g} {self.unit}",
            "yes" if self.holds else "no",
            self.details,
        )


HEADER = ("claim", "measured", "target", "holds", "details")


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
    before = peak = _anonymous_bytes()
    with Corestore(directory) as store:
        core = store.get(name="core")
        for index in range(size.blocks):
            core.append(block)
            if index % _APPENDS_BETWEEN_SAMPLES == 0:
                peak = max(peak, _anonymous_bytes())
        end = _anonymous_bytes()
    return Claim(
        f"growth of anonymous memory while appending {size}",
        (max(peak, end) - before) / 1e6,
        64,
        "MB",
        f"at its peak; {(end - before) / 1e6:.2f} MB at the end",
    )


def _anonymous_bytes() -> int:
    """Return the memory of this process that no file backs."""
    for line in _STATUS.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "RssAnon":
            return int(value.split()[0]) * 1024
    raise OSError(f"{_STATUS} does not say how much memory is anonymous")


def _fill(core: Hypercore, size: Size) -> None:
    block = b"a" * size.block_size
    for done in range(0, size.blocks, _BATCH):
        core.append([block] * min(_BATCH, size.blocks - done))


CLAIMS = (append, opening, memory)


def measure(size: Size, report: Callable[[str], None]) -> list[Claim]:
    """Measure all claims, one after the other.

    Raises:
        HypercoreError: a store failed.
        OSError: there is no directory for the stores, or the system does not tell the memory of a process.
    """
    claims = []
    for number, claim in enumerate(CLAIMS, 1):
        report(f"[{number}/{len(CLAIMS)}] {claim.__name__}, {size} ...")
        with (
            TemporaryDirectory(prefix="hypercore-scale-") as directory,
            ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process,
        ):
            claims.append(process.submit(claim, Path(directory), size).result())
    return claims
