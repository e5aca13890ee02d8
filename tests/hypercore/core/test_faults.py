"""Writes that fail or are interrupted: nothing is lost that was acknowledged, and nothing is signed twice."""

import pytest

from hypercore import Hypercore
from hypercore.core import CoreState
from hypercore.errors import StorageError
from hypercore.storage import Database

DISK_FULL = StorageError("disk full")


def state(core):
    return (core.length, core.byte_length, core.contiguous_length, core.signature, core.tree_hash())


def reopened(core, store):
    """Return a fresh view of what is stored."""
    return Hypercore.attached(CoreState(Database(store), core.discovery_key), lambda: None)


def check(core, store, *blocks):
    """Fail unless both the core and what is stored have exactly these blocks."""
    for each in (core, reopened(core, store)):
        assert list(each.read_stream()) == list(blocks)
        assert (each.length, each.contiguous_length) == (len(blocks), len(blocks))
        assert each.verify()
        for length in range(len(blocks) + 1):
            with Hypercore() as other:
                other.append(blocks[:length])
                assert each.tree_hash(length) == other.tree_hash()


@pytest.mark.parametrize("blocks", [b"lost", [b"lost", b"too"]], ids=["one", "list"])
def test_a_failed_append_changes_nothing(faulty_core, faulty_store, blocks):
    faulty_core.append([b"a", b"b"])
    before = state(faulty_core)
    with faulty_store.failing(DISK_FULL), pytest.raises(StorageError, match="disk full"):
        faulty_core.append(blocks)
    assert state(faulty_core) == before
    check(faulty_core, faulty_store, b"a", b"b")


def test_appends_go_on_when_the_store_works_again(faulty_core, faulty_store):
    faulty_core.append(b"a")
    for _ in range(3):
        with faulty_store.failing(DISK_FULL), pytest.raises(StorageError):
            faulty_core.append([b"lost", b"too"])
    assert faulty_core.append(b"b") == 2
    check(faulty_core, faulty_store, b"a", b"b")


@pytest.mark.parametrize("first", [b"kept", [b"kept", b"too"]], ids=["one", "list"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_append_after_an_interrupt_goes_on_from_what_is_stored(faulty_core, faulty_store, when, first):
    faulty_core.append(b"a")
    with faulty_store.failing(KeyboardInterrupt(), when=when), pytest.raises(KeyboardInterrupt):
        faulty_core.append(first)
    kept = [] if when == "before" else [first] if isinstance(first, bytes) else first
    assert faulty_core.append(b"b") == len(kept) + 2
    check(faulty_core, faulty_store, b"a", *kept, b"b")


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupt_of_the_first_append_is_survived_too(faulty_core, faulty_store, when):
    with faulty_store.failing(KeyboardInterrupt(), when=when), pytest.raises(KeyboardInterrupt):
        faulty_core.append(b"a")
    faulty_core.append(b"b")
    check(faulty_core, faulty_store, *([b"a", b"b"] if when == "after" else [b"b"]))


def test_after_an_interrupt_the_core_tells_what_is_stored(faulty_core, faulty_store):
    faulty_core.append(b"a")
    with faulty_store.failing(KeyboardInterrupt(), when="after"), pytest.raises(KeyboardInterrupt):
        faulty_core.append(b"b")
    assert faulty_core.length == 2
    check(faulty_core, faulty_store, b"a", b"b")


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupt_and_a_failure_in_turn_are_survived(faulty_core, faulty_store, when):
    with faulty_store.failing(KeyboardInterrupt(), when=when), pytest.raises(KeyboardInterrupt):
        faulty_core.append(b"a")
    with faulty_store.failing(DISK_FULL), pytest.raises(StorageError):
        faulty_core.append(b"lost")
    faulty_core.append(b"b")
    check(faulty_core, faulty_store, *([b"a", b"b"] if when == "after" else [b"b"]))


def test_other_objects_on_the_core_see_the_append_after_an_interrupt(faulty_core, faulty_store):
    other = Hypercore.attached(faulty_core._state, lambda: None)
    with faulty_store.failing(KeyboardInterrupt(), when="after"), pytest.raises(KeyboardInterrupt):
        faulty_core.append(b"a")
    assert other.append(b"b") == 2
    check(other, faulty_store, b"a", b"b")


def test_what_an_interrupted_append_left_in_the_batch_is_not_written_with_the_next(
    faulty_core, faulty_store, monkeypatch
):
    faulty_core.append(b"a")
    batch = faulty_core.state.batch

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(batch, "write", interrupted)
        patch.setattr(batch, "clear", interrupted)
        with pytest.raises(KeyboardInterrupt):
            faulty_core.append([b"lost", b"too"])
    assert faulty_core.append(b"b") == 2
    check(faulty_core, faulty_store, b"a", b"b")
    assert (
        len(list(faulty_store.keys(faulty_core.state.keys.block, faulty_core.state.keys.block + b"\xff")))
        == 2
    )


def test_blocks_behind_a_write_that_nobody_has_seen_are_encrypted_for_their_own_places(
    faulty_core, faulty_store
):
    encrypted = Hypercore.attached(faulty_core.state, lambda: None, bytes(32))
    encrypted.append(b"a")
    with faulty_store.failing_behind_writes(DISK_FULL), pytest.raises(StorageError):
        encrypted.append(b"b")
    encrypted.append(b"c")
    assert list(encrypted.read_stream()) == [b"a", b"b", b"c"]
