"""Which operations are compared, and at which sizes: the rows of the table in the README."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """How much a run does: ``blocks`` blocks or entries of ``block_size`` bytes."""

    blocks: int
    block_size: int

    def __str__(self) -> str:
        return f"{self.blocks:,} x {self.block_size:,} B"


@dataclass(frozen=True, slots=True)
class Experiment:
    """An operation, by its name in ``ours.OPERATIONS``, at one size.

    Attributes:
        at_least: how many times as fast as the reference it has to be; None where that is not known. It is
            some two thirds of what the README says: machines differ, but not by that much.
    """

    operation: str
    size: Size
    at_least: float | None = None

    def __str__(self) -> str:
        return f"{self.operation} {self.size}"


TABLE = (
    Experiment("append", Size(10_000, 100), at_least=5.5),
    Experiment("append", Size(10_000, 1_000), at_least=5.5),
    Experiment("append", Size(1_000, 65_536), at_least=2.5),
    Experiment("append_batch", Size(10_000, 1_000), at_least=2.5),
    Experiment("get", Size(10_000, 1_000), at_least=25),
    Experiment("get_reopened", Size(10_000, 1_000), at_least=20),
    Experiment("stream", Size(10_000, 1_000), at_least=40),
    Experiment("get_many", Size(10_000, 1_000), at_least=7),
    Experiment("bee_put", Size(10_000, 1_000), at_least=5),
    Experiment("bee_batch", Size(10_000, 1_000), at_least=3),
    Experiment("bee_get", Size(10_000, 1_000), at_least=10),
    Experiment("bee_get_cold", Size(10_000, 1_000), at_least=9),
    Experiment("bee_scan", Size(10_000, 1_000), at_least=6),
    Experiment("drive_put", Size(5_000, 1_000), at_least=5.5),
    Experiment("drive_put", Size(100, 1_000_000), at_least=1.5),
    Experiment("drive_batch", Size(10_000, 1_000), at_least=10),
    Experiment("drive_get", Size(5_000, 1_000), at_least=15),
    Experiment("drive_get", Size(100, 1_000_000), at_least=1.3),
    Experiment("drive_get_reopened", Size(5_000, 1_000), at_least=12),
    Experiment("drive_list", Size(10_000, 100), at_least=5.5),
)
"""All experiments, in the order of the table."""


def choose(
    operations: Iterable[str] | None = None,
    blocks: int | None = None,
    block_size: int | None = None,
    *,
    table: Iterable[Experiment] = TABLE,
) -> list[Experiment]:
    """Return the experiments with these operations; a number that is given holds for all of them."""
    wanted = None if operations is None else set(operations)
    # Under one number, rows that differ only in that number become the same one.
    return list(
        dict.fromkeys(
            _resized(experiment, blocks, block_size)
            for experiment in table
            if wanted is None or experiment.operation in wanted
        )
    )


def _resized(experiment: Experiment, blocks: int | None, block_size: int | None) -> Experiment:
    size = Size(blocks or experiment.size.blocks, block_size or experiment.size.block_size)
    return experiment if size == experiment.size else Experiment(experiment.operation, size)
