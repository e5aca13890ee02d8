"""``bee``: entries, values, operations and differences, one line each."""

import json

import pytest

from hypercore import Corestore, Hyperbee, Hypercore

OPERATIONS = [
    "put\t1\ta\t1",
    'put\t2\tb\\n\t{"x":"ä"}',
    "put\t3\ta\t2",
    "del\t4\tb\\n\t",
    "put\t5\ts\\x00k\t[1]",
    "put\t6\tn\t",
]


@pytest.fixture
def path(tmp_path):
    """A Corestore with a core of text and a bee."""
    path = tmp_path / "data"
    with Corestore(path) as store:
        store.get(name="log").append(b"text")
        bee = Hyperbee(store.get(name="bee"), key_encoding="utf-8", value_encoding="json")
        bee.put("a", 1)
        bee.put("b\n", {"x": "ä"})
        bee.put("a", 2)
        bee.delete("b\n")
        bee.sub("s").put("k", [1])
        bee.put("n")
    return path


@pytest.fixture
def cleared(path):
    with Corestore(path) as store:
        Hyperbee(store.get(name="bee")).clear_unlinked()
    return path


def lines(outcome):
    assert (outcome.exit_code, outcome.err) == (0, "")
    return outcome.lines


@pytest.mark.parametrize("command", ["ls", "get", "history", "diff"])
def test_help_of_a_command_has_an_example(cli, command):
    assert f"  python -m hypercore bee {command} ./data" in cli("bee", command, "--help").out.decode()


def test_the_group_s_help_names_its_commands(cli):
    help_ = cli("bee", "--help").out.decode()
    assert all(f"    {command} " in help_ for command in ("ls", "get", "history", "diff"))


# --- ls -----------------------------------------------------------------------------------------------------


def test_entries_come_in_the_order_of_their_keys(cli, path):
    assert lines(cli("bee", "ls", path)) == ["3\ta\t2", "6\tn\t", "5\ts\\x00k\t[1]"]


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (["--gt", "a"], ["n", "s\\x00k"]),
        (["--gte", "a", "--lt", "n"], ["a"]),
        (["--lte", "n"], ["a", "n"]),
        (["--reverse"], ["s\\x00k", "n", "a"]),
        (["--limit", 1], ["a"]),
        (["--limit", 0], []),
        (["--version", 3], ["a", "b\\n"]),
        (["--version", 1], []),
        (["--sub", "s"], ["k"]),
        (["--sub", "s", "--sub", "t"], []),
        (["--hex"], ["61", "6e", "73006b"]),
        (["--hex", "--gt", "61", "--sub", "73"], ["6b"]),
    ],
    ids=str,
)
def test_entries_can_be_chosen(cli, path, options, keys):
    assert [line.split("\t")[1] for line in lines(cli("bee", "ls", path, *options))] == keys


def test_json_has_one_object_for_each_line(cli, path):
    entries = [json.loads(line) for line in lines(cli("bee", "ls", path, "--json"))]
    assert entries == [
        {"seq": 3, "key": "a", "value": "2"},
        {"seq": 6, "key": "n", "value": None},
        {"seq": 5, "key": "s\0k", "value": "[1]"},
    ]
    assert json.loads(lines(cli("bee", "ls", path, "--json", "--hex", "--limit", 1))[0])["key"] == "61"


def test_bytes_that_are_no_text_are_escaped(cli, tmp_path):
    with Hyperbee(Hypercore(tmp_path / "bee")) as bee:
        bee.put(b"\xff\x1b[31m", b"\x00\xfe\t")
    assert lines(cli("bee", "ls", tmp_path / "bee")) == ["1\t\\xff\\x1b[31m\t\\x00\\xfe\\t"]


# --- get ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a"], "2"),
        (["a", "--version", 2], "1"),
        (["n"], ""),
        (["k", "--sub", "s"], "[1]"),
        (["61", "--hex"], "32"),
        (["a", "--json"], '{"seq": 3, "key": "a", "value": "2"}'),
    ],
    ids=str,
)
def test_the_value_of_a_key_is_printed(cli, path, arguments, expected):
    assert lines(cli("bee", "get", path, *arguments)) == [expected]


def test_a_key_that_is_not_there_is_an_error(cli, path):
    outcome = cli("bee", "get", path, "missing\x1b")
    assert (outcome.exit_code, outcome.out) == (1, b"")
    assert outcome.err == "error: there is no key missing\\x1b\n"


# --- history ------------------------------------------------------------------------------------------------


def test_operations_come_in_the_order_they_were_done(cli, path):
    assert lines(cli("bee", "history", path)) == OPERATIONS


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--reverse"], OPERATIONS[::-1]),
        (["--start", 3, "--end", 5], OPERATIONS[2:4]),
        (["--end", 99], OPERATIONS),
        (["--limit", 2], OPERATIONS[:2]),
        (["--reverse", "--limit", 1], OPERATIONS[-1:]),
        (["--sub", "s"], ["put\t5\tk\t[1]"]),
    ],
    ids=str,
)
def test_operations_can_be_chosen(cli, path, options, expected):
    assert lines(cli("bee", "history", path, *options)) == expected


def test_operations_that_were_cleared_are_counted(cli, cleared):
    outcome = cli("bee", "history", cleared)
    assert (outcome.exit_code, outcome.lines) == (0, [OPERATIONS[2], *OPERATIONS[4:]])
    assert outcome.err == "3 blocks not stored here, cleared or never downloaded\n"


def test_operations_as_json_say_what_they_are(cli, path):
    last = json.loads(lines(cli("bee", "history", path, "--json", "--reverse", "--start", 4))[-1])
    assert last == {"type": "del", "seq": 4, "key": "b\n", "value": None}


# --- diff ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([2, 4], ["-\t1\ta\t1", "+\t3\ta\t2", '+\t2\tb\\n\t{"x":"ä"}']),
        ([4, 2], ["-\t3\ta\t2", "+\t1\ta\t1", '-\t2\tb\\n\t{"x":"ä"}']),
        ([5], ["+\t6\tn\t", "+\t5\ts\\x00k\t[1]"]),
        ([5, "--limit", 1], ["+\t6\tn\t"]),
        ([5, "--gt", "n"], ["+\t5\ts\\x00k\t[1]"]),
        ([1, 7, "--sub", "s"], ["+\t5\tk\t[1]"]),
        ([7, 7], []),
    ],
    ids=str,
)
def test_what_changed_between_two_versions_is_printed(cli, path, versions, expected):
    assert lines(cli("bee", "diff", path, *versions)) == expected


def test_a_difference_as_json_has_its_sign(cli, path):
    [line] = lines(cli("bee", "diff", path, "--json", 6))
    assert json.loads(line) == {"sign": "+", "seq": 6, "key": "n", "value": None}


def test_a_version_whose_blocks_were_cleared_is_an_error(cli, cleared):
    outcome = cli("bee", "diff", cleared, 3)
    assert outcome.exit_code == 1
    assert "block 2 is not available here" in outcome.err


# --- which bee, and wrong use -------------------------------------------------------------------------------


def test_the_bee_is_chosen_by_name_or_id_too(cli, path):
    with Corestore(path) as store:
        id_ = store.get(name="bee").id
    assert cli("bee", "ls", path, "--name", "bee").out == cli("bee", "ls", path).out != b""
    assert cli("bee", "ls", path, "--core", id_).out == cli("bee", "ls", path).out


def test_a_store_without_a_bee_is_told(cli, tmp_path):
    with Corestore(tmp_path) as store:
        store.get(name="log").append(b"text")
        store.get(name="empty")
    outcome = cli("bee", "ls", tmp_path)
    assert (outcome.exit_code, outcome.err) == (1, f"error: {tmp_path}: none of its cores is a Hyperbee\n")


def test_a_core_that_is_no_bee_is_an_error(cli, path):
    outcome = cli("bee", "ls", path, "--name", "log")
    assert outcome.exit_code == 1
    assert outcome.err.startswith(f"error: {path}: core ")
    assert outcome.err.endswith(" is not a Hyperbee\n")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["ls", "PATH", "--version", 8], id="version-to-come"),
        pytest.param(["ls", "PATH", "--version", 0], id="no-version"),
        pytest.param(["diff", "PATH", 1, 8], id="diff-to-come"),
        pytest.param(["diff", "PATH"], id="no-versions"),
        pytest.param(["get", "PATH"], id="no-key"),
        pytest.param(["get", "PATH", "x", "--hex"], id="no-hex"),
        pytest.param(["ls", "PATH", "--gt", "6", "--hex"], id="half-hex"),
        pytest.param([], id="no-command"),
        pytest.param(["dance"], id="unknown-command"),
    ],
)
def test_wrong_use_is_told_apart_from_failure(cli, path, arguments):
    outcome = cli("bee", *(path if each == "PATH" else each for each in arguments))
    assert (outcome.exit_code, outcome.out) == (2, b"")
    assert "error: " in outcome.err.splitlines()[-1]


def test_nothing_is_written(cli, path):
    cli("bee", "ls", path)
    with Corestore(path) as store:
        assert store.get(name="bee").length == 7
        assert len(list(store.cores())) == 2
