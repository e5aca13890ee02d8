"""The figures of the comparison: medians and ratios of pairs, and how a table shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.peers.experiments import Experiment


@dataclass(slots=True)
class Comparison:
    """The runs of one experiment, in pairs: the i-th run of both sides happened one after the other.

    Attributes:
        reference_us: microseconds per block or entry, of the JavaScript reference.
        ours_us: the same of this package.
    """

    experiment: Experiment
    reference_us: list[float] = field(default_factory=list)
    ours_us: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """How many times as long as ours the reference took, for each pair."""
        return [theirs / ours for theirs, ours in zip(self.reference_us, self.ours_us, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return median(self.ratios)

    @property
    def is_too_slow(self) -> bool:
        """Whether the ratio is below what the experiment has to reach."""
        at_least = self.experiment.at_least
        return at_least is not None and self.ratio < at_least

    def as_json(self) -> dict[str, Any]:
        """Return all runs and their summary."""
        ratios = self.ratios
        return {
            "operation": self.experiment.operation,
            "blocks": self.experiment.size.blocks,
            "block_size": self.experiment.size.block_size,
            "reference_us": self.reference_us,
            "ours_us": self.ours_us,
            "ratios": ratios,
            "median_reference_us": median(self.reference_us),
            "median_ours_us": median(self.ours_us),
            "median_ratio": self.ratio,
            "at_least": self.experiment.at_least,
        }

    def as_row(self) -> tuple[str, ...]:
        """Return the cells below HEADER."""
        ratios = self.ratios
        return (
            self.experiment.operation,
            str(self.experiment.size),
            f"{median(self.reference_us):.2f}",
            f"{median(self.ours_us):.2f}",
            f"{self.ratio:.2f}",
            f"{min(ratios):.2f} - {max(ratios):.2f}",
        )


HEADER = ("operation", "size", "reference us/op", "ours us/op", "reference/ours", "min - max")
