"""The report: what happens in a run, as one JSON object a line on an inherited file descriptor.

    {"event": "collected", "experiments": [{"nodeid", "experiment", "title", "help", "params"}, ...],
     "not_available": ["download", ...]}
    {"event": "started", "nodeid"}
    {"event": "finished", "nodeid", "outcome": "passed" | "failed" | "skipped", "run_time_s": seconds or null,
     "rounds", "stats": {"min", "max", "mean", "median", "stddev"} or null, "error": text or null, "help"}
    {"event": "done", "exit_status"}

The reader is the process that started this one. When it is gone, nobody wants the results: the run ends.
"""

from __future__ import annotations

import json
import os
import select
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any

import pytest

from benchmarks.experiments import camel_case, experiment_of
from benchmarks.measuring import MEASUREMENT


class ReportStream:
    """A pytest plugin that writes the report of this run to the open descriptor ``fd``."""

    def __init__(self, fd: int, not_available: Callable[[], Sequence[str]]) -> None:
        self._lines = open(fd, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 (see pytest_unconfigure)
        self._not_available = not_available
        self._test_reports: list[pytest.TestReport] = []
        self._watch = _ReaderWatch(fd)

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self, session: pytest.Session) -> Generator[None, object, object]:
        """Announce what will run, once every selection is made."""
        result = yield
        tests = [item for item in session.items if isinstance(item, pytest.Function)]
        experiments = [announced for test in tests if (announced := _announced(test))]
        self._write("collected", experiments=experiments, not_available=self._not_available())
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Announce one experiment's start and its end, teardown included."""
        experiment = experiment_of(item) if isinstance(item, pytest.Function) else None
        if experiment is None:
            return (yield)
        self._test_reports = []
        self._write("started", nodeid=item.nodeid)
        result = yield
        outcome, error = _outcome(self._test_reports)
        # What was measured before a later step failed is no result.
        measurement = item.stash.get(MEASUREMENT, None) if outcome == "passed" else None
        self._write(
            "finished",
            nodeid=item.nodeid,
            outcome=outcome,
            run_time_s=measurement and measurement.run_time_s,
            rounds=measurement.rounds if measurement else 0,
            stats=measurement and measurement.stats,
            error=error,
            help=experiment.help,
        )
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep how setup, call and teardown went."""
        self._test_reports.append(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Say that nothing more will come."""
        self._write("done", exit_status=int(exitstatus))

    def pytest_unconfigure(self) -> None:
        """Leave the descriptor to its owner."""
        self._watch.stop()
        self._lines.close()

    def _write(self, event: str, **fields: Any) -> None:
        self._lines.write(json.dumps({"event": event, **fields}) + "\n")
        self._lines.flush()


def _announced(test: pytest.Function) -> dict[str, Any] | None:
    experiment = experiment_of(test)
    if experiment is None:
        return None
    return {
        "nodeid": test.nodeid,
        "experiment": experiment.name,
        "title": experiment.title,
        "help": experiment.help,
        "params": {camel_case(name): test.callspec.params[name] for name in experiment.parameters},
    }


def _outcome(reports: Sequence[pytest.TestReport]) -> tuple[str, str | None]:
    for report in reports:
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            return "failed", crash.message if crash else report.longreprtext
        if report.skipped:
            where_and_why = report.longrepr
            return "skipped", where_and_why[2] if isinstance(where_and_why, tuple) else report.longreprtext
    return "passed", None


class _ReaderWatch:
    """Kills this process, and its group if it leads one, when the other end of the pipe ``fd`` is closed.

    It waits for the report's own pipe to break, not for the end of standard input: pytest's capturing puts
    /dev/null there. The kernel wakes it, so it costs the experiments nothing; and it kills, because an
    experiment may be stuck where no Python code runs. A ``fd`` that is no pipe and no socket never breaks.
    """

    def __init__(self, fd: int) -> None:
        stopped_fd, self._stop_fd = os.pipe()
        self._thread = threading.Thread(target=self._watch, args=(fd, stopped_fd), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        os.close(self._stop_fd)
        self._thread.join()

    @staticmethod
    def _watch(fd: int, stopped_fd: int) -> None:
        poll = select.poll()
        for watched in (fd, stopped_fd):
            poll.register(watched, 0)  # no events: broken pipes are always reported
        ready = [broken for broken, _ in poll.poll()]
        os.close(stopped_fd)
        if stopped_fd in ready:
            return
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
