"""The pytest plugin of the experiments: its options, and which experiments run at which sizes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import pytest

from benchmarks import experiments_file, measuring
from benchmarks.experiments import MARKER, Experiment, case_id, experiment_of
from benchmarks.experiments_file import ExperimentsFile, ExperimentsFileError
from benchmarks.report import ReportStream

EXPERIMENTS_FILE_VARIABLE = "HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC"
TIMEOUT_S = 30 * 60

_BENCHMARKS = Path(__file__).resolve().parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the experiments."""
    group = parser.getgroup("experiments", "experiments of the scale tests")
    group.addoption(
        "--experiments",
        metavar="FILE",
        help="JSON file with the experiments to run and their sizes, instead of the built-in ones "
        f"(default: the environment variable {EXPERIMENTS_FILE_VARIABLE})",
    )
    group.addoption(
        "--rounds",
        type=_rounds,
        default=3,
        metavar="N",
        help="times to run each experiment (default: %(default)s)",
    )
    group.addoption(
        "--report-fd",
        type=_open_descriptor,
        metavar="FD",
        help="write what happens to this inherited file descriptor, one JSON object a line; "
        "if it is a pipe and its reader goes away, the whole run is killed",
    )


def _rounds(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a whole number >= 1, found {text!r}")
    return int(text)


def _open_descriptor(text: str) -> int:
    try:
        os.fstat(int(text))
    except (ValueError, OSError, OverflowError):
        raise argparse.ArgumentTypeError(f"expected an open file descriptor, found {text!r}") from None
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Set up the selection and the report.

    Raises:
        pytest.UsageError: an option cannot be used.
    """
    config.addinivalue_line(
        "markers", f"{MARKER}(*cases, title=None): an experiment; set by benchmarks.experiments.sizes"
    )
    config.addinivalue_line("markers", "quick: an experiment at the first of its sizes")
    config.pluginmanager.register(measuring, "experiment-measuring")
    selection = Selection(config)
    config.pluginmanager.register(selection, "experiment-selection")
    fd = config.getoption("report_fd")
    if fd is not None:
        config.pluginmanager.register(ReportStream(fd, selection.not_available), "experiment-report")


class Selection:
    """A pytest plugin that decides which experiments run, at which sizes and under which conditions.

    Raises:
        pytest.UsageError: the options cannot be used together, or the file of ``--experiments`` is wrong.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._seen: dict[str, str] = {}
        self._problem: str | None = None
        self._refuse_parallel_runs()
        if config.getoption("experiments") and self._file is None:
            raise pytest.UsageError(self._problem)

    @cached_property
    def _file(self) -> ExperimentsFile | None:
        """The experiments file; one that the variable names is only read when there are experiments."""
        name = self._config.getoption("experiments") or os.environ.get(EXPERIMENTS_FILE_VARIABLE)
        try:
            return experiments_file.read(self._config.invocation_params.dir / name, name) if name else None
        except ExperimentsFileError as error:
            self._fail(str(error))
            return None

    def not_available(self) -> Sequence[str]:
        """The keys of the file for which there is no experiment, if every experiment was looked at."""
        if not self._seen or self._file is None or not self._looked_everywhere():
            return []
        return [key for key, cases in self._file.cases_by_key.items() if cases and key not in self._seen]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give an experiment its sizes."""
        experiment = experiment_of(metafunc.definition)
        if experiment is None:
            return
        nodeid = self._seen.setdefault(experiment.key, metafunc.definition.nodeid)
        if nodeid != metafunc.definition.nodeid:
            self._fail(
                f"{nodeid} and {metafunc.definition.nodeid} have the same name: they would be one metric"
            )
        # Without a case pytest would make this a skipped test; deselecting it later needs one.
        cases = self._cases(experiment) or experiment.defaults[:1]
        metafunc.parametrize(
            experiment.parameters,
            [
                pytest.param(
                    *case.values(), id=case_id(case), marks=[pytest.mark.quick] if case is cases[0] else []
                )
                for case in cases
            ],
        )

    def _cases(self, experiment: Experiment) -> Sequence[Mapping[str, int]]:
        try:
            return experiment.defaults if self._file is None else self._file.cases(experiment)
        except ExperimentsFileError as error:
            self._fail(str(error))
            return []

    def _fail(self, problem: str) -> None:
        """Remember the first problem: while it is collecting, pytest would make a traceback of it."""
        self._problem = self._problem or problem

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what the file does not name, and set the conditions under which experiments run.

        Raises:
            pytest.UsageError: the file does not fit the experiments, or an experiment is incomplete.
        """
        selected: list[pytest.Item] = []
        deselected: list[pytest.Item] = []
        for item in items:
            experiment = self._complete_experiment(item)
            if experiment:
                self._set_conditions(item, experiment)
            (selected if experiment is None or self._wanted(experiment) else deselected).append(item)
        if self._problem:
            raise pytest.UsageError(self._problem)
        if deselected:
            self._config.hook.pytest_deselected(items=deselected)
            items[:] = selected
        if not items and self._seen and self._file and self._looked_everywhere():
            available = ", ".join(self._seen)
            raise pytest.UsageError(f"{self._file.name}: selects no experiment, available: {available}")

    def _complete_experiment(self, item: pytest.Item) -> Experiment | None:
        if not isinstance(item, pytest.Function):
            return None
        experiment = experiment_of(item)
        measures = "measure" in item.fixturenames
        if experiment and not experiment.help:
            self._fail(f"{item.nodeid}: needs a docstring, whose first line is the metric's help")
        if experiment and not measures:
            self._fail(f"{item.nodeid}: needs the fixture measure")
        if measures and not experiment:
            self._fail(f"{item.nodeid}: needs the decorator sizes")
        return experiment

    def _wanted(self, experiment: Experiment) -> bool:
        return self._file is None or bool(self._file.cases_by_key.get(experiment.key))

    def _set_conditions(self, item: pytest.Item, experiment: Experiment) -> None:
        item.add_marker(pytest.mark.benchmark(group=experiment.name, disable_gc=True))
        if self._config.getoption("timeout") is None and "PYTEST_TIMEOUT" not in os.environ:
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))

    def pytest_report_collectionfinish(self) -> str | None:
        """Say which of the file's experiments do not exist yet."""
        not_available = self.not_available()
        if self._file is None or not not_available:
            return None
        keys = ", ".join(map(experiments_file.shown_key, not_available))
        return f"{self._file.name}: not available yet: {keys}"

    def _looked_everywhere(self) -> bool:
        """Whether only directories were named: a single test says nothing about other experiments."""
        return all((self._config.invocation_params.dir / argument).is_dir() for argument in self._config.args)

    def _refuse_parallel_runs(self) -> None:
        """Tests may run in parallel (pytest-xdist); experiments would measure each other."""
        if not self._config.getoption("numprocesses", None):
            return
        for argument in self._config.args:
            path = (self._config.invocation_params.dir / argument.partition("::")[0]).resolve()
            if path.is_relative_to(_BENCHMARKS) or _BENCHMARKS.is_relative_to(path):
                raise pytest.UsageError(
                    "-n: experiments cannot run in parallel, they would slow each other down"
                )
