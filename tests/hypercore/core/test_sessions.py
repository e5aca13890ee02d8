import gc

import pytest

from hypercore.errors import BadArgument, BlockNotAvailable, Closed, InvalidOperation, NotWritable


@pytest.fixture
def filled(core):
    core.append([b"a", b"b", b"c"])
    return core


def test_a_session_sees_and_makes_the_same_changes(filled):
    session = filled.session()
    session.append(b"d")
    filled.truncate(2)
    assert list(session.read_stream()) == [b"a", b"b"]
    assert session.fork == 1


def test_closing_a_session_leaves_the_core_open(filled):
    filled.session().close()
    assert filled.get(0) == b"a"


def test_closing_the_core_closes_its_sessions_and_snapshots(filled):
    views = [filled.session(), filled.snapshot(), filled.session("branch")]
    filled.close()
    for view in views:
        with pytest.raises(Closed):
            view.get(0)


def test_a_snapshot_stays_as_it_was(filled):
    with filled.snapshot() as snapshot:
        filled.truncate(1)
        filled.append(b"x")
        assert list(snapshot.read_stream()) == [b"a", b"b", b"c"]
        assert (snapshot.length, snapshot.fork, snapshot.byte_length) == (3, 0, 3)
        assert snapshot.verify()


def test_a_snapshot_keeps_blocks_that_are_cleared_later(filled):
    with filled.snapshot() as snapshot:
        filled.clear(0, 3)
        assert snapshot.get_many(range(3)) == [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda core: core.append(b"x"), id="append"),
        pytest.param(lambda core: core.truncate(0), id="truncate"),
        pytest.param(lambda core: core.clear(0), id="clear"),
        pytest.param(lambda core: core.purge(), id="purge"),
    ],
)
def test_a_snapshot_cannot_be_changed(filled, change):
    snapshot = filled.snapshot()
    assert not snapshot.writable
    with pytest.raises(NotWritable, match="snapshot"):
        change(snapshot)
    assert filled.length == 3


def test_a_batch_is_one_commit_with_one_signature(filled):
    with filled.batch() as batch:
        batch.append(b"d")
        batch.append([b"e", b"f"])
        assert batch.length == 6
        assert (batch.get(0), batch.get(5)) == (b"a", b"f")
        assert filled.length == 3
    assert list(filled.read_stream()) == [b"a", b"b", b"c", b"d", b"e", b"f"]
    assert filled.verify()


def test_a_batch_that_an_exception_leaves_changes_nothing(filled):
    with pytest.raises(BadArgument), filled.batch() as batch:
        batch.append([b"d", "no bytes"])
    assert filled.length == 3


def test_a_batch_on_a_core_that_grew_meanwhile_is_refused(filled):
    batch = filled.batch()
    batch.append(b"d")
    filled.append(b"other")
    with pytest.raises(InvalidOperation, match="had 3 blocks"):
        batch.flush()
    assert filled.length == 4


def test_a_batch_is_over_after_its_flush(filled):
    batch = filled.batch()
    assert batch.flush() == 3
    with pytest.raises(Closed):
        batch.append(b"d")
    with pytest.raises(Closed):
        batch.flush()


@pytest.mark.parametrize("index", [3, 2**60])
def test_a_batch_has_no_block_behind_its_end(filled, index):
    with pytest.raises(BlockNotAvailable):
        filled.batch().get(index)


def test_views_that_nobody_holds_are_forgotten(filled):
    filled.snapshot()
    gc.collect()
    assert not list(filled._sessions)
