"""``serve``: what it tells, whom it serves, and how it ends."""

import signal
import socket
import subprocess
from contextlib import contextmanager

import pytest

from hypercore import Corestore, Hypercore
from tests.hypercore.cli import damage
from tests.hypercore.cli.test_processes import PROGRAM, ROOT


@contextmanager
def serving(*arguments, end=signal.SIGTERM, errors=""):
    """Serve in a process of its own; give what it printed before the address, and the address."""
    command = [*PROGRAM, "serve", *map(str, arguments)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        assert server.stderr
        lines = []
        for line in server.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("listening at "):
                break
        try:
            yield lines[:-1], lines[-1].removeprefix("listening at ")
        finally:
            server.send_signal(end)
            assert (server.wait(60), server.stdout.read(), server.stderr.read()) == (0, "", errors)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_all_cores_are_listed_and_served_until_a_signal(cli, path, ids, tmp_path, end):
    with serving(path, end=end) as (lines, address):
        assert lines == [f"{ids[0]} 3 log", f"{ids[1]} 2"]
        for core_id in ids:
            assert cli("clone", core_id, address, tmp_path / core_id).exit_code == 0
    assert cli("cat", tmp_path / ids[1]).out == b"xy"


def test_one_core_can_be_served_alone(cli, path, ids, tmp_path):
    with serving(path, "--name", "log") as (lines, address):
        assert lines == [f"{ids[0]} 3"]
        assert cli("clone", ids[0], address, tmp_path / "log").exit_code == 0
        assert cli("clone", ids[1], address, tmp_path / "other").exit_code == 1


def test_a_hypercore_by_itself_is_served_and_stays_by_itself(cli, tmp_path):
    with Hypercore(tmp_path / "lone") as core:
        core.append([b"a", b"b"])
        core_id = core.id
    with serving(tmp_path / "lone") as (lines, address):
        assert lines == [f"{core_id} 2"]
        assert cli("clone", core_id, address, tmp_path / "copy").exit_code == 0
    with Corestore(tmp_path / "lone", primary_key=bytes(32)):  # refused where there is another one
        pass


def test_a_copy_is_served_like_the_original(cli, path, ids, tmp_path):
    with serving(path) as (_, address):
        cli("clone", ids[0], address, tmp_path / "copy")
    with serving(tmp_path / "copy") as (lines, address):
        assert lines == [f"{ids[0]} 3"]
        assert cli("clone", ids[0], address, tmp_path / "copy of the copy").exit_code == 0
    assert cli("cat", tmp_path / "copy of the copy").out == cli("cat", path).out


def test_a_client_that_stays_connected_does_not_keep_it_from_ending(path):
    with serving(path) as (_, address):
        host, _, port = address.partition(":")
        client = socket.create_connection((host, int(port)))
    client.close()


def test_clients_that_there_is_no_room_for_are_hung_up_on(cli, path, ids, tmp_path):
    errors = "error: as many clients are connected as may be (1): others are hung up on\n"
    with serving(path, "--max-clients", 1, errors=errors) as (_, address):
        host, _, port = address.partition(":")
        with socket.create_connection((host, int(port))):
            assert cli("clone", ids[0], address, tmp_path / "copy", "--timeout", 1).exit_code == 1


def test_a_port_can_be_chosen(path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with serving(path, "--port", port) as (_, address):
        assert address == f"127.0.0.1:{port}"


def test_a_port_in_use_is_one_line(cli, path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = cli("serve", path, "--port", port)
    assert outcome.exit_code == 1
    assert outcome.err == f"error: cannot listen at 127.0.0.1:{port}: Address already in use\n"


def test_a_core_that_cannot_be_read_does_not_hide_the_others(cli, path, ids):
    damage.write(path, damage.LOG.head, b"\xff")
    with socket.create_server(("127.0.0.1", 0)) as taken:  # it would run for ever
        outcome = cli("serve", path, "--port", taken.getsockname()[1])
    assert outcome.lines == [f"{ids[1]} 2"]
    assert outcome.err.startswith(f"error: {path}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--name", "nobody"], "no core is named 'nobody'"), ([], "no such directory")],
    ids=["name", "directory"],
)
def test_what_is_not_there_is_not_served(cli, path, arguments, message):
    outcome = cli("serve", path if arguments else path / "new", *arguments)
    assert (outcome.exit_code, outcome.out) == (1, b"")
    assert message in outcome.err


@pytest.mark.parametrize("arguments", [["--port", "65536"], ["--port", "http"], ["--core", "x"]])
def test_wrong_use_is_told_apart_from_failure(cli, path, arguments):
    assert cli("serve", path, *arguments).exit_code == 2


def test_an_empty_host_does_not_stand_for_all_addresses(cli, path):
    with socket.create_server(("127.0.0.1", 0)) as taken:  # it would run for ever
        outcome = cli("serve", path, "--host", "", "--port", taken.getsockname()[1])
    assert (outcome.exit_code, outcome.out) == (2, b"")
    assert "argument --host: a host has at least one character" in outcome.err


def test_a_store_that_is_open_elsewhere_is_named(cli, path):
    with Corestore(path):
        outcome = cli("serve", path)
    assert (outcome.exit_code, "already open" in outcome.err) == (1, True)


def test_help_has_an_example(cli):
    assert "  python -m hypercore serve ./data\n" in cli("serve", "--help").out.decode()
