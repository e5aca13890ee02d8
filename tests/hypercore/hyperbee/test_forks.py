"""Bees on a core that is truncated: what the blocks of two forks hold is not mixed up."""

import pytest

from hypercore import Hyperbee
from hypercore.errors import InvalidOperation
from hypercore.hyperbee import Entry


@pytest.fixture
def forked(bee, core):
    """A bee that has read what was in its blocks, and has others there now; and a snapshot from before."""
    bee.put("a", "1")
    bee.put("b", "2")
    snapshot = bee.snapshot()
    assert [entry.key for entry in bee.items()] == ["a", "b"]
    core.truncate(1)
    bee.put("c", "3")
    bee.put("a", "4")
    return bee, snapshot


def test_a_truncated_bee_shows_what_was_put_since(forked):
    bee, _ = forked
    assert list(bee.items()) == [Entry(2, "a", "4"), Entry(1, "c", "3")]
    assert [bee.get(key) for key in "abc"] == [Entry(2, "a", "4"), None, Entry(1, "c", "3")]
    assert bee.get_by_seq(1) == Entry(1, "c", "3")
    assert [each.key for each in bee.history()] == ["c", "a"]


def test_a_snapshot_shows_what_there_was_before(forked):
    bee, snapshot = forked
    assert list(snapshot.items()) == [Entry(1, "a", "1"), Entry(2, "b", "2")]
    assert snapshot.get_by_seq(1) == Entry(1, "a", "1")
    assert list(bee.items()) == [Entry(2, "a", "4"), Entry(1, "c", "3")]
    assert list(snapshot.sub("").items()) == []


def test_versions_of_two_forks_differ_also_where_their_seqs_are_the_same(forked):
    bee, snapshot = forked
    found = [(each.left, each.right) for each in bee.diff(snapshot)]
    assert found == [
        (Entry(2, "a", "4"), Entry(1, "a", "1")),
        (None, Entry(2, "b", "2")),
        (Entry(1, "c", "3"), None),
    ]
    assert list(snapshot.diff(snapshot)) == []


def test_a_batch_cannot_be_flushed_on_another_fork_than_it_began_on(bee, core):
    bee.put("a", "1")
    bee.put("b", "2")
    batch = bee.batch()
    batch.put("c", "3")
    core.truncate(2)
    bee_of_others = Hyperbee(core, key_encoding="utf-8", value_encoding="utf-8")
    bee_of_others.put("d", "4")
    with pytest.raises(InvalidOperation, match="changed by somebody else"):
        batch.flush()
    assert [entry.key for entry in bee.items()] == ["a", "d"]


def test_an_iteration_does_not_go_on_behind_a_truncation(bee, core):
    for key in "abc":
        bee.put(key, "1")
    entries = bee.items()
    next(entries)
    core.truncate(1)
    with pytest.raises(InvalidOperation, match="truncated while it was iterated over"):
        next(entries)
