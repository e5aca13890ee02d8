"""A key-value store that fails on demand: its reads, or its writes before or after they happen."""

from collections.abc import Iterator
from contextlib import contextmanager

from hypercore.storage import KeyValueStore, WriteBatch


class FaultyStore:
    """Passes everything on to a real store, but for what is told to fail."""

    def __init__(self, store: KeyValueStore) -> None:
        self.store = store
        self.name = store.name
        self.directory = store.directory
        self.items = store.items
        self.values = store.values
        self.keys = store.keys
        self.snapshot = store.snapshot
        self.disk_bytes = store.disk_bytes
        self.memory_bytes = store.memory_bytes
        self.close = store.close
        self.on_read: BaseException | None = None
        self.before_write: BaseException | None = None
        self.after_write: BaseException | None = None
        self.behind_write: BaseException | None = None

    def get(self, key: bytes, /) -> bytes | None:
        if self.on_read is not None:
            raise self.on_read
        return self.store.get(key)

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

    @contextmanager
    def failing_behind_writes(self, error: BaseException) -> Iterator[None]:
        """Raise ``error`` behind the first write, and out of every look at a single key from then on."""
        self.after_write = self.behind_write = error
        try:
            yield
        finally:
            self.after_write = self.behind_write = self.on_read = None

    @contextmanager
    def failing_reads(self, error: BaseException) -> Iterator[None]:
        """Raise ``error`` out of every look at a single key."""
        self.on_read = error
        try:
            yield
        finally:
            self.on_read = None


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
        self._owner.on_read = self._owner.behind_write or self._owner.on_read
        if self._owner.after_write is not None:
            raise self._owner.after_write
