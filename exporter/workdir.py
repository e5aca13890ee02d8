"""The wrapper's temporary directory: locked while the wrapper lives; the next one removes what is not.

The lock is flock(2) on the directory itself. The kernel drops it with the process, so a directory that can be
locked has no owner, however its owner ended.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "hypercore-scale-work-"

# With the suffix as mkdtemp makes it: nobody else's directory, and no storage, may ever look like a leftover.
PATTERN = PREFIX + 8 * "[a-z0-9_]"


@contextmanager
def work_directory() -> Iterator[Path]:
    """A new, locked directory under the system's temporary directory; removed at the end."""
    path, lock = _create()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def remove_leftovers() -> list[Path]:
    """Remove the directories of wrappers that no longer run; the ones removed. Those in use stay."""
    removed = []
    for path in sorted(Path(tempfile.gettempdir()).glob(PATTERN)):
        lock = _lock(path)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
            removed.append(path)
    return removed


def _create() -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = _lock(path)
        # A wrapper that starts at this very moment may have swept the directory up before it was locked.
        if lock is not None:
            if path.exists():
                return path, lock
            os.close(lock)


def _lock(path: Path) -> int | None:
    """Lock a directory of ours: the descriptor that holds the lock, or None if it cannot be had."""
    with suppress(OSError):
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(fd).st_uid == os.getuid():
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return fd
        except OSError:
            os.close(fd)
            raise
        os.close(fd)
    return None
