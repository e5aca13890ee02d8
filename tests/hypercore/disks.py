"""Directories whose disk is full, or cannot be written to, for as long as a test wants.

Each kind comes in two ways: one that works for everybody, and a file system of its own where one may be
mounted.
"""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

import pytest

_FREE_BYTES = 300_000
_NOBODY = 65534


@cache
def can_mount() -> bool:
    """Return whether this process may mount a file system."""
    with tempfile.TemporaryDirectory() as directory:
        try:
            with _tmpfs(Path(directory)):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


@contextmanager
def _tmpfs(directory: Path) -> Iterator[None]:
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", directory], check=True, capture_output=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)


class Disk:
    """A directory, and what happens to its disk: a context manager that does it and undoes it."""

    def __init__(self, path: Path, trouble: Callable[..., AbstractContextManager[None]]) -> None:
        self.path = path
        self.trouble = trouble


@contextmanager
def disk_with_a_file_limit() -> Iterator[Disk]:
    """Give a disk on which files cannot grow when it is full."""

    @contextmanager
    def full(free_bytes: int = _FREE_BYTES) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (free_bytes, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    with tempfile.TemporaryDirectory() as directory:
        yield Disk(Path(directory), full)


@contextmanager
def disk_of_8_mb() -> Iterator[Disk]:
    """Give a small disk."""
    with tempfile.TemporaryDirectory() as name, _tmpfs(Path(name)):

        @contextmanager
        def full(free_bytes: int = _FREE_BYTES) -> Iterator[None]:
            ballast = Path(name, "ballast")
            usage = os.statvfs(name)
            ballast.write_bytes(bytes(usage.f_bavail * usage.f_frsize - free_bytes))
            try:
                yield
            finally:
                ballast.unlink()

        yield Disk(Path(name), full)


@contextmanager
def directory_of_somebody_else() -> Iterator[Disk]:
    """Give a directory that only its owner may write to; everybody is somebody else, root becomes nobody."""
    with tempfile.TemporaryDirectory() as name:

        @contextmanager
        def protected() -> Iterator[None]:
            user = os.geteuid()
            _change_modes(name, 0o555, 0o444)
            if user == 0:
                os.seteuid(_NOBODY)
            try:
                yield
            finally:
                if user == 0:
                    os.seteuid(user)
                _change_modes(name, 0o755, 0o644)

        yield Disk(Path(name), protected)


def _change_modes(top: str, of_directories: int, of_files: int) -> None:
    for directory, _, files in os.walk(top):
        os.chmod(directory, of_directories)
        for file in files:
            os.chmod(os.path.join(directory, file), of_files)


@contextmanager
def file_system_without_writing() -> Iterator[Disk]:
    """Give a file system that can be mounted read-only."""
    with tempfile.TemporaryDirectory() as name, _tmpfs(Path(name)):

        @contextmanager
        def read_only() -> Iterator[None]:
            subprocess.run(["mount", "-o", "remount,ro", name], check=True)
            try:
                yield
            finally:
                subprocess.run(["mount", "-o", "remount,rw", name], check=True)

        yield Disk(Path(name), read_only)


FULL_DISKS = [pytest.param(disk_with_a_file_limit, id="file-limit")]
PROTECTED_DIRECTORIES = [pytest.param(directory_of_somebody_else, id="permissions")]
if can_mount():
    FULL_DISKS.append(pytest.param(disk_of_8_mb, id="file-system"))
    PROTECTED_DIRECTORIES.append(pytest.param(file_system_without_writing, id="file-system"))
