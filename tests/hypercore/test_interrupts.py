"""Interrupts at any line of a write: it happened or it did not."""

from hypercore.storage import Memory
from tests.hypercore.interrupts import interrupted_at_every_line


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
