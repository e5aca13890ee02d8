"""The comparison of downloads, without Node: a Python program plays it."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.peers import __main__ as command_line
from benchmarks.peers import environment, replication
from benchmarks.peers.__main__ import main
from benchmarks.peers.replication import OPERATIONS, TABLE
from tests.benchmarks import node_double

PROJECT = Path(__file__).parents[2]
COPIES = {"download_50_cores": (50, 4), "download_20_readers": (20, 10)}


@pytest.fixture
def node(monkeypatch):
    """Node is a Python program."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setattr(replication, "find_node", lambda: [sys.executable, node_double.__file__])


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("operation", OPERATIONS.keys() - {"serve_node"})
def test_our_side_prints_its_time_and_what_came(operation, tmp_path, capsys):
    replication.main([operation, str(tmp_path), "200", "20"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["seconds"] > 0
    copies, length = COPIES.get(operation, (1, 200))
    assert len(printed["outcome"]) == copies
    for copy in printed["outcome"]:
        assert copy["length"] == copy["contiguousLength"] == length
        assert copy["byteLength"] == 20 * length


@pytest.mark.usefixtures("node")
def test_the_time_of_a_node_client_is_what_it_says_itself(tmp_path, capsys):
    replication.main(["serve_node", str(tmp_path), "200", "20"])
    printed = json.loads(capsys.readouterr().out)
    assert printed == {"seconds": 1.5, "outcome": [{"length": 200}]}


def test_all_operations_are_in_the_table():
    assert list(dict.fromkeys(experiment.operation for experiment in TABLE)) == list(OPERATIONS)


def test_the_reference_has_the_same_operations():
    script = Path(replication.__file__).with_suffix(".mjs").read_text()
    assert [name for name in OPERATIONS if f"\n  {name}: " not in script] == []


def test_the_command_line_compares_the_programs_of_replication(monkeypatch, capsys):
    programs = []

    def command(program):
        programs.append(program)
        result = json.dumps({"seconds": 2 if program.endswith(".mjs") else 1, "outcome": []})
        return [sys.executable, "-c", f"print({result!r})"]

    monkeypatch.setattr(command_line, "install", lambda project: None)
    monkeypatch.setattr(command_line, "reference_command", command)
    monkeypatch.setattr(command_line, "ours_command", command)
    monkeypatch.setattr(environment, "reference", lambda: {"node": "20.0.0"})
    assert main(["replication", "--pairs=1", "--experiments=download", "--block-size=7", "--markdown"]) == 0
    printed = capsys.readouterr()
    assert programs == ["replication.mjs", "replication"] * 2
    assert "| download | 10,000 x 7 B | 200.00 | 100.00 | 2.00 | 2.00 - 2.00 |" in printed.out
    assert f"* `download`: {replication.download.__doc__}" in printed.out
    assert "[2/2] download 1,000 x 7 B, pair 1/1" in printed.err


@pytest.mark.parametrize("arguments", [["--experiments=append"], ["--pairs=0"]])
def test_wrong_options_are_refused(arguments):
    with pytest.raises(SystemExit) as exit_:
        main(["replication", *arguments])
    assert exit_.value.code == 2
