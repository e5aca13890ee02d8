"""What all commands have in common: help, exit codes, and one line for every error."""

import io
import sys
from typing import cast

import pytest

from hypercore import Corestore, Hypercore
from hypercore.ids import encode_id
from tests.hypercore.cli import damage

COMMANDS = ["info", "cat", "append", "audit"]
LOOKING = ["info", "cat", "audit"]
STRANGER = encode_id(bytes(32))


def assert_one_line(outcome, *words):
    """Check that a command failed with a single line that has all these words."""
    assert outcome.exit_code == 1
    (line,) = outcome.err.splitlines()
    assert line.startswith("error: ")
    assert all(str(word) in line for word in words)


def files_of(directory):
    return {each.name: each.read_bytes() for each in directory.rglob("*") if each.is_file()}


# --- help and wrong use -------------------------------------------------------------------------------------


def test_help_names_every_command_and_where_to_look_next(cli):
    outcome = cli("--help")
    assert (outcome.exit_code, outcome.err) == (0, "")
    assert all(f"    {command} " in outcome.out.decode() for command in [*COMMANDS, "serve", "clone"])
    assert "COMMAND --help" in outcome.out.decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_an_example(cli, command):
    outcome = cli(command, "--help")
    assert (outcome.exit_code, outcome.err) == (0, "")
    assert f"  python -m hypercore {command} ./data" in outcome.out.decode()


WRONG = {
    "no-command": [],
    "unknown-command": ["dance"],
    "no-path": ["info"],
    "unknown-option": ["info", "PATH", "--loud"],
    "no-id": ["cat", "PATH", "--core", "abc"],
    "core-and-name": ["cat", "PATH", "--core", STRANGER, "--name", "log"],
    "empty-path": ["append", "", "text"],
    "empty-path-to-clone-to": ["clone", STRANGER, "127.0.0.1:1", ""],
    "empty-path-to-mirror-to": ["drive", "mirror", "PATH", "--to", "", "--prune"],
    "empty-path-to-mirror-from": ["drive", "mirror", "PATH", "--from", "", "--prune"],
    "empty-path-to-put": ["drive", "put", "PATH", "/file", ""],
    "empty-name": ["cat", "PATH", "--name", ""],
    "name-of-other-bytes": ["append", "PATH", "--name", "\udcff", "text"],
    "file-of-other-bytes": ["drive", "put", "PATH", "/\udcff"],
    "folder-of-other-bytes": ["drive", "ls", "PATH", "/\udcff"],
    "prefix-of-other-bytes": ["drive", "mirror", "PATH", "--to", "folder", "--prefix", "/\udcff"],
    "negative-start": ["cat", "PATH", "--start", "-1"],
    "no-number": ["cat", "PATH", "--end", "two"],
    "text-for-cat": ["cat", "PATH", "text"],
    "text-and-binary": ["append", "PATH", "text", "--binary"],
    "text-and-block-size": ["append", "PATH", "--block-size", "9", "text"],
    "binary-and-block-size": ["append", "PATH", "--binary", "--block-size", "9"],
    "empty-blocks": ["append", "PATH", "--block-size", "0"],
    "huge-blocks": ["append", "PATH", "--block-size", "16000000"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_wrong_use_is_told_apart_from_failure(cli, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    outcome = cli(*(tmp_path / "new" if each == "PATH" else each for each in arguments))
    assert (outcome.exit_code, outcome.out) == (2, b"")
    assert "error: " in outcome.err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


# --- stores that are not there, or cannot be had ------------------------------------------------------------


@pytest.mark.parametrize("command", LOOKING)
def test_a_directory_that_does_not_exist_is_not_made(cli, tmp_path, command):
    assert_one_line(cli(command, tmp_path / "new"), tmp_path / "new", "no such directory")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", LOOKING)
def test_a_directory_without_a_store_is_left_alone(cli, tmp_path, command):
    (tmp_path / "db").mkdir()
    assert_one_line(cli(command, tmp_path), tmp_path, "no store")
    assert list(tmp_path.rglob("*")) == [tmp_path / "db"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_is_no_store(cli, tmp_path, command):
    (tmp_path / "file").write_text("text")
    assert_one_line(cli(command, tmp_path / "file", stdin=b"line"), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_store_of_the_reference_is_left_alone(cli, tmp_path, command):
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "OPTIONS-000007").touch()
    assert_one_line(cli(command, tmp_path), tmp_path, "RocksDB")
    assert len(list(tmp_path.rglob("*"))) == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_a_store_that_is_open_elsewhere_is_named(cli, path, command):
    with Corestore(path):
        assert_one_line(cli(command, path), path, "already open")


@pytest.mark.parametrize("damage_store", damage.STORE.values(), ids=damage.STORE)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_damaged_store_is_named_and_keeps_its_data(cli, path, command, damage_store):
    damage_store(path)
    before = {name: data for name, data in files_of(path).items() if data and name.endswith((".ldb", ".log"))}
    assert_one_line(cli(command, path, stdin=b"line"), path, "damaged")
    assert before.items() <= files_of(path).items()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_core_that_is_not_stored_is_not_made(cli, path, command):
    assert_one_line(cli(command, path, "--core", STRANGER), path, STRANGER)
    with Corestore(path) as store:
        assert len(list(store.cores())) == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_a_core_is_found_by_any_form_of_its_id(cli, path, ids, command):
    with Corestore(path) as store:
        key = store.get(key=ids[1]).key
    for form in (ids[1], key.hex(), f"pear://{ids[1]}/some/file"):
        assert cli(command, path, "--core", form).exit_code == 0


@pytest.mark.parametrize("command", ["cat", "append"])
def test_a_hypercore_by_itself_is_a_store_of_one_core(cli, tmp_path, command):
    Hypercore(tmp_path).close()
    assert cli(command, tmp_path).exit_code == 0
    with Corestore(tmp_path) as store:
        assert len(list(store.cores())) == 1


@pytest.mark.parametrize("command", LOOKING)
def test_looking_at_a_hypercore_by_itself_does_not_make_it_a_corestore(cli, tmp_path, command):
    Hypercore(tmp_path).close()
    cli(command, tmp_path)
    with Corestore(tmp_path, primary_key=bytes(32)) as store:  # refused where there is another one
        assert store.primary_key == bytes(32)


# --- names, output and interruption -------------------------------------------------------------------------


def test_an_error_stays_on_one_line_whatever_it_names(cli, tmp_path):
    path = tmp_path / "two\nlines\x1b[2J\x00"
    assert_one_line(cli("info", path), "two\\nlines\\x1b[2J")


def test_letters_that_the_terminal_lacks_are_escaped(cli, tmp_path):
    with Corestore(tmp_path) as store:
        store.get(name="\N{SNOWMAN}")
    cast(io.TextIOWrapper, sys.stdout).reconfigure(encoding="ascii")
    outcome = cli("info", tmp_path)
    assert outcome.exit_code == 0
    assert outcome.out.endswith(b"\\u2603\n")


def test_ctrl_c_ends_a_command_without_a_traceback(cli, path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("hypercore.cli.info.open_database", interrupt)
    outcome = cli("info", path)
    assert (outcome.exit_code, outcome.out, outcome.err) == (130, b"", "")


def test_an_error_of_the_system_is_one_line(cli, path, monkeypatch):
    def fail(*_):
        raise PermissionError(13, "Permission denied", "data")

    monkeypatch.setattr("hypercore.cli.info.open_database", fail)
    assert_one_line(cli("info", path), "data: Permission denied")


def test_without_stdout_nothing_is_begun(cli, path, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert_one_line(cli("append", path, "text"), "stdout is closed")
