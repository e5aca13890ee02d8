"""The ``measure`` fixture: how an experiment is timed, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.experiments import experiment_of

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Measurement:
    """The timed rounds of one experiment, in seconds."""

    rounds: int
    stats: dict[str, float]

    @property
    def run_time_s(self) -> float:
        """The result: half of the rounds were quicker, half were slower."""
        return self.stats["median"]


MEASUREMENT = pytest.StashKey[Measurement]()


class Measure(Protocol):
    """The type of the fixture ``measure``."""

    def __call__(
        self, run: Callable[[Thing], object], given: Callable[[Path], AbstractContextManager[Thing]]
    ) -> None:
        """Time ``run(thing)`` for a fresh ``thing`` from ``given(directory)``, each round."""


@pytest.fixture
def measure(benchmark: BenchmarkFixture, request: pytest.FixtureRequest, tmp_path: Path) -> Measure:
    """Time ``run(thing)`` for a fresh ``thing`` from the context manager ``given(directory)``, each round.

    Only ``run`` is timed: neither what ``given`` does before its yield (preparing), nor after it (checking
    that the work was done, closing). The directory is empty, and is removed after the round, come what may.
    """
    experiment = experiment_of(request.node)
    assert experiment is not None, "the plugin lets no other test use this fixture"
    benchmark.extra_info["help"] = experiment.help

    def timed(run: Callable[[Thing], object], given: Callable[[Path], AbstractContextManager[Thing]]) -> None:
        # pytest-benchmark leaves a round's teardown out when the run raises, and when it is disabled.
        with ExitStack() as round_:

            def setup() -> tuple[tuple[Thing], dict[str, Any]]:
                directory = round_.enter_context(TemporaryDirectory(dir=tmp_path, prefix="round-"))
                return (round_.enter_context(given(Path(directory))),), {}

            def teardown(_thing: Thing) -> None:
                round_.close()

            try:
                benchmark.pedantic(
                    run, setup=setup, teardown=teardown, rounds=request.config.getoption("rounds")
                )
            except BaseException:
                # A timeout is no Exception: without this, the rounds before it would be saved as a result.
                benchmark.has_error = True
                raise
        if benchmark.stats is not None:
            request.node.stash[MEASUREMENT] = _measurement(benchmark.stats.stats)

    return timed


def _measurement(stats: Any) -> Measurement:
    return Measurement(
        rounds=stats.rounds,
        stats={name: getattr(stats, name) for name in ("min", "max", "mean", "median", "stddev")},
    )
