"""Interrupts at any line of a write: it happened or it did not, and what is written next is right."""

from contextlib import suppress

import pytest

from hypercore import Corestore, Hyperbee, Hyperdrive
from hypercore.errors import Closed, StorageError
from hypercore.storage import Memory
from tests.hypercore.interrupts import interrupted_at_every_line

BLOCKS = [b"0", b"1", b"2"]


def new_core(encryption_key=None):
    core = Corestore().get(name="core", encryption_key=encryption_key)
    core.append(BLOCKS)
    return core


def blocks_of(core):
    assert core.verify()
    return list(core.read_stream())


APPENDS = {
    "append": (lambda core: core.append(b"3"), [*BLOCKS, b"3"]),
    "append-several": (lambda core: core.append([b"3", b"4"]), [*BLOCKS, b"3", b"4"]),
    "truncate": (lambda core: core.truncate(1), BLOCKS[:1]),
}
EVERY_APPEND = pytest.mark.parametrize(("write", "written"), APPENDS.values(), ids=APPENDS)


@EVERY_APPEND
@pytest.mark.parametrize("encryption_key", [None, bytes(32)], ids=["plain", "encrypted"])
def test_a_core_goes_on_from_what_is_stored(write, written, encryption_key):
    for core in interrupted_at_every_line(lambda: new_core(encryption_key), write):
        core.append(b"next")
        assert blocks_of(core) in ([*BLOCKS, b"next"], [*written, b"next"])
        assert core.audit() == []


@EVERY_APPEND
def test_a_named_session_goes_on_from_what_is_stored(write, written):
    def prepare():
        core = new_core()
        core.truncate(1)
        session = core.session("name")
        session.append(BLOCKS[1:])
        return core, session

    for core, session in interrupted_at_every_line(prepare, lambda prepared: write(prepared[1])):
        session.append(b"next")
        assert list(session.read_stream()) in ([*BLOCKS, b"next"], [*written, b"next"])
        assert core.audit() == []
        assert core.commit(session) == session.length
        assert blocks_of(core) == list(session.read_stream())


def new_core_and_session():
    core = new_core()
    session = core.session("name")
    session.append([b"3", b"4"])
    return core, session


def test_a_core_and_the_session_that_is_committed_to_it_go_on_together():
    def commit(prepared):
        core, session = prepared
        core.commit(session)

    for core, session in interrupted_at_every_line(new_core_and_session, commit):
        session.append(b"next")
        assert core.commit(session) == 6
        assert blocks_of(core) == list(session.read_stream()) == [*BLOCKS, b"3", b"4", b"next"]
        assert core.audit() == []


def test_a_session_that_begins_anew_is_the_old_or_the_new_one():
    def begin_anew(prepared):
        core, _ = prepared
        core.session("name", overwrite=True)

    for core, session in interrupted_at_every_line(new_core_and_session, begin_anew):
        session.append(b"next")
        assert list(session.read_stream()) in ([*BLOCKS, b"3", b"4", b"next"], [*BLOCKS, b"next"])
        assert core.audit() == []


def test_a_purge_leaves_a_core_or_nothing_and_can_be_done_again():
    def prepare():
        core = new_core()
        return core, core.session(), core.state

    for core, session, state in interrupted_at_every_line(prepare, lambda prepared: prepared[0].purge()):
        with suppress(Closed, StorageError):
            session.append(b"3")
        assert (state.database.core(state.discovery_key) is None) == state.is_purged
        with suppress(Closed):
            core.purge()
        assert list(state.store.keys(b"\x01", b"\xff")) == []


def test_no_two_cores_get_the_same_records():
    for store in interrupted_at_every_line(Corestore, lambda store: store.get(name="a")):
        for name in ("b", "a"):
            store.get(name=name).append(name.encode())
        for name in ("a", "b"):
            core = store.get(name=name)
            assert (blocks_of(core), core.audit()) == ([name.encode()], [])


KEYS = [f"{number:02}" for number in range(30)]
WRITES = {
    "put": (lambda bee: bee.put("new", "1"), {*KEYS, "new"}),
    "delete": (lambda bee: bee.delete("07"), {*KEYS} - {"07"}),
}


@pytest.mark.parametrize(("write", "written"), WRITES.values(), ids=WRITES)
def test_a_bee_goes_on_from_what_is_stored(write, written):
    def prepare():
        bee = Hyperbee(Corestore().get(name="bee"), key_encoding="utf-8", value_encoding="utf-8")
        with bee.batch() as batch:
            for key in KEYS:
                batch.put(key, "old")
        return bee

    for bee in interrupted_at_every_line(prepare, write):
        bee.put("next", "2")
        bee.put("then", "3")
        again = Hyperbee(bee.core, key_encoding="utf-8", value_encoding="utf-8")
        for each in (bee, again):
            keys = [entry.key for entry in each.items()]
            assert {*keys} in ({*KEYS, "next", "then"}, written | {"next", "then"})
            assert keys == sorted(keys)
            assert all(each.get(key) is not None for key in keys)


def test_a_drive_goes_on_from_what_is_stored():
    def prepare():
        drive = Hyperdrive(Corestore())
        drive.put("/a", b"a")
        drive.put("/b", b"bb")
        return drive

    for drive in interrupted_at_every_line(prepare, lambda drive: drive.put("/new", b"new")):
        drive.put("/next", b"next")
        drive.put("/then", b"then")
        files = {entry.path: drive.get(entry) for entry in drive}
        kept = {"/a": b"a", "/b": b"bb", "/next": b"next", "/then": b"then"}
        assert files in (kept, kept | {"/new": b"new"})
        assert drive.core.audit() == drive.blobs.core.audit() == []


@pytest.mark.parametrize(
    ("begin", "put", "end"),
    [
        pytest.param(lambda drive: drive.db.batch(), lambda batch: batch.put("a"), "flush", id="bee-batch"),
        pytest.param(
            lambda drive: drive.batch(), lambda batch: batch.put("/a", b"lost"), "flush", id="batch"
        ),
        pytest.param(
            lambda drive: drive.open("/a", "wb"), lambda file: file.write(b"lost"), "close", id="file"
        ),
        pytest.param(
            lambda drive: drive.blobs.batch(), lambda batch: batch.put(b"lost"), "flush", id="blobs"
        ),
        pytest.param(
            lambda drive: drive.blobs.writer(), lambda blob: blob.write(b"lost"), "finish", id="blob"
        ),
    ],
)
def test_what_is_interrupted_when_it_is_about_to_end_keeps_nobody_from_writing(begin, put, end, monkeypatch):
    drive = Hyperdrive(Corestore())

    def interrupt():
        raise KeyboardInterrupt

    def write():
        with begin(drive) as begun:
            put(begun)
            monkeypatch.setattr(begun, end, interrupt)

    with pytest.raises(KeyboardInterrupt):
        write()
    drive.put("/b", b"b")
    assert {entry.path: drive.get(entry) for entry in drive} == {"/b": b"b"}


def test_a_store_in_memory_does_all_of_a_batch_or_nothing():
    def prepare():
        store = Memory()
        batch = store.batch()
        batch.put(b"a", b"1")
        batch.put(b"b", b"1")
        batch.write()
        batch.delete(b"a")
        batch.put(b"b", b"2")
        batch.put(b"c", b"2")
        return store, batch

    for store, _ in interrupted_at_every_line(prepare, lambda prepared: prepared[1].write()):
        assert list(store.items(b"", b"\xff")) in ([(b"a", b"1"), (b"b", b"1")], [(b"b", b"2"), (b"c", b"2")])
