"""File objects: reading, seeking and writing as with files of a disk, in memory that does not grow."""

import io
import json
import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypercore import Corestore, Hyperdrive
from hypercore.errors import (
    BadArgument,
    BlockNotAvailable,
    InvalidOperation,
    NoSuchFile,
    NotWritable,
)
from tests.memory import traced

DATA = os.urandom(200_001)


@pytest.fixture(scope="module")
def full_drive():
    """A drive with the same data as a plain file, and as pieces with a block map."""
    with Corestore() as store, Hyperdrive(store) as drive:
        drive.put("/before", bytes(100))
        drive.put("/file", DATA)
        with drive.open("/map", "wb", dedup=True) as file:
            file.write(DATA)
        with drive.blobs.writer() as writer:
            for start in range(0, len(DATA), 30_000):
                writer.write(b"")
                writer.write(DATA[start : start + 30_000])
        drive.put_entry("/pieces", blob=writer.id)
        drive.put("/behind", bytes(100))
        yield drive


EVERY_FILE = pytest.mark.parametrize("path", ["/file", "/map", "/pieces"])


@EVERY_FILE
def test_a_file_is_read_whole_and_copied(full_drive, path):
    with full_drive.open(path) as file:
        assert file.read() == DATA
        assert file.read() == b""
    target = io.BytesIO()
    with full_drive.open(path, "rb") as file:
        shutil.copyfileobj(file, target)
    assert target.getvalue() == DATA


POSITIONS = st.integers(0, len(DATA) + 10)
STEPS = st.tuples(st.sampled_from(["read", "seek", "back", "end"]), POSITIONS)


@EVERY_FILE
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=12))
def test_reading_and_seeking_are_those_of_a_file_in_memory(full_drive, path, steps):
    model = io.BytesIO(DATA)
    with full_drive.open(path) as file:
        for step, number in steps:
            if step == "read":
                assert file.read(number % 70_000) == model.read(number % 70_000)
            elif step == "end":
                assert file.seek(-(number % 1000), io.SEEK_END) == model.seek(-(number % 1000), io.SEEK_END)
            else:
                back = min(number, model.tell()) if step == "back" else model.tell() - number
                assert file.seek(model.tell() - back) == model.seek(model.tell() - back)
            assert file.tell() == model.tell()


def test_a_position_that_does_not_exist_is_refused(full_drive):
    with full_drive.open("/file") as file:
        for offset, whence in ((-1, io.SEEK_SET), (-len(DATA) - 1, io.SEEK_END), (0, 7)):
            with pytest.raises(ValueError, match=r"whence|negative"):
                file.seek(offset, whence)


def test_a_closed_file_is_not_read(full_drive):
    file = full_drive.open("/file")
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read()
    raw = full_drive.open("/file").detach()
    raw.close()
    with pytest.raises(ValueError, match="closed"):
        raw.seek(0)


@pytest.mark.parametrize("path", ["/missing", "/link"])
def test_what_is_no_file_is_not_opened(drive, path):
    drive.symlink("/link", "/missing")
    with pytest.raises(NoSuchFile) as caught:
        drive.open(path)
    assert isinstance(caught.value, FileNotFoundError)
    assert path in str(caught.value)


def test_a_link_is_followed_when_it_is_asked_for(drive):
    drive.put("/file", b"data")
    drive.symlink("/link", "/file")
    with drive.open("/link", follow=True) as file:
        assert file.read() == b"data"


@pytest.mark.parametrize("mode", ["r", "w", "ab", "r+b", ""])
def test_only_two_modes_are_known(drive, mode):
    with pytest.raises(BadArgument, match="mode"):
        drive.open("/file", mode)
    with pytest.raises(BadArgument, match="mode"):
        drive.snapshot().open("/file", "wb")


def test_reading_goes_on_when_a_missing_block_has_come(drive):
    drive.put("/file", DATA)
    with drive.open("/file") as file:
        start = file.read(10)
        drive.blobs.core.clear(1)
        file.seek(70_000)
        with pytest.raises(BlockNotAvailable) as caught:
            file.read(10)
        assert caught.value.index == 1
        file.seek(140_000)
        assert file.read(10) == DATA[140_000:140_010]
    assert start == DATA[:10]


# --- writing ------------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.sampled_from([0, 1, 1000, 65535, 65536, 65537, 150_000]), max_size=6))
def test_what_is_written_in_pieces_has_the_blocks_of_what_is_put(sizes):
    data = bytes(range(251)) * (sum(sizes) // 251 + 1)
    with Corestore() as store, Hyperdrive(store) as drive:
        position = 0
        with drive.open("/streamed", "wb") as file:
            for size in sizes:
                assert file.write(data[position : position + size]) == size
                position += size
        drive.put("/put", data[:position])
        assert drive.get("/streamed") == data[:position]
        put, streamed = (entry.blob for entry in drive)
        assert put is not None
        assert streamed is not None
        assert (streamed.block_length, streamed.byte_length) == (put.block_length, put.byte_length)


def test_options_are_stored_with_the_file(drive):
    with drive.open("/run", "wb", executable=True, metadata={"a": 1}) as file:
        file.write(b"#!")
    [entry] = drive
    assert (entry.executable, entry.metadata) == (True, {"a": 1})


def test_buffers_of_other_types_are_written_too(drive):
    with drive.open("/file", "wb") as file:
        file.write(bytearray(b"ab"))
        file.write(memoryview(b"abcdef")[2:4])
    assert drive.get("/file") == b"abcd"


def test_a_file_object_goes_into_others(drive):
    with io.TextIOWrapper(drive.open("/json", "wb"), encoding="utf-8") as text:
        json.dump({"ä": 1}, text, ensure_ascii=False)
    with io.TextIOWrapper(drive.open("/json"), encoding="utf-8") as text:
        assert json.load(text) == {"ä": 1}


def test_a_file_is_there_when_it_is_closed_and_not_before(drive):
    drive.put("/file", b"old")
    file = drive.open("/file", "wb")
    file.write(DATA)
    file.flush()
    assert drive.get("/file") == b"old"
    file.close()
    file.close()
    assert drive.get("/file") == DATA
    with pytest.raises(ValueError, match="closed"):
        file.write(b"x")


def write_and_fail(file):
    with file:
        file.write(DATA)
        raise ZeroDivisionError


def test_a_file_that_is_left_by_an_exception_is_as_it_was(drive):
    drive.put("/file", b"old")
    with pytest.raises(ZeroDivisionError):
        write_and_fail(drive.open("/file", "wb"))
    assert drive.get("/file") == b"old"
    drive.put("/other", b"data")


def test_a_file_that_nobody_closes_is_not_stored(drive):
    drive.open("/file", "wb").write(DATA)  # the only reference goes at once
    assert not drive.exists("/file")
    assert not drive.blobs.locked


def test_other_data_waits_until_the_file_is_closed(drive):
    with drive.open("/file", "wb") as file:
        file.write(b"a")
        for write in (
            lambda: drive.put("/x", b"x"),
            lambda: drive.open("/x", "wb"),
            lambda: batch_put(drive),
        ):
            with pytest.raises(InvalidOperation, match="another blob is being written"):
                write()
        drive.symlink("/link", "/file")
        assert drive.delete("/nothing") is False
    assert [entry.path for entry in drive] == ["/file", "/link"]


def batch_put(drive):
    with drive.batch() as batch:
        batch.put("/x", b"x")


def test_a_file_that_is_closed_while_a_batch_writes_is_dropped(drive):
    file = drive.open("/file", "wb")
    file.write(b"a")
    with drive.batch() as batch:
        batch.symlink("/link", "/x")
        with pytest.raises(InvalidOperation, match="batch"):
            file.close()
    assert file.closed
    assert [entry.path for entry in drive] == ["/link"]
    drive.put("/file", b"data")


@pytest.mark.parametrize(("path", "metadata"), [("/..", None), ("/", None), ("/x", object())])
def test_what_cannot_be_stored_is_refused_at_once(drive, path, metadata):
    with pytest.raises(BadArgument):
        drive.open(path, "wb", metadata=metadata)
    assert not drive.blobs.locked


def test_a_foreign_drive_is_not_written(drive):
    drive.put("/file", b"data")
    with Corestore() as store, Hyperdrive(store, drive.key) as foreign:
        for write in (lambda: foreign.open("/x", "wb"), lambda: foreign.put("/x", b"x"), foreign.batch):
            with pytest.raises(NotWritable):
                write()


def test_memory_does_not_grow_with_the_file(tmp_path):
    piece = os.urandom(1 << 20)
    with Corestore(tmp_path) as store, Hyperdrive(store) as drive, traced() as memory:
        with drive.open("/large", "wb") as file:
            for _ in range(48):
                file.write(piece)
        with drive.open("/large") as source:
            size = sum(len(chunk) for chunk in iter(lambda: source.read(100_000), b""))
    assert size == 48 << 20
    assert memory.peak < 12 << 20
