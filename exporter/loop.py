"""The loop: round after round of all experiments, each result stored and shown as it comes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

from exporter.board import Board
from exporter.experiment import Experiment, Outcome, Result
from exporter.stopping import Canceled, Stop
from hypercore.errors import HypercoreError

_DAY_S = 86_400

log = logging.getLogger(__name__)


class Runner(Protocol):
    """Runs one experiment."""

    def run(self, experiment: Experiment) -> Outcome:
        """Run it; ``Canceled`` when the process was asked to stop."""


class Archive(Protocol):
    """Keeps results."""

    def put(self, result: Result, outcome: Outcome) -> None:
        """Store one; ``HypercoreError`` or ``OSError`` when that fails."""

    def forget(self, before_ms: int, now_ms: int) -> int:
        """Forget the history before a time, how many results; ``HypercoreError`` when that fails."""


class Loop:
    """Runs the experiments of a board again and again."""

    def __init__(
        self,
        suite: Runner,
        results: Archive,
        board: Board,
        *,
        interval_s: float,
        history_days: int = 0,
        stop: Stop,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._suite = suite
        self._results = results
        self._board = board
        self._interval_s = interval_s
        self._history_days = history_days
        self._forgotten_s: float | None = None
        self._stop = stop
        self._clock = clock
        self._now = now

    def run(self) -> None:
        """Run rounds until told to stop, with ``interval_s`` seconds from the start of one to the next."""
        while not self._stop.is_set():
            start = self._clock()
            try:
                self.run_round()
            except Canceled:
                return
            rest = self._interval_s - (self._clock() - start)
            if rest > 0:
                log.info("Next round in %.0fs", rest)
                self._stop.wait(rest)

    def run_round(self) -> bool:
        """Run every experiment once, in order; whether all passed.

        Raises:
            Canceled: the process was asked to stop before the end.
        """
        start = self._clock()
        experiments = self._board.current.experiments
        passed, warned = 0, False
        for position, experiment in enumerate(experiments, start=1):
            if self._stop.is_set():
                raise Canceled
            passed += self._run_one(experiment, position, len(experiments))
            if not warned and self._clock() - start > self._interval_s:
                warned = True
                log.warning("Previous experiment still running. Needs a bigger interval?")
        duration = self._clock() - start
        self._board.round_finished(duration)
        log.info(
            "Round %d finished in %.1fs: %d passed, %d failed",
            self._board.current.rounds,
            duration,
            passed,
            len(experiments) - passed,
        )
        self._forget()
        return passed == len(experiments)

    def _forget(self) -> None:
        """Forget what is older than the history that is to be kept, once a day."""
        passed_s = self._clock()
        if not self._history_days or (
            self._forgotten_s is not None and passed_s - self._forgotten_s < _DAY_S
        ):
            return
        self._forgotten_s = passed_s
        now = self._now()
        try:
            before = now - self._history_days * _DAY_S
            forgotten = self._results.forget(int(before * 1000), int(now * 1000))
        except (HypercoreError, OSError) as error:
            log.error("Old results could not be forgotten: %s", error)
            return
        if forgotten:
            log.info("Forgot %d results of more than %d days ago", forgotten, self._history_days)

    def _run_one(self, experiment: Experiment, position: int, total: int) -> bool:
        fields: dict[str, object] = {"experiment": experiment.name, "params": dict(experiment.params)}
        fields |= {"position": position, "total": total}
        log.info("Running %s", experiment, extra=fields)
        self._board.started(experiment)
        try:
            outcome = self._suite.run(experiment)
        except Canceled:
            message = "Canceling experiment '%s' because the runner is shutting down"
            log.info(message, experiment, extra=fields)
            raise
        result = Result(experiment, outcome.run_time_s, int(self._now() * 1000), outcome.error)
        self._board.finished(result)
        if outcome.passed:
            fields["runTimeS"] = outcome.run_time_s
            log.info("Finished %s in %.6fs", experiment, outcome.run_time_s, extra=fields)
        else:
            fields |= {"error": outcome.error, "output": outcome.output}
            log.error("%s failed: %s", experiment, outcome.error, extra=fields)
        self._store(result, outcome)
        return outcome.passed

    def _store(self, result: Result, outcome: Outcome) -> None:
        try:
            self._results.put(result, outcome)
        except (HypercoreError, OSError) as error:
            self._board.not_stored()
            log.error("The result of %s could not be stored: %s", result.experiment, error)
