import json

import pytest
from pytest_benchmark.logger import PytestBenchmarkWarning

BEE_DEFAULTS = [
    "test_bee_write[nrEntries=1_entryByteSize=2]",
    "test_bee_write[nrEntries=3_entryByteSize=4]",
]
READ_DEFAULT = "test_read[nrBlocks=10]"

INCOMPLETE = """
from benchmarks.experiments import sizes


{decorator}
def test_toy({arguments}):
    {docstring}
"""


def usage_error(result: pytest.RunResult) -> str:
    """The one line in which a run says why it did not start."""
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    line = result.errlines[0]
    assert [other for other in result.errlines if other] == [line]
    return line.removeprefix("ERROR: ")


def test_without_a_file_the_built_in_sizes_run_in_the_order_of_the_code(toy):
    assert toy.ids() == [*BEE_DEFAULTS, READ_DEFAULT]


def test_a_file_replaces_the_sizes_but_not_the_order(toy):
    cases = {"read": [{"nrBlocks": 8}, {"nrBlocks": 7}], "beeWrite": [{"entryByteSize": 5, "nrEntries": 0}]}
    ids = ["test_bee_write[nrEntries=0_entryByteSize=5]", "test_read[nrBlocks=8]", "test_read[nrBlocks=7]"]
    assert toy.ids("--experiments", toy.write_file(cases)) == ids


@pytest.mark.parametrize("bee", [{}, {"beeWrite": []}], ids=["missing", "empty"])
def test_an_experiment_that_the_file_leaves_out_is_deselected(toy, bee):
    result = toy.run("--experiments", toy.write_file({"read": [{"nrBlocks": 1}], **bee}))
    result.assert_outcomes(passed=1, deselected=1)


def test_the_option_wins_over_the_variable(toy, monkeypatch):
    monkeypatch.setenv("HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC", toy.write_file({"read": [{"nrBlocks": 1}]}))
    assert toy.ids() == ["test_read[nrBlocks=1]"]
    option = toy.write_file({"read": [{"nrBlocks": 2}]}, "option.json")
    assert toy.ids("--experiments", option) == ["test_read[nrBlocks=2]"]


def test_an_empty_variable_names_no_file(toy, monkeypatch):
    monkeypatch.setenv("HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC", "")
    assert toy.ids() == [*BEE_DEFAULTS, READ_DEFAULT]


def test_tests_that_are_no_experiments_do_not_mind_the_variable(toy, monkeypatch):
    monkeypatch.setenv("HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC", "missing.json")
    toy.write("def test_sum(): assert 1 + 1 == 2")
    toy.run().assert_outcomes(passed=1)


def test_experiments_that_do_not_exist_yet_are_named_and_the_others_run(toy):
    result = toy.run(
        "--experiments", toy.write_file({"read": [{"nrBlocks": 1}], "odd\nkey": [{}], "download": [{}]})
    )
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(['experiments.json: not available yet: "odd\\nkey", download'])


def test_a_single_test_says_nothing_about_which_experiments_exist(toy):
    file = toy.write_file({"read": [{"nrBlocks": 1}], "download": [{}]})
    result = toy.pytester.runpytest_inprocess("--experiments", file, "benchmarks/test_toy.py")
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.no_fnmatch_line("*not available*")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param({"read": 1}, "read: expected a list, found 1", id="structure"),
        pytest.param({"read": [{"size": 1}]}, "read[0].size: unknown, expected nrBlocks", id="parameter"),
        pytest.param({}, "selects no experiment, available: beeWrite, read", id="nothing"),
        pytest.param(
            {"download": [{}]}, "selects no experiment, available: beeWrite, read", id="nothing-available"
        ),
    ],
)
@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_wrong_file_is_one_line_and_exit_code_4(toy, monkeypatch, by, content, message):
    file = toy.write_file(content)
    if by == "variable":
        monkeypatch.setenv("HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC", file)
    result = toy.run(*(["--experiments", file] if by == "option" else []))
    assert usage_error(result) == f"experiments.json: {message}"


@pytest.mark.parametrize(
    ("decorator", "arguments", "docstring", "message"),
    [
        (
            "@sizes({'n': 1})",
            "measure, n",
            "pass",
            "needs a docstring, whose first line is the metric's help",
        ),
        ("@sizes({'n': 1})", "n", "'''Toy.'''", "needs the fixture measure"),
        ("", "measure", "'''Toy.'''", "needs the decorator sizes"),
    ],
    ids=["docstring", "measure", "sizes"],
)
def test_an_incomplete_experiment_is_named(toy, decorator, arguments, docstring, message):
    toy.write(INCOMPLETE.format(decorator=decorator, arguments=arguments, docstring=docstring))
    nodeid = "benchmarks/test_toy.py::test_toy" + ("[n=1]" if decorator else "")
    assert usage_error(toy.run()) == f"{nodeid}: {message}"


def test_two_experiments_of_one_name_are_refused(toy):
    path = toy.pytester.path / "benchmarks"
    path.joinpath("test_other_toy.py").write_text(path.joinpath("test_toy.py").read_text())
    assert "have the same name" in usage_error(toy.run("-k", "read", "--import-mode=importlib"))


def test_the_first_size_is_quick(toy):
    toy.run("-m", "quick").assert_outcomes(passed=2, deselected=1)


@pytest.mark.parametrize("rounds", ["0", "-1", "two", "1.5", ""])
def test_rounds_is_a_whole_number_from_one(toy, rounds):
    result = toy.run(f"--rounds={rounds}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*argument --rounds: expected a whole number >= 1*"])


XDIST = """
def pytest_addoption(parser):
    parser.addoption("--numprocesses", type=int)
"""


@pytest.mark.parametrize("arguments", [".", "benchmarks", "benchmarks/test_bee.py::test_bee_write"])
def test_experiments_refuse_to_run_in_parallel(toy, request, arguments):
    toy.pytester.makepyfile(xdist_double=XDIST)
    toy.pytester.syspathinsert()
    target = request.config.rootpath / arguments
    result = toy.pytester.runpytest_inprocess("-p", "xdist_double", "--numprocesses=2", str(target))
    assert usage_error(result) == "-n: experiments cannot run in parallel, they would slow each other down"


def test_other_tests_may_run_in_parallel(toy):
    toy.pytester.makepyfile(xdist_double=XDIST)
    toy.pytester.syspathinsert()
    toy.run("-p", "xdist_double", "--numprocesses=2").assert_outcomes(passed=3)


TIMEOUTS = '''
from benchmarks.experiments import sizes


@sizes({"n": 1})
def test_toy(measure, n, request):
    """Fail with the timeouts that are set."""
    assert 0, [marker.args for marker in request.node.iter_markers("timeout")]
'''


@pytest.mark.parametrize(
    ("arguments", "variable", "timeouts"),
    [((), None, "[(1800,)]"), (("--timeout=7",), None, "[]"), ((), "0", "[]")],
    ids=["default", "option", "variable"],
)
def test_an_experiment_has_half_an_hour_unless_the_user_says_otherwise(
    toy, monkeypatch, arguments, variable, timeouts
):
    if variable:
        monkeypatch.setenv("PYTEST_TIMEOUT", variable)
    toy.write(TIMEOUTS)
    toy.run(*arguments).stdout.fnmatch_lines([f"E *AssertionError: {timeouts.replace('[', '[[]')}"])


FAILING = '''
import pytest

from benchmarks.experiments import sizes


@sizes({"n": 1})
def test_toy(measure, n):
    """Fail."""
    pytest.fail("n is 1")
'''


def test_results_are_grouped_by_experiment_and_keep_parameters_and_help(toy):
    toy.run("--benchmark-json=saved.json", "-k", "read")
    (saved,) = json.loads(toy.pytester.path.joinpath("saved.json").read_text())["benchmarks"]
    assert (saved["group"], saved["param"], saved["params"]) == ("read", "nrBlocks=10", {"nr_blocks": 10})
    assert saved["extra_info"] == {"help": "Read toys."}
    assert (saved["stats"]["rounds"], saved["options"]["disable_gc"]) == (3, True)


def test_a_saved_run_can_be_compared_with(toy):
    toy.run("--benchmark-autosave").assert_outcomes(passed=3)
    result = toy.run("--benchmark-compare")
    result.stdout.fnmatch_lines_random(["*test_read*(0001_*", "*test_read*(NOW)*"])


def test_a_run_goes_on_when_there_is_nothing_to_compare_with(toy):
    with pytest.warns(PytestBenchmarkWarning, match="Can't compare. No benchmark files"):
        result = toy.run("--benchmark-compare")
    result.assert_outcomes(passed=3)


def test_a_run_of_another_machine_can_be_compared_with(toy):
    toy.run("--benchmark-autosave")
    (saved,) = toy.pytester.path.rglob("0001_*.json")
    content = json.loads(saved.read_text())
    content["machine_info"]["node"] = "another"
    saved.write_text(json.dumps(content))
    with pytest.warns(PytestBenchmarkWarning, match="machine_info is different"):
        result = toy.run("--benchmark-compare")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines_random(["*test_read*(0001_*"])


def test_a_selection_of_nothing_has_nothing_to_save(toy):
    with pytest.warns(PytestBenchmarkWarning, match="Not saving anything"):
        result = toy.run("-k", "no_such_experiment", "--benchmark-autosave")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_an_experiment_that_fails_before_it_measures_fails_once(toy):
    toy.write(FAILING)
    toy.run().assert_outcomes(failed=1, errors=0, warnings=1)


@pytest.mark.parametrize("option", ["--benchmark-only", "--benchmark-disable", "--benchmark-verbose"])
def test_the_options_of_pytest_benchmark_work(toy, option):
    toy.run(option).assert_outcomes(passed=3)
