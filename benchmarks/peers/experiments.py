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
    """An operation, by its name in ``ours.OPERATIONS``, at one size."""

    operation: str
    size: Size

    def __str__(self) -> str:
        return f"{self.operation} {self.size}"


TABLE = (
    Experiment("append", Size(10_000, 100)),
    Experiment("append", Size(10_000, 1_000)),
    Experiment("append", Size(1_000, 65_536)),
    Experiment("append_batch", Size(10_000, 1_000)),
    Experiment("get", Size(10_000, 1_000)),
    Experiment("get_reopened", Size(10_000, 1_000)),
    Experiment("stream", Size(10_000, 1_000)),
    Experiment("get_many", Size(10_000, 1_000)),
    Experiment("bee_put", Size(10_000, 1_000)),
    Experiment("bee_batch", Size(10_000, 1_000)),
    Experiment("bee_get", Size(10_000, 1_000)),
    Experiment("bee_get_cold", Size(10_000, 1_000)),
    Experiment("bee_scan", Size(10_000, 1_000)),
    Experiment("drive_put", Size(5_000, 1_000)),
    Experiment("drive_put", Size(100, 1_000_000)),
    Experiment("drive_batch", Size(10_000, 1_000)),
    Experiment("drive_get", Size(5_000, 1_000)),
    Experiment("drive_get", Size(100, 1_000_000)),
    Experiment("drive_get_reopened", Size(5_000, 1_000)),
    Experiment("drive_list", Size(10_000, 100)),
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
            Experiment(
                experiment.operation,
                Size(blocks or experiment.size.blocks, block_size or experiment.size.block_size),
            )
            for experiment in table
            if wanted is None or experiment.operation in wanted
        )
    )
