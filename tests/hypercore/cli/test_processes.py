"""The commands as processes: pipes that close early, a full disk, a real terminal."""

import fcntl
import os
import pty
import shlex
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

import hypercore
from hypercore import Corestore, Hypercore
from tests.hypercore.cli import damage

PROGRAM = [sys.executable, "-W", "error", "-m", "hypercore"]
ROOT = Path(hypercore.__file__).parents[1]


def run(*arguments, stdin=b"", stdout=subprocess.PIPE, stderr=subprocess.PIPE):
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, input=stdin, stdout=stdout, stderr=stderr, check=False, timeout=60
    )


def run_and_read(size, *arguments):
    """Run a command, close its stdout after so many bytes, and return those, the exit code and stderr."""
    command = [*PROGRAM, *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        head = process.stdout.read(size)
        process.stdout.close()
        return head, process.wait(60), process.stderr.read()


@pytest.fixture
def large(tmp_path):
    """A Hypercore by itself with far more in it than a pipe holds."""
    with Hypercore(tmp_path) as core:
        core.append([b"%099d\n" % number for number in range(20_000)])
    return tmp_path


def test_a_command_runs_as_a_process(path):
    assert run("cat", path).stdout == b"abc\xff\n"
    assert run("cat", path / "new").returncode == 1
    assert run("dance").returncode == 2


def test_what_goes_in_comes_out(tmp_path):
    data = os.urandom(300_000)
    assert run("append", tmp_path, "--block-size", "4096", stdin=data).returncode == 0
    assert run("cat", tmp_path).stdout == data


def test_a_reader_that_has_seen_enough_is_no_error(large):
    head, exit_code, err = run_and_read(100, "cat", large)
    assert (head, exit_code, err) == (b"%099d\n" % 0, 0, b"")


def test_a_reader_that_is_gone_before_the_first_byte_is_no_error(path):
    assert run_and_read(0, "info", path)[1:] == (0, b"")
    assert run_and_read(0, "--help")[1:] == (0, b"")


@pytest.mark.parametrize("count", [1, 1000])
def test_an_audit_that_nobody_reads_still_tells_by_its_exit_code(large, count):
    damage.write_all(large, {damage.block_of_log(index): b"forged" for index in range(count)})
    assert run_and_read(0, "audit", large)[1:] == (1, b"")


@pytest.mark.parametrize("command", ["cat", "info", "append", "audit"])
def test_a_full_disk_is_one_line(path, command):
    with Path("/dev/full").open("wb") as full:
        outcome = run(command, path, stdout=full)
    assert (outcome.returncode, outcome.stderr) == (1, b"error: No space left on device\n")


@pytest.mark.parametrize("command", ["cat", "info", "append", "audit"])
def test_closed_standard_streams_are_no_traceback(path, command):
    words = shlex.join([*PROGRAM, command, str(path)])
    outcome = subprocess.run(
        ["sh", "-c", f"exec {words} <&- >&-"], cwd=ROOT, stderr=subprocess.PIPE, check=False, timeout=60
    )
    assert (outcome.returncode, outcome.stderr) == (1, b"error: stdout is closed\n")


def test_a_store_that_another_process_has_open_is_named(path):
    with Corestore(path):
        outcome = run("info", path)
    assert outcome.returncode == 1
    assert outcome.stderr.startswith(f"error: {path}".encode())
    assert outcome.stderr.count(b"\n") == 1


def test_a_real_terminal_shows_a_bar(large):
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))  # of no size at first
    outcome = run("audit", large, stderr=theirs)
    shown = os.read(ours, 4096)
    os.close(ours)
    os.close(theirs)
    assert outcome.stdout == b"1 core, 20000 blocks: nothing wrong\n"
    assert b"20.0k" in shown
