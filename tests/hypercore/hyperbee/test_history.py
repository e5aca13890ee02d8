import itertools

import pytest

from hypercore.hyperbee import HistoryEntry

DONE = [
    HistoryEntry("put", 1, "a", "1"),
    HistoryEntry("put", 2, "b", None),
    HistoryEntry("put", 3, "a", "2"),
    HistoryEntry("del", 4, "a", None),
    HistoryEntry("put", 5, "s\0c", "3"),
    HistoryEntry("del", 6, "s\0c", None),
]
SEQS = [-7, -6, -3, -1, 0, 1, 3, 6, 7, 9]


@pytest.fixture
def done(bee):
    """A bee that has been through DONE."""
    for entry in DONE:
        assert bee.put(entry.key, entry.value) if entry.type == "put" else bee.delete(entry.key)
    return bee


def test_the_operations_come_in_the_order_they_were_done(done):
    assert list(done.history()) == DONE
    assert list(done.history(reverse=True)) == DONE[::-1]


def test_a_new_bee_has_no_history(bee):
    assert list(bee.history()) == []


def from_end(seq):
    return seq + 7 if seq < 0 else seq


CHECKS = {
    "gt": lambda seq, bound: seq > bound,
    "gte": lambda seq, bound: seq >= bound,
    "lt": lambda seq, bound: seq < bound,
    "lte": lambda seq, bound: seq <= bound,
}


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize(
    "names",
    [("gt",), ("gte",), ("lt",), ("lte",), *itertools.product(["gt", "gte"], ["lt", "lte"])],
    ids="-".join,
)
def test_bounds_are_seqs_and_negative_ones_count_from_the_end(done, names, reverse):
    for bounds in itertools.product(SEQS, repeat=len(names)):
        arguments = dict(zip(names, bounds, strict=True))
        expected = [
            entry
            for entry in DONE
            if all(CHECKS[name](entry.seq, from_end(seq)) for name, seq in arguments.items())
        ]
        found = list(done.history(**arguments, reverse=reverse))
        assert found == (expected[::-1] if reverse else expected), arguments


def test_an_exclusive_bound_wins_over_an_inclusive_one(done):
    assert [entry.seq for entry in done.history(gt=4, gte=1)] == [5, 6]
    assert [entry.seq for entry in done.history(lt=3, lte=6)] == [1, 2]


@pytest.mark.parametrize("limit", [0, 1, 5, 6, 7, None])
def test_a_limit_cuts_the_history(done, limit):
    assert list(done.history(limit=limit)) == DONE[:limit]
    assert list(done.history(limit=limit, reverse=True)) == DONE[::-1][:limit]


def test_a_sub_has_the_history_of_its_keys(done):
    entries = [HistoryEntry("put", 5, "c", "3"), HistoryEntry("del", 6, "c", None)]
    assert list(done.sub("s").history()) == entries
    assert list(done.sub("s").history(limit=1)) == entries[:1]
    assert list(done.sub("s").history(limit=1, reverse=True)) == entries[1:]
    assert list(done.sub("t").history()) == []


def test_a_checkout_has_the_history_up_to_its_version(done):
    assert list(done.checkout(4).history()) == DONE[:3]
    assert list(done.checkout(4).history(gte=-1)) == DONE[2:3]
    assert list(done.checkout(1).history()) == []


def test_a_batch_is_in_the_history_operation_by_operation(bee):
    with bee.batch() as batch:
        for number in range(20):
            batch.put(f"{number:02}", f"{number}")
        for number in range(0, 20, 3):
            batch.delete(f"{number:02}")
    puts = [("put", f"{number:02}", f"{number}") for number in range(20)]
    dels = [("del", f"{number:02}", None) for number in range(0, 20, 3)]
    assert [(entry.type, entry.key, entry.value) for entry in bee.history()] == puts + dels


def test_a_history_ends_where_the_bee_ended_when_it_was_asked_for(done):
    history = done.history(gte=5)
    done.put("new", "4")
    assert list(history) == DONE[4:]
