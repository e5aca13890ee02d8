"""The storage contract in memory: for tests and for stores that are not kept."""

from __future__ import annotations

from collections.abc import Iterator

from hypercore.errors import Closed


class Memory:
    """A KeyValueStore in memory."""

    def __init__(self) -> None:
        self.name = "memory"
        self._entries: dict[bytes, bytes] | None = {}

    def get(self, key: bytes, /) -> bytes | None:
        """Return the value of a key, None if there is none."""
        return self._open().get(key)

    def batch(self) -> MemoryBatch:
        """Return a new, empty write batch."""
        return MemoryBatch(self)

    def items(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the entries with start <= key < stop in key order, as they are now."""
        entries = self._open()
        return iter(sorted(item for item in entries.items() if start <= item[0] < stop))

    def values(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[bytes]:
        """Iterate over the values of the same entries."""
        entries = self._open()
        keys = sorted((key for key in entries if start <= key < stop), reverse=reverse)
        return iter([entries[key] for key in keys])

    def apply(self, writes: dict[bytes, bytes | None]) -> None:
        """Do the writes of a batch; None deletes."""
        entries = self._open()
        for key, value in writes.items():
            if value is None:
                entries.pop(key, None)
            else:
                entries[key] = value

    def close(self) -> None:
        """Drop everything."""
        self._entries = None

    def _open(self) -> dict[bytes, bytes]:
        if self._entries is None:
            raise Closed("the storage in memory is closed")
        return self._entries


class MemoryBatch:
    """A WriteBatch on a Memory."""

    def __init__(self, store: Memory) -> None:
        self._store = store
        self._writes: dict[bytes, bytes | None] = {}

    def put(self, key: bytes, value: bytes, /) -> None:
        """Add or replace an entry."""
        self._writes[key] = value

    def delete(self, key: bytes, /) -> None:
        """Remove an entry."""
        self._writes[key] = None

    def write(self) -> None:
        """Do all of it and empty the batch."""
        writes, self._writes = self._writes, {}
        self._store.apply(writes)

    def clear(self) -> None:
        """Forget what was added."""
        self._writes = {}
