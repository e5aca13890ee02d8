"""The request to stop: set by a signal, seen by whatever waits.

It imports next to nothing, so that the signal handlers are in place before the rest of the program loads.
"""

from __future__ import annotations

import os
import select
import signal
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Canceled(Exception):
    """Work was given up because the process was asked to stop."""


class Stop:
    """A flag with a file descriptor that is readable from the moment the flag is set.

    A signal handler may set it; anything that waits with a selector can wait for it too.
    """

    def __init__(self) -> None:
        self._set = False
        self._read_fd, self._write_fd = os.pipe()

    def set(self) -> None:
        """Ask everybody to stop; more than once is the same as once."""
        if not self._set:
            self._set = True
            os.write(self._write_fd, b"\0")

    def is_set(self) -> bool:
        """Whether somebody asked to stop."""
        return self._set

    def fileno(self) -> int:
        """The descriptor to wait on. Nothing is ever read from it, so it stays readable."""
        return self._read_fd

    def wait(self, timeout_s: float) -> bool:
        """Wait until the flag is set or ``timeout_s`` seconds have passed; whether it is set."""
        readable, _, _ = select.select([self._read_fd], [], [], max(0.0, timeout_s))
        return bool(readable)

    def on_signals(self) -> None:
        """Let SIGTERM and SIGINT set the flag instead of ending the process."""
        for number in SIGNALS:
            signal.signal(number, self._handle)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self.set()


def ignore_signals() -> None:
    """Ignore SIGTERM and SIGINT until the process is gone.

    The interpreter, on its way out, puts back the handlers that end a process with an exit code of their own.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
