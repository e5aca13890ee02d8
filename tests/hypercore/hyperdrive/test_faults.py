"""Drives on a store whose writes fail: an entry and its data are both there, or neither is."""

import sys
from itertools import count

import pytest

from hypercore import Corestore, Hyperdrive
from hypercore.errors import StorageError
from tests.hypercore.faults import FaultyStore
from tests.hypercore.hyperdrive.plain_drive import files_of

DISK_FULL = StorageError("disk full")
OLD = {"/a": (b"old", False), "/b": (b"old", False)}


@pytest.fixture
def faulty(store, monkeypatch):
    """The key-value store below the drive's Corestore, told to fail."""
    database = store._cores._database
    faulty = FaultyStore(database.store)
    monkeypatch.setattr(database, "store", faulty)
    return faulty


@pytest.fixture
def drive(faulty, store):
    with Hyperdrive(store) as drive:
        for path in OLD:
            drive.put(path, b"old")
        yield drive


def batch(drive):
    with drive.batch() as batch:
        batch.put("/a", b"new")
        batch.delete("/b")


def stream(drive):
    with drive.open("/a", "wb") as file:
        file.write(b"new")


WRITES = {
    "put": (lambda drive: drive.put("/a", b"new"), OLD | {"/a": (b"new", False)}),
    "symlink": (lambda drive: drive.symlink("/c", "/a"), OLD | {"/c": "/a"}),
    "delete": (lambda drive: drive.delete("/b"), {"/a": (b"old", False)}),
    "batch": (batch, {"/a": (b"new", False)}),
    "stream": (stream, OLD | {"/a": (b"new", False)}),
}
EVERY_WRITE = pytest.mark.parametrize(("write", "new"), WRITES.values(), ids=WRITES)


def states(drive):
    return drive.core.length, drive.blobs.core.length


@EVERY_WRITE
def test_a_write_that_fails_changes_nothing(drive, faulty, write, new):
    before = states(drive)
    with faulty.failing(DISK_FULL), pytest.raises(StorageError, match="disk full"):
        write(drive)
    assert files_of(drive) == OLD
    assert states(drive) == before
    assert not drive.blobs.locked
    write(drive)
    assert files_of(drive) == new


@EVERY_WRITE
def test_a_write_that_fails_although_it_happened_is_seen_as_a_whole(drive, faulty, store, write, new):
    with faulty.failing(DISK_FULL, when="after"), pytest.raises(StorageError):
        write(drive)
    assert files_of(drive) == new
    assert files_of(Hyperdrive(store)) == new
    drive.put("/d", b"next")
    assert files_of(drive) == new | {"/d": (b"next", False)}
    assert all(core.verify() and core.audit() == [] for core in (drive.core, drive.blobs.core))


def next_in_batch(drive):
    with drive.batch() as batch:
        batch.put("/next", b"next")


def next_in_stream(drive, **options):
    with drive.open("/next", "wb", **options) as file:
        file.write(b"next")


NEXT = {
    "put": lambda drive: drive.put("/next", b"next"),
    "batch": next_in_batch,
    "stream": next_in_stream,
    "deduplicated": lambda drive: next_in_stream(drive, dedup=True),
}


@EVERY_WRITE
@pytest.mark.parametrize("write_next", NEXT.values(), ids=NEXT)
@pytest.mark.parametrize("error", [DISK_FULL, KeyboardInterrupt()], ids=["failed", "interrupted"])
def test_what_comes_behind_a_write_that_nobody_has_seen_follows_it(
    drive, faulty, store, write, new, write_next, error
):
    """As when an interrupt comes just behind the write, before the cores in memory have heard of it."""
    with faulty.failing_behind_writes(error), pytest.raises(type(error)):
        write(drive)
    write_next(drive)
    assert files_of(drive) == files_of(Hyperdrive(store)) == new | {"/next": (b"next", False)}
    assert all(core.verify() and core.audit() == [] for core in (drive.core, drive.blobs.core))


def test_a_long_stream_that_fails_in_the_middle_leaves_the_file_as_it_was(drive, faulty):
    file = drive.open("/a", "wb")
    file.write(bytes(3 << 20))
    with faulty.failing(DISK_FULL), pytest.raises(StorageError):
        file.write(bytes(3 << 20))
    assert file.closed
    assert files_of(drive) == OLD
    drive.put("/a", b"new")
    assert drive.get("/a") == b"new"


def test_an_interrupted_put_changes_nothing(drive, faulty):
    with faulty.failing(KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        drive.put("/a", b"new")
    assert files_of(drive) == OLD


def is_interrupted(run, line):
    """Run a function and interrupt it at a line, counted from 0, of those of drives, bees and blobs."""
    lines = count()

    def trace_line(frame, event, argument):
        if event == "line" and next(lines) == line:
            raise KeyboardInterrupt
        return trace_line

    def trace_call(frame, event, argument):
        return trace_line if "/hypercore/hyper" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(trace_call)
    try:
        run()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


# Where nobody is left to be interrupted, in __del__, Python only tells.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("write", [batch, stream], ids=["batch", "stream"])
def test_an_interrupt_at_any_line_leaves_a_drive_that_can_be_written(write):
    for line in count():
        with Corestore() as store, Hyperdrive(store) as drive:
            for path in OLD:
                drive.put(path, b"old")
            if not is_interrupted(lambda drive=drive: write(drive), line):
                break
            write(drive)
            drive.put("/next", b"next")
            assert drive.get("/a") == b"new"
            assert files_of(drive) == files_of(Hyperdrive(store))


def test_a_store_that_was_reopened_has_all_or_nothing(tmp_path):
    with Corestore(tmp_path) as store, Hyperdrive(store) as drive:
        drive.put("/a", b"data")
    with Corestore(tmp_path) as store, Hyperdrive(store) as drive:
        assert files_of(drive) == {"/a": (b"data", False)}
