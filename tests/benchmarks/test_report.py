import os
import signal

import pytest

from tests.benchmarks.conftest import events, finished
from tests.exporter.processes import gone
from tests.waiting import wait_for

BODY = '''
import os, pytest
from contextlib import contextmanager
from benchmarks.experiments import sizes


@contextmanager
def given(directory):
    yield directory


@sizes({"nr_blocks": 1}, title="Toy")
def test_toy(measure, nr_blocks):
    """Be a toy.

    And more.
    """
    def run(directory):
        BODY

    measure(run, given)
'''

HANGING_GRANDCHILD = """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
        with open("pids.tmp", "w") as pids:
            print(os.getpid(), child.pid, file=pids)
        os.rename("pids.tmp", "pids")
        child.wait()
"""


def event_names(report: list[dict]) -> list[str]:
    """What was reported, in order."""
    return [event["event"] for event in report]


def test_a_run_reports_each_experiment_between_collected_and_done(toy):
    report = toy.report()
    assert event_names(report) == ["collected", *["started", "finished"] * 3, "done"]
    nodeids = [experiment["nodeid"] for experiment in report[0]["experiments"]]
    assert [event["nodeid"] for event in report[1:-1]] == [nodeid for nodeid in nodeids for _ in range(2)]
    assert report[-1] == {"event": "done", "exit_status": 0}


def test_collecting_reports_what_would_run_and_what_cannot_yet(toy):
    file = toy.write_file({"read": [{"nrBlocks": 1}], "downloadReadStream": [{}], "driveGet": []})
    assert toy.report("--collect-only", "--experiments", file)[0] == {
        "event": "collected",
        "experiments": [
            {
                "nodeid": "benchmarks/test_toy.py::test_read[nrBlocks=1]",
                "experiment": "read",
                "title": "Read experiment",
                "help": "Read toys.",
                "params": {"nrBlocks": 1},
            }
        ],
        "not_available": ["downloadReadStream"],
    }


def test_titles_and_parameters_are_the_experiments_own(toy):
    first = toy.report("--collect-only")[0]["experiments"][0]
    assert first["title"] == "Bee toy"
    assert list(first["params"].items()) == [("nrEntries", 1), ("entryByteSize", 2)]


def test_what_the_user_deselects_is_not_announced(toy):
    assert toy.ids("-k", "read") == ["test_read[nrBlocks=10]"]


def test_a_result_has_its_run_time_rounds_and_statistics(toy):
    event = finished(toy.report("--rounds=5", "-k", "read"))
    assert (event["outcome"], event["rounds"], event["error"]) == ("passed", 5, None)
    assert event["run_time_s"] == event["stats"]["median"] > 0
    assert list(event["stats"]) == ["min", "max", "mean", "median", "stddev"]
    assert event["help"] == "Read toys."


@pytest.mark.parametrize(
    ("body", "arguments", "outcome", "error"),
    [
        pytest.param("raise OSError('disk full')", (), "failed", "disk full", id="failing"),
        pytest.param("while True: pass", ("--timeout=0.2",), "failed", "Timeout", id="hanging"),
        pytest.param("pytest.skip('no disk')", (), "skipped", "no disk", id="skipping"),
        pytest.param("pass", ("--benchmark-disable",), "passed", None, id="disabled"),
    ],
)
def test_without_rounds_there_is_no_result(toy, body, arguments, outcome, error):
    toy.write(BODY.replace("BODY", body))
    event = finished(toy.report(*arguments))
    assert (event["outcome"], event["run_time_s"], event["rounds"], event["stats"]) == (
        outcome,
        None,
        0,
        None,
    )
    assert error in event["error"] if error else event["error"] is None


def test_an_experiment_that_is_skipped_says_why_and_not_where(toy):
    toy.write(BODY.replace("BODY", "pytest.skip('no disk')"))
    assert finished(toy.report())["error"] == "Skipped: no disk"


def test_what_was_measured_before_a_later_step_failed_is_no_result(toy):
    source = BODY.replace("BODY", "pass").replace(
        "measure(run, given)", "measure(run, given)\n    assert 0, 'later'"
    )
    toy.write(source)
    event = finished(toy.report())
    assert (event["outcome"], event["run_time_s"], event["rounds"], event["stats"]) == (
        "failed",
        None,
        0,
        None,
    )
    assert "later" in event["error"]


def test_a_crash_leaves_the_report_without_an_end(toy):
    toy.write(BODY.replace("BODY", "os._exit(3)"))
    with toy.child() as (_child, report):
        assert event_names(events(report)) == ["collected", "started"]


def test_a_wrong_file_ends_the_report_before_anything_is_announced(toy):
    report = toy.report("--experiments", toy.write_file({"read": [{}]}))
    assert report == [{"event": "done", "exit_status": 4}]


def test_a_suite_that_cannot_be_imported_is_not_a_success(toy):
    toy.write("import no_such_module")
    assert toy.report()[-1] == {"event": "done", "exit_status": 2}


@pytest.mark.parametrize("fd", ["-1", "999", str(2**40), "x"])
def test_a_descriptor_that_is_not_open_is_a_usage_error(toy, fd):
    result = toy.run("--report-fd", fd)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--report-fd: expected an open file descriptor, found '{fd}'"])


def process_ids(toy) -> list[int]:
    """The ids of a hanging experiment's process and of the process it started."""
    path = toy.pytester.path / "pids"
    wait_for(path.exists, "the experiment to start")
    return [int(pid) for pid in path.read_text().split()]


def test_when_the_reader_is_gone_a_hanging_run_is_killed_with_all_its_processes(toy):
    toy.write(BODY.replace("BODY", HANGING_GRANDCHILD))
    with toy.child() as (child, report):
        _, grandchild = process_ids(toy)
        report.close()
        assert child.wait(30) == -signal.SIGKILL
    wait_for(lambda: gone(grandchild), "the experiment's own child to end")


def test_a_run_that_shares_its_process_group_is_killed_alone(toy):
    toy.write(BODY.replace("BODY", HANGING_GRANDCHILD))
    with toy.child(own_group=False) as (child, report):
        _, grandchild = process_ids(toy)
        report.close()
        assert child.wait(30) == -signal.SIGKILL
    assert not gone(grandchild)
    os.kill(grandchild, signal.SIGKILL)


def test_a_reader_that_stays_gets_everything(toy):
    with toy.child("-m", "quick") as (child, report):
        assert event_names(events(report)) == ["collected", *["started", "finished"] * 2, "done"]
        assert child.wait(30) == 0
