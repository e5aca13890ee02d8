"""The contract of a key-value store, run for each kind."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypercore.errors import Closed

KEYS = st.binary(max_size=3)
WRITES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=3)), max_size=12)

USES = {
    "get": lambda store, batch: store.get(b"a"),
    "batch": lambda store, batch: store.batch(),
    "items": lambda store, batch: list(store.items(b"", b"z")),
    "values": lambda store, batch: list(store.values(b"", b"z")),
    "write": lambda store, batch: batch.write(),
    "snapshot": lambda store, batch: store.snapshot(),
    "compact": lambda store, batch: store.compact(b"", b"z"),
    "disk-bytes": lambda store, batch: store.disk_bytes(b"", b"z"),
    "memory-bytes": lambda store, batch: store.memory_bytes(),
}


def fill(store, *keys):
    batch = store.batch()
    for key in keys:
        batch.put(key, b"value of " + key)
    batch.write()


def keys_between(store, start, stop):
    return [key for key, _ in store.items(start, stop)]


def test_a_key_that_was_never_put_has_no_value(store):
    assert store.get(b"a") is None


def test_an_empty_value_is_not_the_same_as_none(store):
    batch = store.batch()
    batch.put(b"a", b"")
    batch.write()
    assert store.get(b"a") == b""


def test_nothing_is_written_before_the_batch_is(store):
    batch = store.batch()
    batch.put(b"a", b"1")
    assert store.get(b"a") is None
    batch.write()
    assert store.get(b"a") == b"1"


def test_in_a_batch_the_last_write_of_a_key_counts(store):
    batch = store.batch()
    batch.put(b"a", b"1")
    batch.delete(b"a")
    batch.delete(b"b")
    batch.put(b"b", b"2")
    batch.write()
    assert list(store.items(b"", b"z")) == [(b"b", b"2")]


def test_deleting_a_key_that_is_not_there_is_fine(store):
    batch = store.batch()
    batch.delete(b"a")
    batch.write()
    assert store.get(b"a") is None


def test_a_written_batch_is_empty_and_can_be_used_again(store):
    batch = store.batch()
    batch.put(b"a", b"1")
    batch.write()
    fill(store, b"a")
    batch.put(b"b", b"2")
    batch.write()
    assert store.get(b"a") == b"value of a"
    assert store.get(b"b") == b"2"


def test_a_cleared_batch_writes_nothing(store):
    batch = store.batch()
    batch.put(b"a", b"1")
    batch.clear()
    batch.write()
    assert store.get(b"a") is None


def test_items_come_in_the_order_of_unsigned_bytes(store):
    keys = [b"", b"\x00", b"\x00\x00", b"\x7f", b"\x7f\xff", b"\x80", b"\xff", b"\xff\x00"]
    fill(store, *reversed(keys))
    assert keys_between(store, b"", b"\xff\xff") == keys


def test_the_start_of_a_range_is_in_it_and_the_stop_is_not(store):
    fill(store, b"a", b"b", b"c", b"d")
    assert keys_between(store, b"b", b"d") == [b"b", b"c"]
    assert list(store.values(b"b", b"d")) == [b"value of b", b"value of c"]
    assert list(store.values(b"b", b"d", reverse=True)) == [b"value of c", b"value of b"]


@pytest.mark.parametrize(
    ("start", "stop"), [(b"b", b"b"), (b"c", b"b"), (b"x", b"z")], ids=["equal", "reversed", "behind"]
)
def test_a_range_without_room_is_empty(store, start, stop):
    fill(store, b"a", b"b", b"c")
    assert list(store.items(start, stop)) == []
    assert list(store.values(start, stop)) == list(store.values(start, stop, reverse=True)) == []


@pytest.mark.parametrize("start", [b"a", b"b", b"c"], ids=["first", "middle", "last"])
def test_a_range_of_one_entry_is_read_in_both_directions(store, start):
    fill(store, b"a", b"b", b"c")
    stop = start + b"\x00"
    assert list(store.values(start, stop)) == [b"value of " + start]
    assert list(store.values(start, stop, reverse=True)) == [b"value of " + start]


def test_an_iterator_shows_the_entries_of_when_it_was_made(store):
    fill(store, b"a", b"b")
    items, values = store.items(b"", b"z"), store.values(b"", b"z")
    fill(store, b"aa", b"c")
    assert [key for key, _ in items] == [b"a", b"b"]
    assert list(values) == [b"value of a", b"value of b"]


def test_an_iterator_that_has_begun_does_not_see_writes(store):
    fill(store, b"a", b"b")
    iterator = store.items(b"", b"z")
    seen = [next(iterator)]
    fill(store, b"aa", b"c")
    assert [key for key, _ in [*seen, *iterator]] == [b"a", b"b"]


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_everything_but_close_raises_closed_after_close(store, use):
    batch = store.batch()
    store.close()
    store.close()
    with pytest.raises(Closed):
        use(store, batch)


@given(batches=st.lists(WRITES, max_size=6), start=KEYS, stop=KEYS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_store_is_a_sorted_dict(store, batches, start, stop):
    empty(store)
    model: dict[bytes, bytes] = {}
    for writes in batches:
        batch = store.batch()
        for key, value in writes:
            batch.delete(key) if value is None else batch.put(key, value)
            model.pop(key, None)
            if value is not None:
                model[key] = value
        batch.write()
    between = sorted((key, value) for key, value in model.items() if start <= key < stop)
    assert list(store.items(b"", b"\xff" * 4)) == sorted(model.items())
    assert list(store.items(start, stop)) == between
    assert list(store.values(start, stop, reverse=True)) == [value for _, value in reversed(between)]
    assert {key: store.get(key) for key in model} == model


def empty(store):
    batch = store.batch()
    for key, _ in list(store.items(b"", b"\xff" * 4)):
        batch.delete(key)
    batch.write()
