"""One child process: what it reports, how it ends, and that nothing of it is left."""

import ctypes
import os
import select
import signal
import sys
import threading
from pathlib import Path

import pytest

from exporter.child import OUTPUT_LIMIT, run_child
from exporter.stopping import Canceled, Stop
from tests.exporter.processes import gone
from tests.waiting import wait_for

REPORT = "import os, sys; report = int(sys.argv[sys.argv.index('--report-fd') + 1])\n"
IGNORE_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
HANG = "import signal\nwhile True: signal.pause()\n"
WRITE_FOR_EVER = "while True: os.write(1, b'x' * 65536)\n"
SPAWN_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], stdin=subprocess.DEVNULL)
open("grandchild", "w").write(str(child.pid))
"""


@pytest.fixture
def run(tmp_path):
    """Runs Python source as a child."""

    def run_source(source, *, timeout_s=60.0, stop=None):
        command = [sys.executable, "-c", REPORT + source]
        stop = stop or Stop()
        return run_child(command, directory=tmp_path, environment=os.environ, timeout_s=timeout_s, stop=stop)

    return run_source


def stop_once_there_is(path):
    """A stop that is set as soon as the child has written ``path``."""
    stop = Stop()

    def watch():
        wait_for(path.exists, f"the child to write {path.name}")
        stop.set()

    threading.Thread(target=watch, daemon=True).start()
    return stop


def test_the_lines_of_the_report_and_the_output_come_back(run):
    ending = run("os.write(report, b'one\\ntwo\\n'); print('out'); print('err', file=sys.stderr)")
    assert (ending.exit_status, ending.timed_out, ending.report) == (0, False, [b"one", b"two"])
    assert sorted(ending.output.split()) == ["err", "out"]


@pytest.mark.parametrize(
    ("source", "status"),
    [
        pytest.param("sys.exit(3)", 3, id="exit-code"),
        pytest.param("os.kill(os.getpid(), 11)", -signal.SIGSEGV, id="segmentation-fault"),
        pytest.param("os.kill(os.getpid(), 9)", -signal.SIGKILL, id="killed"),
    ],
)
def test_the_exit_status_comes_back(run, source, status):
    assert run(source).exit_status == status


def test_a_long_report_comes_back_whole_and_of_a_long_output_its_end(run):
    ending = run("os.write(report, b'x' * 1_000_000); print('y' * 1_000_000, 'the end')")
    assert len(ending.report[0]) == 1_000_000
    assert len(ending.output) == OUTPUT_LIMIT
    assert ending.output.endswith("the end\n")


@pytest.mark.parametrize("source", [HANG, IGNORE_SIGTERM + HANG], ids=["hangs", "hangs-and-ignores-SIGTERM"])
def test_a_child_that_takes_too_long_is_killed(run, source):
    assert run(source, timeout_s=0.5).timed_out


@pytest.mark.parametrize("source", [HANG, IGNORE_SIGTERM + HANG], ids=["hangs", "hangs-and-ignores-SIGTERM"])
def test_a_child_is_killed_on_request(run, tmp_path, source):
    me = "open('me', 'w').write(str(os.getpid()))\n"
    with pytest.raises(Canceled):
        run(me + source, stop=stop_once_there_is(tmp_path / "me"))
    assert gone(int((tmp_path / "me").read_text()))


@pytest.fixture
def slow_reader(monkeypatch):
    """Lets whoever reads a pipe be slower than the child: when it comes back, there is more to read."""
    read = os.read

    def slow_read(fd, size):
        data = read(fd, size)
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.poll()
        return data

    monkeypatch.setattr(os, "read", slow_read)


@pytest.mark.parametrize("before", ["", IGNORE_SIGTERM], ids=["obeys", "ignores-SIGTERM"])
@pytest.mark.usefixtures("slow_reader")
def test_a_child_that_writes_faster_than_is_read_is_killed_in_time(run, before):
    ending = run(before + WRITE_FOR_EVER, timeout_s=0.5)
    assert ending.timed_out
    assert ending.output == "x" * OUTPUT_LIMIT


@pytest.mark.usefixtures("slow_reader")
def test_a_child_that_writes_faster_than_is_read_is_killed_on_request(run, tmp_path):
    with pytest.raises(Canceled):
        run("open('me', 'w').close()\n" + WRITE_FOR_EVER, stop=stop_once_there_is(tmp_path / "me"))


def test_a_child_may_clean_up_before_it_is_killed(run, tmp_path):
    source = """
import signal
def clean_up(*_):
    open('cleaned', 'w').close()
    sys.exit()
signal.signal(signal.SIGTERM, clean_up)
open('me', 'w').close()
"""
    with pytest.raises(Canceled):
        run(source + HANG, stop=stop_once_there_is(tmp_path / "me"))
    assert (tmp_path / "cleaned").exists()


def test_a_request_made_earlier_counts_too(run):
    stop = Stop()
    stop.set()
    with pytest.raises(Canceled):
        run(HANG, stop=stop)


def test_what_the_child_started_is_killed_when_it_ends(run, tmp_path):
    run(SPAWN_A_CHILD)
    grandchild = int((tmp_path / "grandchild").read_text())
    wait_for(lambda: gone(grandchild), "the grandchild to be gone")


@pytest.fixture
def process_1():
    """Makes this process the parent of all orphans below it, as process 1 of a container is."""
    pr_set_child_subreaper = 36
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(pr_set_child_subreaper, 1, 0, 0, 0) == 0
    yield
    assert libc.prctl(pr_set_child_subreaper, 0, 0, 0, 0) == 0


@pytest.mark.usefixtures("process_1")
def test_in_a_container_what_the_child_started_leaves_no_zombies(run, tmp_path):
    run(SPAWN_A_CHILD)
    grandchild = Path("/proc", (tmp_path / "grandchild").read_text())
    wait_for(lambda: not grandchild.exists(), "the grandchild to be reaped")


def test_the_child_has_no_input(run):
    ours = os.dup(0)
    read_fd, write_fd = os.pipe()
    try:
        os.write(write_fd, b"what was typed ahead")
        os.close(write_fd)
        os.dup2(read_fd, 0)
        assert run("print(sys.stdin.read(), 'end of file')").output.strip() == "end of file"
    finally:
        os.dup2(ours, 0)
        os.close(ours)
        os.close(read_fd)


def test_when_memory_runs_out_the_child_goes_first(run):
    wait = "while int(open('/proc/self/oom_score_adj').read()) != 500: pass"
    assert run(wait).exit_status == 0


def test_a_command_that_is_not_there_cannot_be_started(tmp_path):
    with pytest.raises(OSError, match="no-such-command"):
        run_child(["no-such-command"], directory=tmp_path, environment={}, timeout_s=60, stop=Stop())


def test_no_file_descriptor_is_left_open(run):
    stop = Stop()
    before = set(os.listdir("/proc/self/fd"))
    run("print('done')", stop=stop)
    wait_for(lambda: set(os.listdir("/proc/self/fd")) == before, "all descriptors to be closed")
