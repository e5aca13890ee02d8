"""The figures of the comparison: medians, ratios of pairs, the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(slots=True)
class Comparison:
    """The runs of one operation, in pairs: the i-th run of both sides happened one after the other.

    Attributes:
        reference_us: microseconds per block or entry, of the JavaScript reference.
        ours_us: the same of this package.
    """

    operation: str
    reference_us: list[float] = field(default_factory=list)
    ours_us: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """How many times as long as ours the reference took, for each pair."""
        return [theirs / ours for theirs, ours in zip(self.reference_us, self.ours_us, strict=True)]

    def as_json(self) -> dict[str, Any]:
        """Return all runs and their summary."""
        ratios = self.ratios
        return {
            "operation": self.operation,
            "reference_us": self.reference_us,
            "ours_us": self.ours_us,
            "ratios": ratios,
            "median_reference_us": median(self.reference_us),
            "median_ours_us": median(self.ours_us),
            "median_ratio": median(ratios),
        }


_HEADER = ("operation", "reference us/op", "ours us/op", "reference/ours", "min - max")


def table(comparisons: Sequence[Comparison]) -> str:
    """Return the comparisons as text, one line each below a header."""
    rows = [_HEADER, *(_row(comparison) for comparison in comparisons)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    return "\n".join(_line(row, widths) for row in rows)


def _row(comparison: Comparison) -> tuple[str, ...]:
    ratios = comparison.ratios
    return (
        comparison.operation,
        f"{median(comparison.reference_us):.2f}",
        f"{median(comparison.ours_us):.2f}",
        f"{median(ratios):.2f}",
        f"{min(ratios):.2f} - {max(ratios):.2f}",
    )


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    name, *figures = (
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join([name, *figures])
