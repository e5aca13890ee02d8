"""What can be seen from outside: an immutable snapshot, replaced by the loop, read by the HTTP threads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from exporter.experiment import Experiment, Result


@dataclass(frozen=True)
class Snapshot:
    """The experiments in order, the last result of each, and the counters of this process."""

    experiments: tuple[Experiment, ...] = ()
    results: Mapping[str, Result] = field(default_factory=dict)
    runs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    not_stored: int = 0
    rounds: int = 0
    last_round_s: float | None = None
    running: Experiment | None = None

    def result(self, experiment: Experiment) -> Result | None:
        """The last result of that experiment, also from before this process started."""
        return self.results.get(experiment.nodeid)


class Board:
    """Holds the current snapshot. One thread changes it; any thread may read ``current`` at any time."""

    def __init__(self, experiments: Iterable[Experiment], stored: Iterable[Result] = ()) -> None:
        experiments = tuple(experiments)
        names = dict.fromkeys(experiment.name for experiment in experiments)
        self.current = Snapshot(
            experiments=experiments,
            results={result.experiment.nodeid: result for result in stored},
            runs={(name, outcome): 0 for name in names for outcome in ("passed", "failed")},
        )

    def started(self, experiment: Experiment) -> None:
        """An experiment begins."""
        self.current = replace(self.current, running=experiment)

    def finished(self, result: Result) -> None:
        """An experiment came to its end."""
        now = self.current
        counter = (result.experiment.name, "passed" if result.success else "failed")
        self.current = replace(
            now,
            running=None,
            results={**now.results, result.experiment.nodeid: result},
            runs={**now.runs, counter: now.runs.get(counter, 0) + 1},
        )

    def not_stored(self) -> None:
        """A result could not be stored: a restart would lose it."""
        self.current = replace(self.current, not_stored=self.current.not_stored + 1)

    def round_finished(self, duration_s: float) -> None:
        """All experiments ran once more."""
        self.current = replace(self.current, rounds=self.current.rounds + 1, last_round_s=duration_s)
