"""A toy suite: experiments that need no Hypercore, run by a pytest inside the test."""

import configparser
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pytest

PROJECT = Path(__file__).resolve().parents[2]

TOY = '''
from contextlib import contextmanager

from benchmarks.experiments import sizes


@contextmanager
def given(directory):
    yield directory


@sizes({"nr_entries": 1, "entry_byte_size": 2}, {"nr_entries": 3, "entry_byte_size": 4}, title="Bee toy")
def test_bee_write(measure, nr_entries, entry_byte_size):
    """Put toys."""
    measure(lambda directory: None, given)


@sizes({"nr_blocks": 10})
def test_read(measure, nr_blocks):
    """Read toys."""
    measure(lambda directory: None, given)
'''


@dataclass
class Toy:
    """A directory with experiments, and what to do with it."""

    pytester: pytest.Pytester

    def write(self, experiments: str) -> None:
        """Replace the experiments."""
        (self.pytester.path / "benchmarks" / "test_toy.py").write_text(experiments)

    def write_file(self, content: object, name: str = "experiments.json") -> str:
        """Write an experiments file, and return its name."""
        self.pytester.path.joinpath(name).write_text(json.dumps(content))
        return name

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest on the experiments, in this process."""
        return self.pytester.runpytest_inprocess("benchmarks", *arguments)

    def report(self, *arguments: str) -> list[dict[str, Any]]:
        """The events that a run in this process reports."""
        path = self.pytester.path / "report.jsonl"
        with path.open("w") as file:
            self.run(*arguments, "--report-fd", str(file.fileno()))
        with path.open() as file:
            return events(file)

    @contextmanager
    def child(
        self, *arguments: str, own_group: bool = True
    ) -> Iterator[tuple[subprocess.Popen[str], TextIO]]:
        """Run pytest on the experiments in a process of its own, with the reading end of its report."""
        read_fd, write_fd = os.pipe()
        with open(read_fd, encoding="utf-8") as report:
            try:
                child = subprocess.Popen(
                    [sys.executable, "-m", "pytest", "benchmarks", "--report-fd", str(write_fd), *arguments],
                    pass_fds=[write_fd],
                    start_new_session=own_group,
                    stdout=subprocess.DEVNULL,
                    text=True,
                )
            finally:
                os.close(write_fd)
            with child:
                yield child, report

    def ids(self, *arguments: str) -> list[str]:
        """The names of the tests that a run would run, in order."""
        collected = self.report("--collect-only", *arguments)[0]
        return [experiment["nodeid"].partition("::")[2] for experiment in collected["experiments"]]


@pytest.fixture
def toy(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """The toy suite, with the plugin and the strictness of the real one."""
    for name in ("HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC", "PYTEST_TIMEOUT", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    strictness = configparser.ConfigParser(interpolation=None)
    strictness.read(PROJECT / "pytest.ini")
    filters = strictness["pytest"]["filterwarnings"].replace("\n", "\n    ")
    pytester.makeini(f"[pytest]\naddopts = --strict-markers\nfilterwarnings = {filters}\n")
    pytester.makeconftest('pytest_plugins = ["benchmarks.plugin"]')
    pytester.mkdir("benchmarks")
    toy = Toy(pytester)
    toy.write(TOY)
    return toy


def events(report: Iterable[str]) -> list[dict[str, Any]]:
    """The events of a report."""
    return [json.loads(line) for line in report]


def finished(report: list[dict[str, Any]]) -> Mapping[str, Any]:
    """The first experiment's end."""
    return next(event for event in report if event["event"] == "finished")
