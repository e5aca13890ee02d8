"""Claims about this package: a figure, and what it may be at most; and how memory is measured for one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.peers.experiments import Size

_STATUS = Path("/proc/self/status")

T = TypeVar("T")


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


class Growth:
    """How much more anonymous memory this process has than when this object was made.

    Attributes:
        peak: the largest of the samples, in bytes.
    """

    def __init__(self) -> None:
        self._before = _anonymous_bytes()
        self.peak = 0

    def sample(self) -> int:
        """Return the growth now, in bytes."""
        growth = _anonymous_bytes() - self._before
        self.peak = max(self.peak, growth)
        return growth


def _anonymous_bytes() -> int:
    """Return the memory of this process that no file backs."""
    for line in _STATUS.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "RssAnon":
            return int(value.split()[0]) * 1024
    raise OSError(f"{_STATUS} does not say how much memory is anonymous")


def in_own_process(run: Callable[[Path, Size], T], directory: Path, size: Size) -> T:
    """Return the result of a function that runs in a new process, whose memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(run, directory, size).result()
