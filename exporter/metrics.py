"""The board as Prometheus metrics.

``hypercorescale_<experiment>{...}`` keeps what existing dashboards know: the name, the order of the labels,
and -1 for a failed run. The metrics beside it follow Prometheus' conventions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from exporter.board import Board, Snapshot
from exporter.experiment import FAILED_RUN_TIME, Experiment, Result
from exporter.provenance import PROJECT, Provenance

PREFIX = "hypercorescale"


class _Label(str):
    """A label's name that sorts by position, as prometheus_client sorts labels and ours have an order."""

    position: int

    def __new__(cls, name: str, position: int) -> _Label:
        label = super().__new__(cls, name)
        label.position = position
        return label

    def __lt__(self, other: str) -> bool:
        return self.position < other.position if isinstance(other, _Label) else super().__lt__(other)


def registry_of(board: Board, provenance: Provenance) -> CollectorRegistry:
    """A registry of its own, with what the board shows at the moment it is asked."""
    registry = CollectorRegistry()
    registry.register(_BoardCollector(board, provenance))
    return registry


class _BoardCollector(Collector):
    def __init__(self, board: Board, provenance: Provenance) -> None:
        self._board = board
        self._provenance = provenance

    def collect(self) -> Iterator[Metric]:
        snapshot = self._board.current
        for group in _by_name(snapshot.experiments):
            yield from _experiment_metrics(group, snapshot)
        yield from _process_metrics(snapshot)
        yield _info(self._provenance)


def _by_name(experiments: Iterable[Experiment]) -> list[list[Experiment]]:
    groups: dict[str, list[Experiment]] = {}
    for experiment in experiments:
        groups.setdefault(experiment.name, []).append(experiment)
    return list(groups.values())


def _experiment_metrics(group: Sequence[Experiment], snapshot: Snapshot) -> Iterator[Metric]:
    results = [result for experiment in group if (result := snapshot.result(experiment))]
    passed = [result for result in results if result.success]
    name, description = f"{PREFIX}_{group[0].name}", group[0].help.rstrip(".")
    yield _gauge(
        name,
        f"{description}: seconds of the last run, the median of its rounds, -1 when it failed",
        results,
        lambda result: FAILED_RUN_TIME if result.run_time_s is None else result.run_time_s,
    )
    yield _gauge(
        f"{name}_seconds",
        f"{description}: seconds of the last run, the median of its rounds, missing when it failed",
        passed,
        lambda result: result.run_time_s or 0.0,
    )
    yield _gauge(
        f"{name}_success",
        f"{description}: whether the last run passed",
        results,
        lambda result: result.success,
    )
    yield _gauge(
        f"{name}_timestamp_seconds",
        f"{description}: when the last run ended, in seconds since 1970",
        results,
        lambda result: result.timestamp_ms / 1000,
    )


def _gauge(name: str, help_: str, results: Iterable[Result], value: Callable[[Result], float]) -> Metric:
    family = GaugeMetricFamily(name, help_)
    for result in results:
        labels: dict[str, str] = {
            _Label(_snake_case(param), position): str(param_value)
            for position, (param, param_value) in enumerate(result.experiment.params.items())
        }
        family.add_sample(name, labels, value(result))
    return family


def _snake_case(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter.group().lower()}", name)


def _process_metrics(snapshot: Snapshot) -> Iterator[Metric]:
    runs = CounterMetricFamily(
        f"{PREFIX}_runs",
        "Runs of experiments since the start of the process",
        labels=["experiment", "outcome"],
    )
    for labels, count in snapshot.runs.items():
        runs.add_metric(labels, count)
    yield runs
    yield CounterMetricFamily(
        f"{PREFIX}_results_not_stored",
        "Results that could not be stored since the start of the process",
        value=snapshot.not_stored,
    )
    yield CounterMetricFamily(
        f"{PREFIX}_rounds", "Rounds of all experiments since the start of the process", value=snapshot.rounds
    )
    yield GaugeMetricFamily(
        f"{PREFIX}_round_duration_seconds", "How long the last round took", value=snapshot.last_round_s
    )


def _info(provenance: Provenance) -> Metric:
    versions = provenance.versions
    return InfoMetricFamily(
        PREFIX,
        "What is being measured",
        value={
            "revision": provenance.revision,
            "version": versions.get(PROJECT, ""),
            "python_version": versions["python"],
        },
    )
