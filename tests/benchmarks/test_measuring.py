import json

import pytest

from tests.benchmarks.conftest import finished

HEAD = """
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.experiments import sizes
from clock import advance

seen = []
"""

SLOW_PREPARATION = (
    HEAD
    + '''
@contextmanager
def given(directory):
    advance(100)
    yield directory
    advance(1000)


@sizes({"n": 1})
def test_toy(measure, n):
    """Measure a toy."""
    measure(lambda directory: advance(1), given)
'''
)

CLOCK = """
time = 0.0

def now():
    return time

def advance(seconds):
    global time
    time += seconds
"""

JOURNAL = (
    HEAD
    + '''
import gc

def note(word):
    with open("journal", "a") as journal:
        print(word, file=journal)


@contextmanager
def given(directory):
    (directory / "data").write_text("x")
    note(f"open {len(list(directory.parent.iterdir()))}")
    try:
        yield directory
        note("check")
    finally:
        note("close")


@sizes({"n": 1})
def test_toy(measure, n):
    """Measure a toy."""
    def run(directory):
        note("run" if not gc.isenabled() else "run with garbage collector")
        BODY

    measure(run, given)
'''
)


@pytest.fixture(autouse=True)
def clock(toy):
    """A clock that only advances when an experiment says so: ``--benchmark-timer=clock.now``."""
    toy.pytester.makepyfile(clock=CLOCK)
    toy.pytester.syspathinsert()


def journal(toy, *arguments: str, body: str = "pass") -> list[str]:
    """What an experiment with that body did, in order; it leaves no data behind, ever."""
    toy.write(JOURNAL.replace("BODY", body))
    toy.run(*arguments, "--basetemp=temporary")
    assert list(toy.pytester.path.glob("temporary/**/round-*")) == []
    return toy.pytester.path.joinpath("journal").read_text().splitlines()


def test_only_the_run_is_timed(toy):
    toy.write(SLOW_PREPARATION)
    stats = {"min": 1, "max": 1, "mean": 1, "median": 1, "stddev": 0}
    event = finished(toy.report("--benchmark-timer=clock.now"))
    assert (event["run_time_s"], event["stats"]) == (1, stats)


def test_the_result_is_the_median_of_the_rounds(toy):
    toy.write(SLOW_PREPARATION.replace("advance(1)", "advance(seen.append(0) or 10 ** len(seen))"))
    event = finished(toy.report("--benchmark-timer=clock.now"))
    assert (event["run_time_s"], event["rounds"]) == (100, 3)


def test_each_round_has_an_empty_directory_and_no_garbage_collector(toy):
    assert journal(toy, "--rounds=2") == ["open 1", "run", "check", "close"] * 2


def test_a_disabled_benchmark_runs_once_and_is_closed(toy):
    assert journal(toy, "--benchmark-disable") == ["open 1", "run with garbage collector", "check", "close"]


@pytest.mark.parametrize(
    ("body", "arguments"),
    [
        pytest.param("raise OSError", (), id="failure"),
        pytest.param("while True: pass", ("--timeout=0.2",), id="timeout"),
        pytest.param("raise SystemExit", (), id="exit"),
    ],
)
def test_a_run_that_is_cut_short_is_closed_and_not_checked(toy, body, arguments):
    assert journal(toy, *arguments, body=body) == ["open 1", "run", "close"]


def test_a_check_that_fails_after_the_run_fails_the_experiment(toy):
    toy.write(SLOW_PREPARATION.replace("advance(1000)", "assert False, 'no work was done'"))
    event = finished(toy.report())
    assert (event["outcome"], event["run_time_s"]) == ("failed", None)
    assert "no work was done" in event["error"]


def test_the_rounds_before_a_timeout_are_no_result(toy):
    body = "seen.append(0)\n        while len(seen) > 1: pass"
    journal(toy, "--timeout=0.2", "--benchmark-json=saved.json", body=body)
    assert json.loads(toy.pytester.path.joinpath("saved.json").read_text())["benchmarks"] == []
