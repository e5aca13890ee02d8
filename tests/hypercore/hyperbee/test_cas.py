"""Puts and deletes that depend on the entry that is there."""

import functools

import pytest

from hypercore import Hyperbee
from hypercore.errors import InvalidOperation
from hypercore.hyperbee import Entry
from tests.hypercore.hyperbee.stored_tree import entries_of

YES = lambda old, new: True  # noqa: E731
NO = lambda old, new: False  # noqa: E731
KEYS = [f"{number:03}" for number in range(120)]


def pairs(bee):
    return [(entry.key, entry.value) for entry in bee.items()]


def test_cas_is_asked_with_the_old_and_the_new_entry(bee):
    asked = []
    bee.put("a", "1")
    bee.put("a", "2", cas=lambda old, new: asked.append((old, new)))
    bee.delete("a", cas=lambda old, new: asked.append((old, new)))
    assert asked == [(Entry(1, "a", "1"), Entry(2, "a", "2")), (Entry(1, "a", "1"), Entry(2, "a", None))]


def test_cas_is_not_asked_for_a_key_that_is_not_there(bee):
    def never(old, new):
        pytest.fail("there is nothing to compare with")

    assert bee.put("a", "1", cas=never)
    assert not bee.delete("b", cas=never)


@pytest.mark.parametrize(("cas", "written"), [(YES, True), (NO, False)], ids=["accepted", "refused"])
def test_cas_decides_about_put_and_delete(bee, cas, written):
    bee.put("a", "1")
    assert bee.put("a", "2", cas=cas) is written
    assert bee.get("a").value == ("2" if written else "1")
    assert bee.delete("a", cas=cas) is written
    assert (bee.get("a") is None) is written
    assert bee.version == (4 if written else 2)


def test_a_cas_that_raises_changes_nothing(bee):
    bee.put("a", "1")

    def fail(old, new):
        raise ZeroDivisionError

    for write in (lambda: bee.put("a", "2", cas=fail), lambda: bee.delete("a", cas=fail)):
        with pytest.raises(ZeroDivisionError):
            write()
    assert (bee.version, pairs(bee)) == (2, [("a", "1")])
    assert bee.put("b", "2")
    assert pairs(bee) == [("a", "1"), ("b", "2")]


def test_the_value_that_is_there_already_can_be_left_unwritten(core):
    bee = Hyperbee(core, key_encoding="utf-8", value_encoding="utf-8", always_duplicate=False)
    assert bee.put("a", "1")
    assert not bee.put("a", "1")
    assert bee.put("a", "2")
    assert bee.put("a", None)
    assert not bee.put("a", None)
    assert bee.put("a", "")
    assert bee.version == 5


def test_the_value_that_is_there_already_is_written_again_by_default(bee):
    assert bee.put("a", "1")
    assert bee.put("a", "1")
    assert bee.version == 3


def test_a_sub_always_writes_the_value_that_is_there_already(core):
    sub = Hyperbee(core, always_duplicate=False).sub("s")
    assert sub.put(b"a", b"1")
    assert sub.put(b"a", b"1")


@pytest.fixture(params=["bee", "batch"])
def target(request, bee):
    """A bee with 120 entries, or a batch of it."""
    with bee.batch() as batch:
        for key in KEYS:
            batch.put(key, "old")
    if request.param == "bee":
        yield bee
    else:
        with bee.batch() as batch:
            yield batch


@pytest.mark.parametrize("delete", [False, True], ids=["put", "delete"])
def test_a_cas_can_read_the_bee_however_many_nodes_that_loads(target, bee, core, monkeypatch, delete):
    monkeypatch.setattr("hypercore.hyperbee.tree.Tree.MAX_LOADED", 3)

    def read_all(old, new):
        return [target.get(key) for key in KEYS[::-1]] and len(pairs(target)) > 0

    for key in KEYS[::7]:
        assert target.delete(key, cas=read_all) if delete else target.put(key, "new", cas=read_all)
    if target is not bee:
        target.flush()
    expected = {key: "new" if key in KEYS[::7] else "old" for key in KEYS}
    if delete:
        expected = {key: value for key, value in expected.items() if value == "old"}
    assert dict(pairs(bee)) == expected
    assert {key.decode(): (value or b"").decode() for key, value in entries_of(core).items()} == expected


@pytest.mark.parametrize("caught", [False, True], ids=["raised", "caught"])
@pytest.mark.parametrize("delete", [False, True], ids=["put", "delete"])
def test_a_cas_cannot_write_to_the_bee_that_asks_it(target, bee, core, delete, caught):
    def write(old, new):
        with pytest.raises(InvalidOperation, match="a cas must not write") as error:
            target.put("another", "1")
        if not caught:
            raise error.value
        return False

    operation = (
        functools.partial(target.delete, "007") if delete else functools.partial(target.put, "007", "")
    )
    if caught:
        assert not operation(cas=write)
    else:
        with pytest.raises(InvalidOperation):
            operation(cas=write)
    assert target.put("last", "1")
    if target is not bee:
        target.flush()
    assert pairs(bee) == [(key, "old") for key in KEYS] + [("last", "1")]
    assert len(entries_of(core)) == 121


def test_a_cas_cannot_begin_a_batch_of_the_bee_that_asks_it(bee):
    def write(old, new):
        with bee.batch() as batch:
            batch.put("b", "1")

    bee.put("a", "1")
    with pytest.raises(InvalidOperation, match="a cas must not write"):
        bee.put("a", "2", cas=write)
    assert bee.put("c", "1")
    assert pairs(bee) == [("a", "1"), ("c", "1")]
