"""Bees on a core whose writes fail or are interrupted: never a wrong tree."""

import pytest

from hypercore import Hyperbee, Hypercore
from hypercore.core import CoreState
from hypercore.errors import InvalidOperation, StorageError
from hypercore.hyperbee.tree import Tree
from hypercore.storage import Database
from tests.hypercore.hyperbee.stored_tree import check_tree, entries_of, read_tree

DISK_FULL = StorageError("disk full")
KEYS = [f"{number:02}" for number in range(12)]


@pytest.fixture
def faulty_bee(faulty_core):
    return Hyperbee(faulty_core, key_encoding="utf-8", value_encoding="utf-8")


def fill(bee):
    for key in KEYS:
        bee.put(key, "old")
    return dict.fromkeys(KEYS, "old")


def write_batch(bee):
    with bee.batch() as batch:
        batch.put("new", "1")
        batch.delete("03")
        batch.put("04", "2")


WRITES = {
    "put": (lambda bee: bee.put("new", "1"), lambda model: model | {"new": "1"}),
    "overwrite": (lambda bee: bee.put("05", "1"), lambda model: model | {"05": "1"}),
    "delete": (lambda bee: bee.delete("03"), lambda model: {key: model[key] for key in model if key != "03"}),
    "batch": (
        write_batch,
        lambda model: {key: model[key] for key in model if key != "03"} | {"new": "1", "04": "2"},
    ),
}
EVERY_WRITE = pytest.mark.parametrize(("write", "change"), WRITES.values(), ids=WRITES)
WHEN = pytest.mark.parametrize("when", ["before", "after"])


def check(bee, store, model):
    """Fail unless the bee, a new one on what is stored, and the independent reader all show the model."""
    stored = Hypercore.attached(CoreState(Database(store), bee.core.discovery_key), lambda: None)
    again = Hyperbee(stored, key_encoding="utf-8", value_encoding="utf-8")
    for view in (bee, again):
        entries = list(view.items())
        assert {entry.key: entry.value for entry in entries} == model
        assert [view.get(key) for key in sorted(model)] == entries
    assert stored.verify()
    check_tree(read_tree(stored))
    assert entries_of(stored) == {key.encode(): value.encode() for key, value in model.items()}


@EVERY_WRITE
def test_a_write_that_fails_changes_nothing(faulty_bee, faulty_store, write, change):
    model = fill(faulty_bee)
    with faulty_store.failing(DISK_FULL), pytest.raises(StorageError, match="disk full"):
        write(faulty_bee)
    check(faulty_bee, faulty_store, model)
    write(faulty_bee)
    check(faulty_bee, faulty_store, change(model))


@EVERY_WRITE
@WHEN
def test_a_write_that_is_interrupted_happened_or_did_not(faulty_bee, faulty_store, write, change, when):
    model = fill(faulty_bee)
    with faulty_store.failing(KeyboardInterrupt(), when=when), pytest.raises(KeyboardInterrupt):
        write(faulty_bee)
    model = change(model) if when == "after" else model
    check(faulty_bee, faulty_store, model)


@EVERY_WRITE
@WHEN
def test_a_put_after_an_interrupt_goes_on_from_what_is_stored(faulty_bee, faulty_store, write, change, when):
    model = fill(faulty_bee)
    with faulty_store.failing(KeyboardInterrupt(), when=when), pytest.raises(KeyboardInterrupt):
        write(faulty_bee)
    model = change(model) if when == "after" else model
    faulty_bee.put("next", "3")
    check(faulty_bee, faulty_store, model | {"next": "3"})


@EVERY_WRITE
@pytest.mark.parametrize("batched", [False, True], ids=["put", "batch"])
def test_what_comes_behind_a_write_that_nobody_has_seen_follows_it(
    faulty_bee, faulty_store, write, change, batched
):
    model = fill(faulty_bee)
    with faulty_store.failing_behind_writes(DISK_FULL), pytest.raises(StorageError):
        write(faulty_bee)
    if batched:
        with faulty_bee.batch() as batch:
            batch.put("next", "3")
    else:
        faulty_bee.put("next", "3")
    check(faulty_bee, faulty_store, change(model) | {"next": "3"})


def test_a_batch_that_a_write_which_nobody_has_seen_came_before_is_refused(faulty_bee, faulty_store):
    model = fill(faulty_bee)
    other = Hyperbee(faulty_bee.core, key_encoding="utf-8", value_encoding="utf-8")
    batch = faulty_bee.batch()
    batch.put("lost", "1")
    with faulty_store.failing_behind_writes(DISK_FULL), pytest.raises(StorageError):
        other.put("new", "1")
    with pytest.raises(InvalidOperation, match="changed by somebody else"):
        batch.flush()
    check(faulty_bee, faulty_store, model | {"new": "1"})


@WHEN
def test_a_batch_after_an_interrupt_goes_on_from_what_is_stored(faulty_bee, faulty_store, when):
    model = fill(faulty_bee)
    with faulty_store.failing(KeyboardInterrupt(), when=when), pytest.raises(KeyboardInterrupt):
        faulty_bee.put("new", "1")
    model = model | {"new": "1"} if when == "after" else model
    with faulty_bee.batch() as batch:
        batch.put("one", "1")
        batch.put("two", "2")
    check(faulty_bee, faulty_store, model | {"one": "1", "two": "2"})


@WHEN
def test_an_interrupt_while_the_header_is_written_gives_no_second_one(faulty_bee, faulty_store, when):
    with faulty_store.failing(KeyboardInterrupt(), when=when), pytest.raises(KeyboardInterrupt):
        faulty_bee.put("a", "1")
    faulty_bee.put("b", "2")
    assert faulty_bee.core.length == 2
    check(faulty_bee, faulty_store, {"b": "2"})


@WHEN
def test_another_bee_on_the_core_goes_on_after_an_interrupt(faulty_bee, faulty_store, when):
    model = fill(faulty_bee)
    other = Hyperbee(faulty_bee.core, key_encoding="utf-8", value_encoding="utf-8")
    with faulty_store.failing(KeyboardInterrupt(), when=when), pytest.raises(KeyboardInterrupt):
        faulty_bee.put("new", "1")
    model = model | {"new": "1"} if when == "after" else model
    other.put("next", "3")
    check(other, faulty_store, model | {"next": "3"})
    check(faulty_bee, faulty_store, model | {"next": "3"})


@pytest.mark.parametrize("error", [DISK_FULL, KeyboardInterrupt()], ids=["failed", "interrupted"])
def test_a_batch_whose_flush_failed_is_over_and_others_may_write(faulty_bee, faulty_store, error):
    model = fill(faulty_bee)
    batch = faulty_bee.batch()
    batch.put("lost", "1")
    with faulty_store.failing(error), pytest.raises(type(error)):
        batch.flush()
    batch.close()
    faulty_bee.put("next", "3")
    check(faulty_bee, faulty_store, model | {"next": "3"})


@pytest.mark.parametrize("batched", [False, True], ids=["put", "batch"])
def test_an_interrupt_in_the_middle_of_an_operation_changes_nothing(faulty_bee, faulty_store, batched):
    model = fill(faulty_bee)
    target = faulty_bee.batch() if batched else faulty_bee

    def interrupt(old, new):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        target.put("03", "lost", cas=interrupt)
    if batched:
        target.close()
    check(faulty_bee, faulty_store, model)
    faulty_bee.put("next", "3")
    check(faulty_bee, faulty_store, model | {"next": "3"})


@pytest.mark.parametrize("batched", [False, True], ids=["put", "batch"])
@pytest.mark.parametrize("delete", [False, True], ids=["put", "delete"])
def test_an_interrupt_while_the_tree_changes_is_not_built_upon(
    faulty_bee, faulty_store, monkeypatch, batched, delete
):
    model = fill(faulty_bee)
    target = faulty_bee.batch() if batched else faulty_bee

    def interrupt(tree, seq):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(Tree, "number", interrupt)
    with pytest.raises(KeyboardInterrupt):
        target.delete("03") if delete else target.put("03", "lost")
    if batched:
        with pytest.raises(InvalidOperation, match="interrupted; drop the batch"):
            target.put("lost", "1")
        with pytest.raises(InvalidOperation, match="interrupted; drop the batch"):
            target.delete("04")
        target.close()
    check(faulty_bee, faulty_store, model)
    faulty_bee.put("next", "3")
    check(faulty_bee, faulty_store, model | {"next": "3"})
