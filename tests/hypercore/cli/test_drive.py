"""``drive``: files of a drive, one line each, their data, and folders of the disk."""

import io
import json
import os
import sys

import pytest

from hypercore import Corestore, Hyperbee, Hyperdrive

LINES = [
    "2\t2\tx\t/bin/run",
    "1\t5\t-\t/docs/a.txt",
    "4\t3\t-\t/docs/b\\x1b",
    "3\t0\tl\t/link -> /docs/a.txt",
]


@pytest.fixture
def path(tmp_path):
    """A Corestore with a bee, which is no drive, and a drive."""
    path = tmp_path / "data"
    with Corestore(path) as store:
        Hyperbee(store.get(name="bee")).put(b"key")
        with Hyperdrive(store) as drive:
            drive.put("/docs/a.txt", b"hello")
            drive.put("/bin/run", b"#!", executable=True, metadata={"a": 1})
            drive.symlink("/link", "/docs/a.txt")
            drive.put("/docs/b\x1b", b"\xff\x00\n")
    return path


def lines(outcome):
    assert (outcome.exit_code, outcome.err) == (0, "")
    return outcome.lines


def failure(outcome):
    assert (outcome.exit_code, outcome.out) == (1, b"")
    return outcome.err


@pytest.mark.parametrize("command", ["ls", "cat", "put", "mirror"])
def test_help_of_a_command_has_an_example(cli, command):
    assert f"  python -m hypercore drive {command} ./data" in cli("drive", command, "--help").out.decode()


# --- ls -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], LINES),
        (["/docs"], LINES[1:3]),
        (["--version", 2], LINES[1:2]),
        (["/nothing"], []),
        (["--names"], ["bin", "docs", "link"]),
        (["--names", "docs"], ["a.txt", "b\\x1b"]),
        (["--names", "docs", "--json"], ['"a.txt"', '"b\\u001b"']),
    ],
    ids=str,
)
def test_files_come_in_the_order_of_their_paths(cli, path, options, expected):
    assert lines(cli("drive", "ls", path, *options)) == expected


def test_json_has_one_object_for_each_line(cli, path):
    run, *_, link = (json.loads(line) for line in lines(cli("drive", "ls", path, "--json")))
    assert run == {
        "seq": 2,
        "path": "/bin/run",
        "size": 2,
        "executable": True,
        "linkname": None,
        "metadata": {"a": 1},
    }
    assert (link["path"], link["linkname"]) == ("/link", "/docs/a.txt")


def test_the_size_of_a_file_with_a_block_map_is_that_of_its_data(cli, path):
    with Corestore(path) as store, Hyperdrive(store) as drive, drive.open("/map", "wb", dedup=True) as file:
        file.write(bytes(200_000))
    assert lines(cli("drive", "ls", path))[-1] == "5\t200000\t-\t/map"


# --- cat ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "data"), [("docs/a.txt", b"hello"), ("/link", b"hello"), ("/docs/b\x1b", b"\xff\x00\n")]
)
def test_the_data_of_a_file_is_written_as_it_is(cli, path, file, data):
    assert cli("drive", "cat", path, file).out == data


@pytest.mark.parametrize("file", ["/missing", "/docs", "/docs/a.txt/x"])
def test_a_file_that_is_not_there_is_an_error(cli, path, file):
    assert failure(cli("drive", "cat", path, file)).startswith("error: there is no file ")


# --- put ----------------------------------------------------------------------------------------------------


def test_stdin_becomes_a_file_of_a_drive_that_is_made(cli, tmp_path):
    data = os.urandom(300_000)
    outcome = cli("drive", "put", tmp_path / "new", "a/b", "--executable", stdin=data)
    with Corestore(tmp_path / "new") as store, Hyperdrive(store) as drive:
        assert lines(outcome) == [f"{drive.id} 2"]
        assert drive.get("/a/b") == data
        assert [(entry.path, entry.executable) for entry in drive] == [("/a/b", True)]


def test_a_file_of_the_disk_replaces_a_file(cli, path, tmp_path):
    (tmp_path / "source").write_bytes(b"new")
    lines(cli("drive", "put", path, "/docs/a.txt", tmp_path / "source"))
    assert cli("drive", "cat", path, "/docs/a.txt").out == b"new"


def test_a_source_that_breaks_off_leaves_the_file_as_it_was(cli, path):
    class Broken(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            raise OSError(5, "it broke", "stdin")

    assert failure(cli("drive", "put", path, "/docs/a.txt", stdin=io.BufferedReader(Broken()))) == (
        "error: stdin: it broke\n"
    )
    assert cli("drive", "cat", path, "/docs/a.txt").out == b"hello"


def test_a_drive_of_another_name_is_made_beside_the_first(cli, path):
    lines(cli("drive", "put", path, "/x", "--name", "other", stdin=b"x"))
    assert lines(cli("drive", "ls", path, "--name", "other")) == ["1\t1\t-\t/x"]
    assert lines(cli("drive", "ls", path)) == LINES


# --- mirror -------------------------------------------------------------------------------------------------


def files_of(folder):
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if not file.is_dir()}


def test_a_folder_becomes_equal_to_the_drive(cli, path, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "mine").write_text("mine")
    outcome = cli("drive", "mirror", path, "--to", folder)
    assert outcome.lines == ["+ /bin/run", "+ /docs/a.txt", "+ /docs/b\\x1b", "+ /link"]
    assert outcome.err == "4 added, 0 changed, 0 removed, 0 as they were\n"
    assert files_of(folder) == {"mine", "bin/run", "docs/a.txt", "docs/b\x1b", "link"}
    assert (folder / "link").read_text() == "hello"
    assert cli("drive", "mirror", path, "--to", folder, "--prune").lines == ["- /mine"]
    assert files_of(folder) == {"bin/run", "docs/a.txt", "docs/b\x1b", "link"}


def test_a_drive_becomes_equal_to_a_folder(cli, path, tmp_path):
    folder = tmp_path / "folder"
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "a.txt").write_text("changed")
    outcome = cli("drive", "mirror", path, "--from", folder, "--prune")
    assert outcome.lines == ["- /bin/run", "- /docs/b\\x1b", "- /link", "~ /docs/a.txt"]
    assert lines(cli("drive", "ls", path)) == ["8\t7\t-\t/docs/a.txt"]


def test_a_part_of_a_drive_can_be_mirrored(cli, path, tmp_path):
    cli("drive", "mirror", path, "--to", tmp_path / "docs", "--prefix", "docs")
    assert files_of(tmp_path / "docs") == {"a.txt", "b\x1b"}


@pytest.mark.parametrize("folder", [".", "data", "data/db", "data/db/new", "link"])
@pytest.mark.parametrize("way", [["--to"], ["--prune", "--to"], ["--from"]], ids=["to", "pruning", "from"])
def test_a_folder_that_the_store_lies_in_is_refused(cli, path, tmp_path, monkeypatch, way, folder):
    (tmp_path / "link").symlink_to(".")
    monkeypatch.chdir(tmp_path)
    for store in (path, "data", "link/data"):
        assert "data" in failure(cli("drive", "mirror", store, *way, folder))
    assert lines(cli("drive", "ls", path)) == LINES
    assert {each.name for each in tmp_path.iterdir()} == {"data", "link"}


def test_a_folder_beside_the_store_may_be_in_the_same_directory(cli, path):
    assert cli("drive", "mirror", path, "--to", path / "files").exit_code == 0
    assert "docs/a.txt" in files_of(path / "files")


@pytest.mark.parametrize("way", ["--to", "--from"])
def test_a_dry_run_writes_nothing(cli, path, tmp_path, way):
    folder = tmp_path / "folder"
    if way == "--from":
        folder.mkdir()
        (folder / "new").write_text("new")
    outcome = cli("drive", "mirror", path, way, folder, "--dry-run")
    assert outcome.lines
    assert " would be added" in outcome.err
    assert folder.exists() is (way == "--from")
    assert lines(cli("drive", "ls", path)) == LINES


def test_a_dry_run_makes_no_drive(cli, tmp_path):
    (tmp_path / "folder").mkdir()
    outcome = cli("drive", "mirror", tmp_path / "new", "--from", tmp_path / "folder", "--dry-run")
    assert "there is no such directory" in failure(outcome)
    assert not (tmp_path / "new").exists()


# --- which drive, and wrong use -----------------------------------------------------------------------------


def test_the_drive_is_chosen_by_id_too(cli, path):
    with Corestore(path) as store:
        id_ = store.get(name="db").id
    assert lines(cli("drive", "ls", path, "--core", id_)) == LINES


def test_a_store_without_a_drive_is_told(cli, tmp_path):
    with Corestore(tmp_path) as store:
        Hyperbee(store.get(name="bee")).put(b"key")
    assert failure(cli("drive", "ls", tmp_path)) == f"error: {tmp_path}: none of its cores is a Hyperdrive\n"


def test_a_core_that_is_no_drive_is_an_error(cli, path):
    assert failure(cli("drive", "ls", path, "--name", "bee")).endswith(" is not a Hyperdrive\n")


@pytest.mark.parametrize(
    "command", [["ls"], ["cat", "/x"], ["mirror", "--to", "x"]], ids=lambda each: each[0]
)
def test_only_put_and_mirroring_a_folder_make_a_store(cli, tmp_path, command):
    name, *arguments = command
    failure(cli("drive", name, tmp_path / "none", *arguments))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["ls", "PATH", "--version", 9], id="version-to-come"),
        pytest.param(["mirror", "PATH"], id="no-way"),
        pytest.param(["mirror", "PATH", "--to", "a", "--from", "b"], id="two-ways"),
        pytest.param(["cat", "PATH"], id="no-file"),
        pytest.param([], id="no-command"),
    ],
)
def test_wrong_use_is_told_apart_from_failure(cli, path, arguments):
    outcome = cli("drive", *(path if each == "PATH" else each for each in arguments))
    assert (outcome.exit_code, outcome.out) == (2, b"")
    assert "error: " in outcome.err.splitlines()[-1]


def test_put_without_stdin_is_told(cli, path, monkeypatch):
    outcome = cli("drive", "put", path, "/x", stdin=None)
    assert (outcome.exit_code, sys.stdin) == (2, None)
    assert outcome.err.endswith("there is nothing to put: stdin is closed\n")
