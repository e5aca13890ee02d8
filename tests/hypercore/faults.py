"""A key-value store whose writes fail on demand: before they happen, or after it, but before they return."""

from collections.abc import Iterator
from contextlib import contextmanager

from hypercore.storage import KeyValueStore, WriteBatch


class FaultyStore:
    """Passes everything on to a real store, but for the writes that are told to fail."""

    def __init__(self, store: KeyValueStore) -> None:
        self.store = store
        self.name = store.name
        self.get = store.get
        self.items = store.items
        self.values = store.values
        self.keys = store.keys
        self.snapshot = store.snapshot
        self.disk_bytes = store.disk_bytes
        self.memory_bytes = store.memory_bytes
        self.close = store.close
        self.before_write: BaseException | None = None
        self.after_write: BaseException | None = None

    def batch(self) -> "FaultyBatch":
        return FaultyBatch(self, self.store.batch())

    @contextmanager
    def failing(self, error: BaseException, *, when: str = "before") -> Iterator[None]:
        """Raise ``error`` out of every write, ``before`` or ``after`` the real one."""
        setattr(self, f"{when}_write", error)
        try:
            yield
        finally:
            self.before_write = self.after_write = None


class FaultyBatch:
    """A write batch of a FaultyStore."""

    def __init__(self, owner: FaultyStore, batch: WriteBatch) -> None:
        self._owner = owner
        self._batch = batch
        self.put = batch.put
        self.delete = batch.delete
        self.clear = batch.clear

    def write(self) -> None:
        if self._owner.before_write is not None:
            self._batch.clear()
            raise self._owner.before_write
        self._batch.write()
        if self._owner.after_write is not None:
            raise self._owner.after_write
