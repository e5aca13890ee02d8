"""The storage contract in memory: for tests and for stores that are not kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hypercore.errors import Closed


class MemoryReader:
    """A Reader over a dict."""

    def __init__(self, entries: dict[bytes, bytes]) -> None:
        self._entries: dict[bytes, bytes] | None = entries

    def get(self, key: bytes, /) -> bytes | None:
        """Return the value of a key, None if there is none."""
        return self._open().get(key)

    def items(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the entries with start <= key < stop in key order, as they are now."""
        entries = self._open()
        return iter([(key, entries[key]) for key in self._keys(start, stop)])

    def values(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[bytes]:
        """Iterate over the values of the same entries."""
        entries = self._open()
        keys = self._keys(start, stop)
        return iter([entries[key] for key in (reversed(keys) if reverse else keys)])

    def keys(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        """Iterate over the keys of the same entries."""
        return iter(self._keys(start, stop))

    def close(self) -> None:
        """Drop everything."""
        self._entries = None

    def _keys(self, start: bytes, stop: bytes) -> list[bytes]:
        return sorted(key for key in self._open() if start <= key < stop)

    def _open(self) -> dict[bytes, bytes]:
        if self._entries is None:
            raise Closed("the storage in memory is closed")
        return self._entries


class Memory(MemoryReader):
    """A KeyValueStore in memory."""

    def __init__(self) -> None:
        super().__init__({})
        self.name = "memory"
        self.directory: Path | None = None

    def batch(self) -> MemoryBatch:
        """Return a new, empty write batch."""
        self._open()
        return MemoryBatch(self)

    def snapshot(self) -> MemoryReader:
        """Return the store as it is now."""
        return MemoryReader(self._open().copy())

    def compact(self, start: bytes, stop: bytes) -> None:
        """Do nothing: what is deleted is gone."""
        self._open()

    def disk_bytes(self, start: bytes, stop: bytes) -> int:
        """Return 0: nothing is on disk."""
        self._open()
        return 0

    def memory_bytes(self) -> int:
        """Return how many bytes keys and values have."""
        return sum(len(key) + len(value) for key, value in self._open().items())

    def apply(self, writes: dict[bytes, bytes | None]) -> None:
        """Do the writes of a batch; None deletes."""
        entries = self._open()
        try:
            _apply(entries, writes)
        except BaseException:
            # Interrupted: all of it or nothing, and to do a part twice changes nothing.
            _apply(entries, writes)
            raise


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


def _apply(entries: dict[bytes, bytes], writes: dict[bytes, bytes | None]) -> None:
    for key, value in writes.items():
        if value is None:
            entries.pop(key, None)
        else:
            entries[key] = value
