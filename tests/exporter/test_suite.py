"""The suite as seen from the wrapper: the commands it is run with, and what its reports mean."""

import contextlib
import json
import signal
from pathlib import Path

import pytest

from exporter import suite as suite_module
from exporter.child import Ending
from exporter.stopping import Canceled, Stop
from exporter.suite import ExperimentsFileError, Suite, SuiteError, find_benchmarks
from tests.exporter.builders import experiment

ANNOUNCED = {
    "nodeid": "benchmarks/test_single_core.py::test_write[nrBlocks=1_blockByteSize=2]",
    "experiment": "write",
    "title": "Write experiment",
    "help": "Write hypercore blocks to disk.",
    "params": {"nrBlocks": 1, "blockByteSize": 2},
}
STATS = {"min": 0.1, "max": 0.3, "mean": 0.2, "median": 0.2, "stddev": 0.1}
PASSED = {
    "event": "finished",
    "outcome": "passed",
    "run_time_s": 0.2,
    "rounds": 3,
    "stats": STATS,
    "error": None,
}


def finished(outcome, error):
    return {
        "event": "finished",
        "outcome": outcome,
        "run_time_s": None,
        "rounds": 0,
        "stats": None,
        "error": error,
    }


def ending(*events, exit_status=0, timed_out=False, output=""):
    return Ending(exit_status, timed_out, [json.dumps(event).encode() for event in events], output)


class Children:
    """Stands in for run_child: remembers how it was called, and returns or raises what a test says."""

    def __init__(self):
        self.calls = []
        self.next = ending(PASSED)

    def run_child(self, command, **options):
        self.calls.append((command, options))
        if isinstance(self.next, Exception):
            raise self.next
        return self.next


@pytest.fixture
def children(monkeypatch):
    children = Children()
    monkeypatch.setattr(suite_module, "run_child", children.run_child)
    return children


@pytest.fixture
def work(tmp_path):
    path = tmp_path / "work"
    path.mkdir()
    return path


@pytest.fixture
def suite(children, work):
    return Suite(
        Path("/project/benchmarks"), experiments_file=None, work_directory=work, timeout_s=1800, stop=Stop()
    )


def test_the_collected_experiments_keep_their_order_and_parameters(suite, children):
    other = ANNOUNCED | {"experiment": "read", "params": {"nrBlocks": 3}}
    children.next = ending(
        {"event": "collected", "experiments": [ANNOUNCED, other], "not_available": ["download"]}
    )
    collection = suite.collect()
    assert [str(found) for found in collection.experiments] == [
        "Write experiment with params: nrBlocks: 1, blockByteSize: 2",
        "Write experiment with params: nrBlocks: 3",
    ]
    assert collection.experiments[0].key == "nrBlocks=1_blockByteSize=2"
    assert collection.not_available == ("download",)


def test_a_selection_without_experiments_is_no_error(suite, children):
    children.next = ending({"event": "collected", "experiments": [], "not_available": []}, exit_status=5)
    assert suite.collect().experiments == ()


def test_a_wrong_experiments_file_is_told_in_the_suites_words(suite, children):
    children.next = ending(exit_status=4, output="noise\nERROR: bad.json: write[0]: expected an object\n\n")
    with pytest.raises(ExperimentsFileError) as caught:
        suite.collect()
    assert str(caught.value) == "bad.json: write[0]: expected an object"


def test_what_pytest_printed_goes_with_an_error_that_does_not_say_why(suite, children):
    children.next = ending(exit_status=4, output="ImportError while loading conftest")
    with pytest.raises(SuiteError) as caught:
        suite.collect()
    assert not isinstance(caught.value, ExperimentsFileError)
    assert caught.value.output == "ImportError while loading conftest"


@pytest.mark.parametrize(
    ("failed", "message"),
    [
        pytest.param(ending(exit_status=2), "exited without a result .exit status 2.", id="broken-tests"),
        pytest.param(ending(exit_status=-11), "killed by signal SIGSEGV", id="crash"),
        pytest.param(ending(exit_status=-9, timed_out=True), "timed out", id="hangs"),
        pytest.param(ending(), "exited without a result", id="no-report"),
        pytest.param(
            ending({"event": "collected", "experiments": [ANNOUNCED], "not_available": []}, exit_status=2),
            "exited without a result .exit status 2.",
            id="some-tests-are-broken",
        ),
    ],
)
def test_a_suite_that_cannot_be_collected_is_an_error(suite, children, failed, message):
    children.next = failed
    with pytest.raises(SuiteError, match=message):
        suite.collect()


def test_a_passed_experiment_has_its_figures(suite):
    outcome = suite.run(experiment())
    assert outcome.passed
    assert (outcome.run_time_s, outcome.rounds, outcome.stats) == (0.2, 3, STATS)


@pytest.mark.parametrize(
    ("ended", "error"),
    [
        pytest.param(ending(finished("failed", "boom\nat line 3"), exit_status=1), "boom", id="failed"),
        pytest.param(ending(finished("failed", ""), exit_status=1), "failed", id="failed-without-a-word"),
        pytest.param(
            ending(finished("failed", "boom" * 1000), exit_status=1),
            "boom" * 250 + "...",
            id="failed-at-length",
        ),
        pytest.param(
            ending(finished("failed", "No such file: caf\udce9"), exit_status=1),
            "No such file: caf?",
            id="failed-at-a-file-whose-name-is-no-text",
        ),
        pytest.param(ending(finished("skipped", "no disk")), "no disk", id="skipped"),
        pytest.param(ending(exit_status=-signal.SIGSEGV), "killed by signal SIGSEGV", id="crashed"),
        pytest.param(ending(exit_status=-200), "killed by signal 200", id="signal-without-a-name"),
        pytest.param(ending(exit_status=-9, timed_out=True), "timed out after 1800 s", id="hung"),
        pytest.param(
            ending(PASSED, exit_status=-9, timed_out=True), "timed out after 1800 s", id="hung-at-the-end"
        ),
        pytest.param(ending(PASSED, exit_status=-6), "killed by signal SIGABRT", id="crashed-at-the-end"),
        pytest.param(ending(exit_status=1), "exited without a result (exit status 1)", id="no-result"),
        pytest.param(
            ending(PASSED | {"run_time_s": None}),
            "exited without a result (exit status 0)",
            id="not-measured",
        ),
    ],
)
def test_any_other_end_is_a_failure_with_its_reason(suite, children, ended, error):
    children.next = ended
    outcome = suite.run(experiment())
    assert not outcome.passed
    assert (outcome.run_time_s, outcome.error) == (None, error)


@pytest.mark.parametrize(
    "line", [b'{"event": "fini', b"[1]", b"\xff"], ids=["cut-off", "no-object", "no-text"]
)
def test_lines_that_are_no_events_are_passed_over(suite, children, line):
    children.next = Ending(0, False, [json.dumps(PASSED).encode(), line], "")
    assert suite.run(experiment()).passed


def test_an_experiment_that_cannot_be_started_failed(suite, children):
    children.next = OSError(12, "Cannot allocate memory")
    assert "Cannot allocate memory" in suite.run(experiment()).error


@pytest.mark.parametrize("end", [ending(PASSED), Canceled()], ids=["passed", "canceled"])
def test_the_temporary_files_are_removed_after_each_experiment(suite, children, work, end):
    children.next = end
    with contextlib.suppress(Canceled):
        suite.run(experiment())
    command, options = children.calls[0]
    assert command[command.index("--basetemp") + 1].startswith(str(work))
    assert options["environment"]["TMPDIR"].startswith(str(work))
    assert list(work.iterdir()) == []


def test_an_experiment_is_run_by_its_node_id_from_the_suites_root(suite, children):
    suite.run(experiment())
    command, options = children.calls[0]
    assert command[-1] == experiment().nodeid
    assert options["directory"] == Path("/project")
    assert options["timeout_s"] == 1800


def test_the_wrappers_environment_does_not_reach_into_the_measurement(suite, children, monkeypatch):
    monkeypatch.setenv("HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC", "other.json")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--rounds 100")
    monkeypatch.setenv("PYTEST_TIMEOUT", "1")
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    suite.run(experiment())
    command, options = children.calls[0]
    assert options["environment"]["PYTEST_TIMEOUT"] == "0"
    assert options["environment"]["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] == "1"
    assert "-pno:cacheprovider" in command
    assert not {"HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC", "PYTEST_ADDOPTS"} & set(options["environment"])
    assert not [argument for argument in command if argument.startswith("--experiments")]


def test_an_edit_of_the_experiments_file_does_not_change_what_runs(children, work, tmp_path):
    file = tmp_path / "sizes.json"
    file.write_text("before")
    suite = Suite(tmp_path, experiments_file=file, work_directory=work, timeout_s=1, stop=Stop())
    children.next = ending({"event": "collected", "experiments": [ANNOUNCED], "not_available": []})
    suite.collect()
    file.write_text("after")
    suite.run(experiment())
    collecting, running = (
        argument.removeprefix("--experiments=")
        for command, _ in children.calls
        for argument in command
        if argument.startswith("--experiments")
    )
    assert collecting == str(file)
    assert Path(running).read_text() == "before"


def test_the_experiments_beside_the_package_come_before_those_of_the_directory(tmp_path):
    for place in ("project", "here"):
        (tmp_path / place / "benchmarks").mkdir(parents=True)
        (tmp_path / place / "benchmarks" / "plugin.py").touch()
    package = tmp_path / "project" / "exporter"
    assert find_benchmarks(None, package, tmp_path / "here") == tmp_path / "project" / "benchmarks"
    assert (
        find_benchmarks(None, tmp_path / "elsewhere" / "exporter", tmp_path / "here")
        == tmp_path / "here" / "benchmarks"
    )


def test_a_missing_suite_is_an_error_that_names_where_it_was_looked_for(tmp_path):
    with pytest.raises(
        SuiteError, match=f"neither in {tmp_path}/benchmarks nor in {tmp_path}/here/benchmarks"
    ):
        find_benchmarks(None, tmp_path / "exporter", tmp_path / "here")


def test_chosen_experiments_come_before_all_others(tmp_path):
    assert find_benchmarks(tmp_path, tmp_path / "exporter", tmp_path) == tmp_path
    with pytest.raises(SuiteError, match="nowhere is not a directory"):
        find_benchmarks(tmp_path / "nowhere", tmp_path / "exporter", tmp_path)
