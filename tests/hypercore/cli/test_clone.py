"""``clone``: a copy of a core, whatever happens on the way."""

import asyncio
import os
import signal
import socket
import subprocess

import pytest

from hypercore import Corestore, Hypercore, aio
from hypercore.ids import encode_id
from tests.hypercore.cli.servers import in_thread, listening, passing_on, server_of, serving
from tests.hypercore.cli.test_processes import PROGRAM, ROOT
from tests.hypercore.disks import FULL_DISKS
from tests.waiting import wait_for

COUNT = 1000
STRANGER = encode_id(bytes(32))


@pytest.fixture(scope="module")
def original():
    """A core of a thousand different blocks, 1 MB together."""
    with Hypercore() as core:
        core.append([os.urandom(1000) for _ in range(COUNT)])
        yield core


@pytest.fixture
def address(original):
    with serving(original) as address:
        yield address


def assert_one_line(outcome, *words):
    """Check that a command failed with a single line that has all these words."""
    assert outcome.exit_code == 1
    assert outcome.out == b""
    (line,) = outcome.err.splitlines()
    assert line.startswith("error: ")
    assert all(str(word) in line for word in words), line


def assert_complete(path, original):
    with Hypercore(path, key=original.key) as copy:
        assert copy.length == copy.contiguous_length == original.length
        assert copy.tree_hash() == original.tree_hash()
        assert copy.audit() == []


def stored_blocks(path, original):
    with Hypercore(path, key=original.key) as copy:
        assert copy.audit() == []
        return copy.info().stored_blocks


# --- copies -------------------------------------------------------------------------------------------------


def test_a_core_is_copied_and_its_id_and_length_printed(cli, tmp_path, original, address):
    outcome = cli("clone", original.id, address, tmp_path / "copy")
    assert (outcome.exit_code, outcome.lines, outcome.err) == (0, [f"{original.id} {COUNT}"], "")
    assert_complete(tmp_path / "copy", original)


def test_the_copy_is_a_hypercore_by_itself(cli, tmp_path, original, address):
    cli("clone", original.id, address, tmp_path)
    with Corestore(tmp_path, primary_key=bytes(32)) as store:  # refused where there is another one
        assert list(store.cores()) == [original.key]


def test_a_corestore_gets_the_core_beside_its_own(cli, path, original, address):
    assert cli("clone", original.id, address, path).exit_code == 0
    with Corestore(path) as store:
        assert len(list(store.cores())) == 3
        assert list(store.get(key=original.key).read_stream()) == list(original.read_stream())
        assert store.get(name="log").length == 3


@pytest.mark.parametrize("form", ["hex", "link"])
def test_a_key_may_have_any_form(cli, tmp_path, original, address, form):
    key = {"hex": original.key.hex(), "link": f"pear://{original.id}/file"}[form]
    assert cli("clone", key, address, tmp_path).exit_code == 0


def test_an_empty_core_is_copied(cli, tmp_path):
    with Hypercore() as empty:
        with serving(empty) as address:
            outcome = cli("clone", empty.id, address, tmp_path)
        assert (outcome.exit_code, outcome.lines) == (0, [f"{empty.id} 0"])


def test_a_complete_copy_is_brought_up_to_date(cli, tmp_path):
    with Hypercore() as growing:
        for length in (10, 20):
            growing.append([b"block"] * 10)
            with serving(growing) as address:
                assert cli("clone", growing.id, address, tmp_path).lines == [f"{growing.id} {length}"]
        assert_complete(tmp_path, growing)


def test_an_encrypted_core_is_copied_as_it_is(cli, tmp_path):
    with Hypercore(encryption_key=b"e" * 32) as secret:
        secret.append([b"secret"] * 10)
        with serving(secret) as address:
            assert cli("clone", secret.id, address, tmp_path).exit_code == 0
        with Hypercore(tmp_path, key=secret.key, encryption_key=b"e" * 32) as copy:
            assert list(copy.read_stream()) == [b"secret"] * 10


def test_a_terminal_sees_blocks_bytes_and_rate(cli, tmp_path, original, address):
    outcome = cli("clone", original.id, address, tmp_path, terminal=True)
    assert outcome.lines == [f"{original.id} {COUNT}"]
    last = outcome.err.split("\r")[-1]
    assert "1.00k/1.00k" in last
    assert "block/s" in last
    assert "MB]" in last


# --- what goes wrong ----------------------------------------------------------------------------------------


def test_without_a_server_nothing_is_made(cli, tmp_path, original):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        outcome = cli("clone", original.id, address, tmp_path / "copy")
    assert_one_line(outcome, address, "Connection refused")
    assert list(tmp_path.iterdir()) == []


def test_a_core_that_the_server_does_not_have_is_not_made(cli, tmp_path, address):
    assert_one_line(cli("clone", STRANGER, address, tmp_path / "copy"), address, "does not have", STRANGER)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_of_what_the_server_has_no_longer_is_told(cli, tmp_path, original, address):
    cli("clone", original.id, address, tmp_path)
    with Hypercore() as other, serving(other) as elsewhere:
        assert_one_line(cli("clone", original.id, elsewhere, tmp_path), elsewhere, "does not have")
    assert_complete(tmp_path, original)


def test_a_hypercore_by_itself_stays_by_itself(cli, tmp_path, original, address):
    with Hypercore(tmp_path) as other:
        other_id = other.id
    assert_one_line(cli("clone", original.id, address, tmp_path), tmp_path, other_id)
    with Corestore(tmp_path) as store:
        assert len(list(store.cores())) == 1


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(100)], ids=["http", "zeros"])
def test_a_server_of_another_kind_is_told(cli, tmp_path, original, greeting):
    async def greet(reader, writer):
        writer.write(greeting)
        await reader.read()

    with in_thread(listening(greet)) as address:
        assert_one_line(cli("clone", original.id, address, tmp_path / "copy"), address)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_says_nothing_is_given_up(cli, tmp_path, original):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        outcome = cli("clone", original.id, address, tmp_path / "copy", "--timeout", 1)
    assert_one_line(outcome, address, "no answer in 1 s")


def test_a_connection_that_is_cut_is_told_and_the_rest_comes_with_the_next(cli, tmp_path, original, address):
    with passing_on(address, 300_000) as cut:
        outcome = cli("clone", original.id, cut, tmp_path)
    here = stored_blocks(tmp_path, original)
    assert 0 < here < COUNT
    assert_one_line(outcome, cut, f"{here} of {COUNT} blocks are here")
    assert cli("clone", original.id, address, tmp_path).exit_code == 0
    assert_complete(tmp_path, original)


def test_what_is_here_is_not_fetched_again(cli, tmp_path, original, address):
    with passing_on(address, 700_000) as cut:
        cli("clone", original.id, cut, tmp_path)
        missing = COUNT - stored_blocks(tmp_path, original)
        assert missing > 300
        assert cli("clone", original.id, cut, tmp_path).exit_code == 0  # 700,000 bytes suffice now
    assert_complete(tmp_path, original)


@pytest.fixture(scope="module")
def half(original):
    """A copy of the original with the first half of its blocks."""
    with Hypercore(key=original.key) as half:
        with serving(original) as address:
            asyncio.run(download(half, address, COUNT // 2))
        yield half


async def download(core, address, end):
    host, _, port = address.partition(":")
    async with await aio.connect(core, host, int(port)):
        await aio.download(core, 0, end)


def test_blocks_that_the_server_does_not_have_are_given_up(cli, tmp_path, original, half):
    with serving(half) as address:
        outcome = cli("clone", original.id, address, tmp_path, "--timeout", 1)
    assert_one_line(outcome, address, "in 1 s", f"{COUNT // 2} of {COUNT} blocks are here")


def test_ctrl_c_keeps_what_has_come(cli, tmp_path, original, half, address):
    with in_thread(server_of(half)) as server:
        command = [*PROGRAM, "clone", original.id, f"127.0.0.1:{server.port}", str(tmp_path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as clone:
            wait_for(lambda: asked(server) > 3000, "all blocks of the half to be asked for")
            clone.send_signal(signal.SIGINT)
            assert clone.communicate(timeout=60) == (b"", b"")
            assert clone.returncode == 130
    assert stored_blocks(tmp_path, original) <= COUNT // 2
    assert cli("clone", original.id, address, tmp_path).exit_code == 0
    assert_complete(tmp_path, original)


def asked(server):
    """Return how many bytes the last client sent."""
    return max((connection.bytes_received for connection in list(server.connections)), default=0)


@pytest.mark.parametrize("make_disk", FULL_DISKS)
def test_a_full_disk_is_one_line_and_the_rest_comes_when_there_is_space(cli, original, address, make_disk):
    with make_disk() as disk:
        path = disk.path / "copy"
        with disk.trouble():
            outcome = cli("clone", original.id, address, path)
        assert_one_line(outcome, path)
        assert cli("clone", original.id, address, path).exit_code == 0
        assert_complete(path, original)


def test_a_file_is_no_place_for_a_copy(cli, tmp_path, original, address):
    (tmp_path / "file").write_text("text")
    assert_one_line(cli("clone", original.id, address, tmp_path / "file"), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "text"


def test_a_store_that_is_open_elsewhere_is_told_before_anybody_is_asked(cli, path, original):
    with Corestore(path):
        assert_one_line(cli("clone", original.id, "127.0.0.1:1", path), path, "already open")


@pytest.mark.parametrize(
    "arguments",
    [
        ["abc", "127.0.0.1:1", "PATH"],
        [STRANGER, "127.0.0.1", "PATH"],
        [STRANGER, "127.0.0.1:0", "PATH"],
        [STRANGER, "127.0.0.1:1"],
        [STRANGER, "127.0.0.1:1", "PATH", "--timeout", "0"],
    ],
    ids=["key", "no-port", "port-0", "no-path", "timeout"],
)
def test_wrong_use_is_told_apart_from_failure(cli, tmp_path, arguments):
    outcome = cli("clone", *(tmp_path / "new" if each == "PATH" else each for each in arguments))
    assert (outcome.exit_code, outcome.out) == (2, b"")
    assert list(tmp_path.iterdir()) == []


def test_help_has_an_example(cli):
    assert "  python -m hypercore clone ID 127.0.0.1:4977 ./copy\n" in cli("clone", "--help").out.decode()
