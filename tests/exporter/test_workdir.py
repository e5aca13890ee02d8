"""The temporary directory of a wrapper, and the removal of those whose wrapper was killed."""

import os
import tempfile
from pathlib import Path

import pytest

from exporter.workdir import PREFIX, remove_leftovers, work_directory


@pytest.fixture(autouse=True)
def temporary_directory(tmp_path, monkeypatch):
    """The system's temporary directory, for the length of a test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_directory_is_removed_at_the_end_with_all_that_is_in_it(temporary_directory):
    with work_directory() as path:
        (path / "experiment").mkdir()
        (path / "experiment" / "blocks").write_bytes(b"x")
    assert list(temporary_directory.iterdir()) == []


def test_the_directory_is_removed_when_the_work_in_it_fails(temporary_directory):
    with pytest.raises(ZeroDivisionError), work_directory():
        raise ZeroDivisionError
    assert list(temporary_directory.iterdir()) == []


def test_a_directory_nobody_has_locked_is_a_leftover(temporary_directory):
    leftover = temporary_directory / f"{PREFIX}abcd_123"
    (leftover / "pytest").mkdir(parents=True)
    assert remove_leftovers() == [leftover]
    assert not leftover.exists()


def test_the_directory_of_a_live_wrapper_stays():
    with work_directory() as path:
        assert remove_leftovers() == []
        assert path.is_dir()


def test_what_is_not_ours_stays(temporary_directory):
    names = ["hypercore-scale-corestore", "hypercore-scale-tests", f"{PREFIX}of-somebody"]
    for name in names:
        (temporary_directory / name).mkdir()
    (temporary_directory / f"{PREFIX}the_link").symlink_to(temporary_directory / names[0])
    (temporary_directory / f"{PREFIX}the_file").write_text("not a directory")
    assert remove_leftovers() == []
    assert len(list(temporary_directory.iterdir())) == 5


def test_a_directory_that_a_starting_wrapper_swept_up_is_made_again(temporary_directory, monkeypatch):
    made = iter([temporary_directory / f"{PREFIX}lost", temporary_directory / f"{PREFIX}kept"])

    def mkdtemp(prefix):
        path = next(made)
        if path.name != f"{prefix}lost":
            path.mkdir()
        return str(path)

    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    with work_directory() as path:
        assert path.name == f"{PREFIX}kept"


def test_a_directory_that_was_swept_up_before_it_was_locked_is_made_again(temporary_directory, monkeypatch):
    swept: list[Path] = []

    def flock(fd, operation):
        if not swept:
            [path] = temporary_directory.iterdir()
            path.rmdir()
            swept.append(path)

    monkeypatch.setattr("fcntl.flock", flock)
    with work_directory() as path:
        assert path.is_dir()
        assert path not in swept


def test_a_leftover_of_another_user_stays(temporary_directory, monkeypatch):
    leftover = temporary_directory / f"{PREFIX}abcd_123"
    leftover.mkdir()
    somebody = os.getuid() + 1
    monkeypatch.setattr("os.getuid", lambda: somebody)
    assert remove_leftovers() == []
    assert leftover.exists()
