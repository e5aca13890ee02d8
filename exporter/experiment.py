"""The nouns of the wrapper: an experiment with its parameters, the outcome of running it, the last result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# What stands for the run time of a failed run where a number is expected: in the store and in the metric.
FAILED_RUN_TIME = -1


@dataclass(frozen=True)
class Experiment:
    """One experiment with one set of parameters, as the suite announced it."""

    nodeid: str
    name: str
    title: str
    help: str
    params: Mapping[str, int]

    @property
    def key(self) -> str:
        """The parameters in order, as the results are keyed: ``nrBlocks=10_blockByteSize=100``."""
        return "_".join(f"{name}={value}" for name, value in self.params.items())

    def __str__(self) -> str:
        params = ", ".join(f"{name}: {value}" for name, value in self.params.items())
        return f"{self.title} with params: {params}"


@dataclass(frozen=True)
class Outcome:
    """How one run of an experiment ended. ``run_time_s`` is None exactly when there is an ``error``."""

    run_time_s: float | None = None
    rounds: int = 0
    stats: Mapping[str, float] | None = None
    error: str | None = None
    output: str = ""

    @property
    def passed(self) -> bool:
        """Whether the experiment ran to its end and its checks held."""
        return self.error is None


@dataclass(frozen=True)
class Result:
    """The last run of an experiment. ``run_time_s`` is None when it failed."""

    experiment: Experiment
    run_time_s: float | None
    timestamp_ms: int
    error: str | None = None

    @property
    def success(self) -> bool:
        """Whether that run passed."""
        return self.run_time_s is not None
