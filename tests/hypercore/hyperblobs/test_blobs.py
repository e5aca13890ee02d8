"""Blobs: what is put is read again, whole, in parts and in pieces; what is not there is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Corestore, Hyperblobs, Hypercore
from hypercore.core import MAX_BLOCK_BYTES
from hypercore.errors import BadArgument, BlockNotAvailable, Closed, InvalidOperation, NotWritable
from hypercore.hyperblobs import BLOCK_BYTES, BlobId

DATA = bytes(range(95))


@pytest.fixture
def blobs(core):
    """Blobs of 10 bytes a block, behind another blob."""
    blobs = Hyperblobs(core, block_size=10)
    blobs.put(b"something before")
    return blobs


def fail(context, work):
    """Leave a context by an exception, after some work in it."""
    with context as entered:
        work(entered)
        raise ZeroDivisionError


def test_a_blob_is_read_as_it_was_put(blobs):
    blob = blobs.put(DATA)
    assert blob == BlobId(2, 16, 10, 95)
    assert blobs.get(blob) == DATA
    assert list(blobs.read_stream(blob)) == [DATA[start : start + 10] for start in range(0, 95, 10)]
    assert blobs.byte_length(blob) == 95


def test_no_data_takes_no_block(blobs):
    blob = blobs.put(b"")
    assert blob == BlobId(2, 16, 0, 0)
    assert blobs.get(blob) == b""
    assert blobs.core.length == 2


def test_blocks_have_64_kib_unless_told_otherwise(core):
    blobs = Hyperblobs(core)
    assert blobs.put(bytes(BLOCK_BYTES + 1)).block_length == 2
    assert blobs.put(bytes(10), block_size=4).block_length == 3
    with pytest.raises(BadArgument):
        Hyperblobs(core, block_size=0)
    for size in (0, -1):
        with pytest.raises(BadArgument, match="a block size is at least 1"):
            blobs.put(b"data", block_size=size)


@given(data=st.binary(max_size=60), size=st.integers(1, 20), edges=st.tuples(*[st.integers(0, 60)] * 2))
def test_a_part_of_a_blob_is_that_slice_of_the_data(data, size, edges):
    start, end = sorted(min(edge, len(data)) for edge in edges)
    for dedup in (False, True):
        with Hyperblobs(Hypercore()) as blobs:
            blobs.put(b"before")
            with blobs.writer(dedup=dedup) as writer:
                for piece in range(0, len(data), size):
                    writer.write(data[piece : piece + size])
            blobs.put(b"behind")
            assert blobs.get(writer.id) == data
            assert blobs.get(writer.id, start, end - start) == data[start:end]
            assert b"".join(blobs.read_stream(writer.id, start)) == data[start:]


@pytest.mark.parametrize(("start", "length"), [(-1, 2), (0, 96), (96, None), (90, 6), (3, -1)])
def test_a_part_that_is_not_in_the_blob_is_refused(blobs, start, length):
    blob = blobs.put(DATA)
    blobs.put(b"the next blob is not read")
    for read in (blobs.get, blobs.read_stream):
        with pytest.raises(BadArgument, match="not in a blob of 95 bytes"):
            read(blob, start, length)


def test_something_else_than_bytes_is_refused(blobs):
    for write in (blobs.put, blobs.batch().put, lambda data: blobs.writer().write(data)):
        with pytest.raises(BadArgument, match="bytes, found str"):
            write("text")


def test_a_blob_that_is_cleared_is_missing_and_the_others_are_not(blobs):
    first, second = blobs.put(DATA), blobs.put(DATA)
    blobs.clear(first)
    assert (blobs.has(first), blobs.has(second)) == (False, True)
    with pytest.raises(BlockNotAvailable) as caught:
        blobs.get(first)
    assert (caught.value.index, caught.value.hints) == (2, tuple(range(3, 12)))
    assert blobs.get(second) == DATA


def test_a_snapshot_keeps_what_is_cleared(blobs):
    blob = blobs.put(DATA)
    with blobs.snapshot() as snapshot:
        blobs.clear(blob)
        assert snapshot.get(blob) == DATA


def test_blobs_of_a_foreign_core_cannot_be_written(core):
    blobs = Hyperblobs(Hypercore(key=core.key))
    with pytest.raises(NotWritable):
        blobs.put(b"data")
    assert not blobs.locked


def test_a_blob_joins_a_commit_over_several_cores():
    with Corestore() as store:
        blobs, log = Hyperblobs(store.get(name="blobs")), store.get(name="log")
        with store.commit() as commit:
            blob = blobs.put(DATA, commit=commit)
            log.append(b"entry", commit=commit)
            assert blobs.core.length == 0
        assert blobs.get(blob) == DATA
        with pytest.raises(ZeroDivisionError):
            fail(store.commit(), lambda commit: blobs.put(DATA, commit=commit))
        assert blobs.core.length == 1


# --- writers ------------------------------------------------------------------------------------------------


def test_each_piece_that_is_written_is_a_block(blobs):
    with blobs.writer() as writer:
        for piece in (b"one", b"", b"two"):
            assert writer.write(piece) == len(piece)
        with pytest.raises(InvalidOperation, match="finished"):
            _ = writer.id
    assert writer.id == BlobId(2, 16, 3, 6)
    assert list(blobs.core.read_stream(2)) == [b"one", b"", b"two"]
    assert list(blobs.read_stream(writer.id)) == [b"one", b"two"]


def test_nothing_else_is_written_while_a_blob_is(blobs):
    writer = blobs.writer()
    assert blobs.locked
    for write in (lambda: blobs.put(b"x"), blobs.writer, lambda: blobs.batch().put(b"x")):
        with pytest.raises(InvalidOperation, match="another blob is being written"):
            write()
    writer.close()
    writer.close()
    assert blobs.get(blobs.put(b"x")) == b"x"
    with pytest.raises(Closed):
        writer.write(b"x")


def test_what_nobody_has_any_more_keeps_nobody_from_writing(blobs):
    blobs.writer().write(b"x")
    blobs.batch().put(b"x")
    assert not blobs.locked
    assert blobs.get(blobs.put(b"y")) == b"y"


def test_a_writer_that_is_left_by_an_exception_stores_no_more(blobs):
    with pytest.raises(ZeroDivisionError):
        fail(blobs.writer(), lambda writer: writer.write(b"x"))
    assert (blobs.core.length, blobs.locked) == (2, False)


def test_a_writer_whose_blocks_cannot_be_appended_is_over(blobs):
    writer = blobs.writer()
    writer.write(b"small")
    with pytest.raises(BadArgument, match="a block has at most"):
        writer.write(bytes(MAX_BLOCK_BYTES + 1))
    for use in (lambda: writer.write(b"more"), writer.finish):
        with pytest.raises(Closed):
            use()
    assert (blobs.core.length, blobs.locked) == (2, False)


def test_a_blob_whose_core_somebody_else_writes_to_is_refused(blobs):
    writer = blobs.writer()
    writer.write(b"x")
    blobs.core.append(b"between")
    with pytest.raises(InvalidOperation, match="changed by somebody else"):
        writer.finish()
    assert not blobs.locked


def test_a_long_blob_is_appended_bit_by_bit(blobs):
    with blobs.writer() as writer:
        for _ in range(40):
            writer.write(b"x")
        assert blobs.core.length == 2 + 32
    assert writer.id.block_length == 40


def test_equal_pieces_are_stored_once(blobs):
    with blobs.writer(dedup=True) as writer:
        for piece in (b"a", b"b", b"a"):
            writer.write(piece)
    first = writer.id
    assert first.block_map
    assert blobs.core.length == 2 + 2 + 1
    with blobs.writer(dedup=True, known=first) as writer:
        for piece in (b"b", b"c", b"a"):
            writer.write(piece)
    assert blobs.core.length == 5 + 1 + 1
    assert [blobs.get(each) for each in (first, writer.id)] == [b"aba", b"bca"]


def test_clearing_a_blob_with_a_map_clears_data_and_map(blobs):
    with blobs.writer(dedup=True) as writer:
        writer.write(b"a")
        writer.write(b"b")
    blobs.clear(writer.id)
    assert not any(blobs.core.has(index) for index in (2, 3, 4))
    assert not blobs.has(writer.id)
    assert blobs.core.has(0, 2)


def test_a_known_blob_that_is_missing_leaves_the_blobs_unlocked(blobs):
    blob = blobs.put(DATA)
    blobs.clear(blob)
    with pytest.raises(BlockNotAvailable):
        blobs.writer(dedup=True, known=blob)
    assert not blobs.locked


# --- batches ------------------------------------------------------------------------------------------------


def test_a_batch_is_stored_at_once_and_read_before(blobs):
    with blobs.batch() as batch:
        ids = [batch.put(data) for data in (b"one", b"", DATA)]
        assert [batch.get(each) for each in ids] == [b"one", b"", DATA]
        assert batch.get(ids[2], 5, 20) == DATA[5:25]
        with pytest.raises(BadArgument):
            batch.get(ids[0], 2, 2)
        assert batch.get(BlobId(0, 0, 2, 16)) == b"something before"
        assert blobs.core.length == 2
    assert [blobs.get(each) for each in ids] == [b"one", b"", DATA]


def test_a_batch_that_is_closed_stores_nothing(blobs):
    batch = blobs.batch()
    batch.put(DATA)
    batch.close()
    batch.close()
    assert (blobs.core.length, blobs.locked) == (2, False)
    with pytest.raises(Closed):
        batch.put(b"x")
    with pytest.raises(Closed):
        batch.flush()


def test_a_batch_that_is_left_by_an_exception_stores_nothing(blobs):
    with pytest.raises(ZeroDivisionError):
        fail(blobs.batch(), lambda batch: batch.put(DATA))
    assert (blobs.core.length, blobs.locked) == (2, False)


def test_a_batch_does_not_hold_more_than_it_should(core):
    blobs = Hyperblobs(core)
    data = bytes(6 << 20)
    with blobs.batch() as batch:
        ids = [batch.put(data) for _ in range(4)]
        assert core.byte_length == 3 * len(data)
        assert [batch.get(each) == data for each in ids] == [True] * 4
    assert core.byte_length == 4 * len(data)


def test_a_very_large_blob_is_not_one_commit(core, monkeypatch):
    monkeypatch.setattr("hypercore.hyperblobs.blobs._COMMIT_BYTES", 50)
    blobs = Hyperblobs(core, block_size=1)
    blob = blobs.put(DATA)
    assert blob == BlobId(0, 0, 95, 95)
    assert blobs.get(blob) == DATA
