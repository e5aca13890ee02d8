"""One child process in a process group of its own: its report, its output, its end - and nothing left of it.

All waiting happens in one selector: both pipes, the child's exit, the request to stop, and the deadline.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from exporter.stopping import Canceled, Stop

REPORT_LIMIT = 16 * 1024 * 1024
OUTPUT_LIMIT = 16 * 1024

# The most that a pipe holds by itself, with the largest pages there are: one read takes all of it.
READ_AT_ONCE = 1024 * 1024

# How long a child may take to obey SIGTERM, and then the kernel to carry out SIGKILL.
GRACE_S = 1.0


@dataclass(frozen=True)
class Ending:
    """How a child ended. ``exit_status`` is as in subprocess: negative for a signal."""

    exit_status: int
    timed_out: bool
    report: list[bytes]
    output: str


class _Pipe:
    """A pipe whose last ``limit`` bytes are kept; reading never blocks."""

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self.read_fd, self.write_fd = os.pipe()
        os.set_blocking(self.read_fd, False)
        self._limit = limit

    def read(self) -> bool:
        """Take what is there now, and no more: a writer may be faster. False when all have closed it."""
        try:
            chunk = os.read(self.read_fd, READ_AT_ONCE)
        except BlockingIOError:
            return True
        self.data += chunk
        del self.data[: -self._limit]
        return bool(chunk)


def run_child(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    stop: Stop,
) -> Ending:
    """Run ``command --report-fd N`` to its end and collect the lines it writes to that descriptor.

    The child's process group is killed when the child ends, after ``timeout_s`` seconds, and on ``stop``.
    When this process is killed itself, the pipe behind the descriptor breaks: that is how the child can tell.

    Raises:
        Canceled: it was stopped; the child is gone.
        OSError: it could not be started.
    """
    report, output = _Pipe(REPORT_LIMIT), _Pipe(OUTPUT_LIMIT)
    try:
        process = _start(command, directory, environment, report.write_fd, output.write_fd)
        try:
            left_before = _wait(process.pid, (report, output), timeout_s, stop)
        finally:
            _bury(process)
        for pipe in (report, output):
            pipe.read()
    finally:
        os.close(report.read_fd)
        os.close(output.read_fd)
    if left_before == "stop":
        raise Canceled
    return Ending(
        exit_status=-signal.SIGKILL if process.returncode is None else process.returncode,
        timed_out=left_before == "timeout",
        report=bytes(report.data).splitlines(),
        output=output.data.decode(errors="replace"),
    )


def _start(
    command: Sequence[str], directory: Path, environment: Mapping[str, str], report_fd: int, output_fd: int
) -> subprocess.Popen[bytes]:
    try:
        process = subprocess.Popen(
            [*command, "--report-fd", str(report_fd)],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output_fd,
            stderr=subprocess.STDOUT,
            pass_fds=[report_fd],
            start_new_session=True,
        )
    finally:
        os.close(report_fd)
        os.close(output_fd)
    # When memory runs out, the kernel shall pick the experiment and not the process that reports on it.
    with suppress(OSError):
        Path(f"/proc/{process.pid}/oom_score_adj").write_text("500")
    return process


def _wait(pid: int, pipes: Sequence[_Pipe], timeout_s: float, stop: Stop) -> str:
    """Read the pipes until the child has exited, by itself or because it had to; what came first."""
    exit_fd = _fd_closed_on_exit(pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(exit_fd, selectors.EVENT_READ, "exit")
            selector.register(stop, selectors.EVENT_READ, "stop")
            for pipe in pipes:
                selector.register(pipe.read_fd, selectors.EVENT_READ, pipe)
            first = came = _next(selector, timeout_s)
            selector.unregister(stop)
            for number in (signal.SIGTERM, signal.SIGKILL):
                if came != "exit":
                    _signal_group(pid, number)
                    came = _next(selector, GRACE_S)
            return first
    finally:
        os.close(exit_fd)


def _next(selector: selectors.BaseSelector, timeout_s: float) -> str:
    """Read pipes until something else happens: "exit", "stop" or "timeout"."""
    deadline = time.monotonic() + timeout_s
    left_s = timeout_s
    while left_s > 0:  # however much is ready: with a child that never stops writing, something always is
        for key, _ in selector.select(left_s):
            if isinstance(key.data, str):
                return key.data
            if not key.data.read():
                selector.unregister(key.fd)
        left_s = deadline - time.monotonic()
    return "timeout"


def _fd_closed_on_exit(pid: int) -> int:
    """A descriptor that becomes readable when the child has exited, while its process id is still its own."""
    read_fd, write_fd = os.pipe()

    def watch() -> None:
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        os.close(write_fd)

    threading.Thread(target=watch, name=f"exit of {pid}", daemon=True).start()
    return read_fd


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _bury(process: subprocess.Popen[bytes]) -> None:
    """Kill what the child left in its group, then reap the child itself: until then its id is ours."""
    _signal_group(process.pid, signal.SIGKILL)
    # A process stuck in the kernel (a dead network disk) outlives SIGKILL; it must not hold up the others.
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)
        _reap_orphans(process.pid)


def _reap_orphans(group: int) -> None:
    """Reap what the child had started: as process 1 of a container we are now the parent of all orphans."""

    def reap() -> None:
        with suppress(ChildProcessError):
            while True:
                os.waitpid(-group, 0)

    with suppress(ChildProcessError):
        os.waitpid(-group, os.WNOHANG)
        # There are some. They were killed a moment ago; one that is stuck must not hold up anybody, either.
        threading.Thread(target=reap, name=f"orphans of {group}", daemon=True).start()
