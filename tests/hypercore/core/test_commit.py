import pytest

from hypercore import Corestore, Hypercore, KeyPair
from hypercore.errors import (
    BadArgument,
    Closed,
    InvalidOperation,
    InvalidSignature,
    NotWritable,
    StorageCorrupt,
    StorageError,
)
from hypercore.ids import encode_id
from hypercore.manifest import Manifest, Prologue, Signer
from hypercore.signing import Authority

PAIRS = [KeyPair.from_seed(bytes([number]) * 32) for number in (1, 2, 3)]


@pytest.fixture
def store():
    with Corestore() as store:
        yield store


def test_appends_of_a_commit_are_seen_together(store):
    a, b = store.get(name="a"), store.get(name="b")
    with store.commit() as commit:
        assert a.append(b"1", commit=commit) == 1
        assert b.append([b"2", b"3"], commit=commit) == 2
        assert (a.length, b.length) == (0, 0)
    assert (a.get(0), b.get(1)) == (b"1", b"3")
    assert a.verify()
    assert b.verify()


def test_a_commit_that_an_exception_leaves_changes_nothing(store):
    a, b = store.get(name="a"), store.get(name="b")

    def append_to_all():
        with store.commit() as commit:
            for core in (a, b, store.get(key=bytes(32))):
                core.append(b"1", commit=commit)

    with pytest.raises(NotWritable):
        append_to_all()
    assert (a.length, b.length) == (0, 0)
    assert (a.append(b"x"), b.append(b"y")) == (1, 1)


def test_a_core_that_was_changed_meanwhile_is_not_overwritten(store):
    a, b = store.get(name="a"), store.get(name="b")
    commit = store.commit()
    a.append(b"1", commit=commit)
    b.append(b"2", commit=commit)
    b.append(b"other")
    with pytest.raises(InvalidOperation, match="changed by another commit"):
        commit.write()
    assert (a.length, list(b.read_stream())) == (0, [b"other"])


def test_a_named_session_takes_part_in_a_commit(store):
    core = store.get(name="a")
    session = core.session("session")
    with store.commit() as commit:
        assert session.append(b"1", commit=commit) == 1
        core.append(b"2", commit=commit)
        assert (session.length, core.length) == (0, 0)
    assert (session.get(0), core.get(0)) == (b"1", b"2")


def test_a_commit_that_is_dropped_appends_nothing_to_a_named_session(store):
    session = store.get(name="a").session("session")
    commit = store.commit()
    session.append(b"1", commit=commit)
    commit.drop()
    assert session.length == 0
    assert (session.append(b"2"), session.get(0)) == (1, b"2")


def test_a_commit_changes_a_named_session_once_and_only_if_nobody_else_does(store):
    session = store.get(name="a").session("session")
    with store.commit() as commit:
        session.append(b"1", commit=commit)
        with pytest.raises(InvalidOperation, match="'session' was changed by this commit already"):
            session.append(b"2", commit=commit)
    commit = store.commit()
    session.append(b"3", commit=commit)
    session.append(b"4")
    with pytest.raises(InvalidOperation, match="'session' was changed by another commit"):
        commit.write()
    assert list(session.read_stream()) == [b"1", b"4"]


def test_user_data_is_a_mapping_that_is_stored_at_once(tmp_path):
    with Hypercore(tmp_path) as core:
        core.user_data["a"] = b"1"
        core.user_data["b\0ä"] = b""
        core.user_data["c"] = b"3"
        del core.user_data["c"]
    with Hypercore(tmp_path) as core:
        assert dict(core.user_data) == {"a": b"1", "b\0ä": b""}
        assert len(core.user_data) == 2
        with pytest.raises(KeyError):
            core.user_data["c"]
        with pytest.raises(KeyError):
            del core.user_data["c"]


def test_the_damaged_name_of_user_data_is_reported(tmp_path):
    with Hypercore(tmp_path) as core:
        core.user_data["name"] = b"1"
        state = core.state
        batch = state.database.store.batch()
        batch.put(state.keys.user_data + b"\x00\xff\x00\x01", b"2")
        batch.write()
        with pytest.raises(StorageCorrupt, match=r"the name of a value beside it is damaged: b'\\x00\\xff"):
            dict(core.user_data)
        assert core.user_data["name"] == b"1"


def test_info_tells_sizes_and_what_is_stored(tmp_path):
    with Hypercore(tmp_path, encryption_key=b"k" * 32) as core:
        core.append([b"abc"] * 10)
        core.clear(2, 4)
        info = core.info()
        assert (info.length, info.byte_length, info.padding, info.fork) == (10, 30, 8, 0)
        assert (info.contiguous_length, info.stored_blocks) == (2, 8)
        assert info.writable
        assert info.memory_bytes > 0


def test_info_tells_about_how_much_of_the_disk_is_taken_by_each_core(tmp_path):
    with Corestore(tmp_path) as store:
        large, small = store.get(name="large"), store.get(name="small")
        large.append([bytes(10_000)] * 500)
        small.append(b"1")
        for core in (large, small):
            core.compact()
        assert 5_000_000 <= large.info().disk_bytes < 6_000_000
        assert small.info().disk_bytes < 100_000


def test_a_purged_core_is_gone_and_others_stay(store):
    a, b = store.get(name="a"), store.get(name="b")
    a.append(b"1")
    b.append(b"2")
    a.user_data["k"] = b"v"
    a.purge()
    assert a.closed
    again = store.get(name="a")
    assert (again.length, dict(again.user_data), b.get(0)) == (0, {}, b"2")


def test_a_purge_closes_all_that_is_open_on_the_core(store):
    core, other = store.get(name="a"), store.get(name="a")
    other.append(b"1")
    views = [other, other.session(), other.snapshot(), other.session("branch")]
    core.purge()
    assert all(view.closed for view in views)
    with pytest.raises(Closed):
        other.append(b"lost")
    again = store.get(name="a")
    assert (again.append(b"2"), again.get(0), again.session("branch").length) == (1, b"2", 1)


def test_nothing_is_written_to_a_purged_core_any_more(store):
    core = store.get(name="a")
    state, user_data = core.state, core.user_data
    session = core.session("session")
    commits = [store.commit() for _ in range(3)]
    core.append(b"1", commit=commits[0])
    session.append(b"1", commit=commits[1])
    commits[2].put_user_data(state, "name", b"1")
    core.purge()
    for commit in commits:
        with pytest.raises(StorageError, match="was purged"):
            commit.write()
    with pytest.raises(StorageError, match=f"core {encode_id(state.key)} was purged"):
        store.commit().append(state, [b"1"])
    with pytest.raises(StorageError, match="was purged"):
        user_data["name"] = b"1"
    assert list(state.store.keys(b"\x01", b"\xff")) == []


def test_a_core_of_two_out_of_three_needs_two_signatures():
    manifest = Manifest.create(*(Signer(pair.public_key) for pair in PAIRS))
    core = Hypercore(key_pair=PAIRS[0], manifest=manifest)
    authority = Authority(manifest.key(), manifest)
    twin = Hypercore()
    twin.append([b"a", b"b"])
    raw = [authority.signer(pair).sign(twin.tree_hash(), 2, 0) for pair in PAIRS]
    with pytest.raises(InvalidSignature):
        core.append([b"a", b"b"], signature=authority.assemble([(0, raw[0])]))
    with pytest.raises(InvalidSignature):
        core.append([b"a", b"c"], signature=authority.assemble([(0, raw[0]), (2, raw[2])]))
    assert core.length == 0
    assert core.append([b"a", b"b"], signature=authority.assemble([(0, raw[0]), (2, raw[2])])) == 2
    assert core.verify()


@pytest.fixture
def promised():
    """A core whose manifest promises its first two blocks."""
    with Hypercore() as other:
        other.append([b"a", b"b"])
        prologue = Prologue(other.tree_hash(), 2)
    manifest = Manifest.create(Signer(PAIRS[0].public_key), prologue=prologue)
    with Hypercore(key_pair=PAIRS[0], manifest=manifest) as core:
        yield core


@pytest.mark.parametrize("blocks", [[b"a"], [b"a", b"other"]], ids=["fewer", "others"])
def test_no_other_first_blocks_are_appended_than_the_manifest_promises(promised, blocks):
    session = promised.session("session")
    session.append(blocks)
    with pytest.raises(InvalidOperation, match="the manifest promises"):
        promised.append(blocks)
    with pytest.raises(InvalidOperation, match="the manifest promises"):
        promised.commit(session)
    assert promised.length == 0
    promised.append([b"a", b"b"])
    assert promised.verify()
    promised.append(b"c")
    assert promised.verify()


def test_a_core_that_several_sign_cannot_be_signed_by_one():
    manifest = Manifest.create(*(Signer(pair.public_key) for pair in PAIRS))
    with pytest.raises(NotWritable):
        Hypercore(key_pair=PAIRS[0], manifest=manifest).append(b"a")


@pytest.mark.parametrize("fork", [0, -1])
def test_a_truncation_needs_a_higher_fork(core, fork):
    core.append(b"a")
    with pytest.raises(BadArgument, match="fork above 0"):
        core.truncate(0, fork=fork)
    assert (core.length, core.fork) == (1, 0)


@pytest.mark.parametrize("length", [2, -1])
def test_a_core_is_not_truncated_to_a_length_it_does_not_have(core, length):
    core.append(b"a")
    with pytest.raises(InvalidOperation):
        core.truncate(length)
