"""``cat``: the bytes of blocks, and nothing else."""

import pytest

from hypercore import Corestore, Hypercore
from tests.hypercore.cli import damage


def test_blocks_come_as_they_are(cli, path):
    outcome = cli("cat", path)
    assert (outcome.exit_code, outcome.out, outcome.err) == (0, b"abc\xff\n", "")


def test_lines_have_a_newline_behind_each_block(cli, path):
    assert cli("cat", path, "--lines").out == b"a\nbc\n\xff\n\n"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], b"abc\xff\n"),
        (["--start", 1], b"bc\xff\n"),
        (["--end", 2], b"abc"),
        (["--start", 1, "--end", 2], b"bc"),
        (["--start", 2, "--end", 1], b""),
        (["--start", 3], b""),
        (["--start", 99], b""),
        (["--end", 0], b""),
    ],
)
def test_a_range_of_blocks_can_be_chosen(cli, path, options, expected):
    outcome = cli("cat", path, *options)
    assert (outcome.exit_code, outcome.out) == (0, expected)


def test_the_core_is_chosen_by_id_or_name_and_else_the_oldest(cli, path, ids):
    assert cli("cat", path, "--core", ids[1]).out == b"xy"
    assert cli("cat", path, "--core", ids[0]).out == cli("cat", path, "--name", "log").out
    assert cli("cat", path).out == cli("cat", path, "--name", "log").out


def test_the_oldest_core_is_the_oldest_that_was_not_purged(cli, path):
    with Corestore(path) as store:
        store.get(name="log").purge()
    assert cli("cat", path).out == b"xy"


def test_a_hypercore_by_itself_is_read(cli, tmp_path):
    with Hypercore(tmp_path) as core:
        core.append(b"alone")
    assert cli("cat", tmp_path).out == b"alone"


def test_a_hole_is_an_error_behind_what_comes_before_it(cli, path):
    damage.make_hole(path, 1)
    outcome = cli("cat", path)
    assert (outcome.exit_code, outcome.out) == (1, b"a")
    assert outcome.err == "error: block 1 is not available here (the core has 3 blocks)\n"
    assert cli("cat", path, "--start", 2).exit_code == 0


def test_an_end_behind_the_core_is_an_error_behind_its_blocks(cli, path):
    outcome = cli("cat", path, "--end", 4)
    assert (outcome.exit_code, outcome.out) == (1, b"abc\xff\n")
    assert outcome.err == "error: block 3 is not available here (the core has 3 blocks)\n"


def test_an_unknown_name_is_one_line(cli, path):
    outcome = cli("cat", path, "--name", "nobody")
    assert (outcome.exit_code, outcome.err) == (1, f"error: {path}: no core is named 'nobody'\n")


def test_a_name_in_a_namespace_is_told_from_an_unknown_one(cli, path):
    with Corestore(path) as store:
        core = store.namespace("app").get(name="inner")
        core.append(b"inside")
        core_id = core.id
    outcome = cli("cat", path, "--name", "inner")
    assert outcome.exit_code == 1
    assert "'inner' is a name in a namespace; open that core with --core ID" in outcome.err
    assert cli("cat", path, "--core", core_id).out == b"inside"


def test_a_store_without_cores_is_one_line(cli, tmp_path):
    Corestore(tmp_path).close()
    outcome = cli("cat", tmp_path)
    assert (outcome.exit_code, outcome.err) == (1, f"error: {tmp_path}: the store has no cores\n")
