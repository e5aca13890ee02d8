"""Writing processes that are killed; forked from one that has everything imported, each is there at once."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.hypercore.children import start

SERVE = (
    "import sys; from importlib import import_module; from tests.hypercore.killed_writer import serve;"
    "serve(sys.argv[1], import_module(sys.argv[2]).changes)"
)
DEAD = b"dead\n"

Changes = Callable[[str, random.Random], Iterator[None]]
"""Opens what is in a directory, and does one more random change for every step of the iterator."""


def serve(path: str, changes: Changes) -> None:
    """For each seed on the standard input, fork a writer and wait for its death.

    It says its process id first, then the number of each change that was done, all as lines.
    """
    while seed := os.read(0, 100):
        pid = os.fork()
        if pid == 0:
            write_for_ever(changes(path, random.Random(int(seed))))
        os.waitpid(pid, 0)
        os.write(1, DEAD)


def write_for_ever(changes: Iterator[None]) -> None:
    """Do random changes and acknowledge each of them."""
    try:
        os.write(1, b"%d\n" % os.getpid())
        for number, _ in enumerate(changes, 1):
            os.write(1, b"%d\n" % number)  # short enough to be written in one piece
    finally:
        os._exit(1)


class Writers:
    """One writer after the other, each killed."""

    def __init__(self, server) -> None:
        self._server = server

    def kill_one(self, seed: int, acknowledgements: int) -> int:
        """Kill a writer that acknowledged at least so many changes; return how many it did."""
        self._server.stdin.write(b"%d\n" % seed)
        self._server.stdin.flush()
        pid = int(self._server.stdout.readline())
        lines = [self._server.stdout.readline() for _ in range(acknowledgements)]
        assert DEAD not in lines, "the writer ended by itself"
        os.kill(pid, signal.SIGKILL)
        # It may have acknowledged more before it died than was waited for.
        lines += iter(self._server.stdout.readline, DEAD)
        return len(lines)


@contextmanager
def writers(path, module):
    """Give writers to a directory; the module, by its name, has the function ``changes``."""
    with start(SERVE, path, module) as server:
        yield Writers(server)
        server.stdin.close()
