"""The contract of a storage: ordered bytes to bytes, with atomic write batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class WriteBatch(Protocol):
    """Writes that happen together or not at all."""

    def put(self, key: bytes, value: bytes, /) -> None:
        """Add or replace an entry."""

    def delete(self, key: bytes, /) -> None:
        """Remove an entry; one that does not exist is fine."""

    def write(self) -> None:
        """Do all of it; afterwards the batch is empty and can be used again.

        When it returns, the writes survive the death of the process.

        Raises:
            StorageError: nothing was written; the batch is empty.
        """

    def clear(self) -> None:
        """Forget what was added."""


class Reader(Protocol):
    """What can be read from a store; keys are compared as unsigned bytes."""

    def get(self, key: bytes, /) -> bytes | None:
        """Return the value of a key, None if there is none.

        Raises:
            StorageError: it cannot be read.
        """

    def items(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the entries with start <= key < stop in key order, as they are now.

        Raises:
            StorageError: while iterating, an entry cannot be read.
        """

    def values(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[bytes]:
        """Iterate over the values of the same entries."""

    def keys(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        """Iterate over the keys of the same entries."""

    def close(self) -> None:
        """Close it; closing twice is fine. Everything else raises Closed from then on."""


class KeyValueStore(Reader, Protocol):
    """An ordered store. One thread owns it.

    Attributes:
        name: what error messages call it; the path where there is one.
        directory: the one that holds it; None in memory.
    """

    name: str
    directory: Path | None

    def batch(self) -> WriteBatch:
        """Return a new, empty write batch."""

    def snapshot(self) -> Reader:
        """Return the store as it is now, whatever is written later."""

    def compact(self, start: bytes, stop: bytes) -> None:
        """Give back the disk space of deleted entries with start <= key < stop.

        Raises:
            StorageError: it failed; no entry is lost.
        """

    def disk_bytes(self, start: bytes, stop: bytes) -> int:
        """Return about how many bytes the entries with start <= key < stop take on disk."""

    def memory_bytes(self) -> int:
        """Return about how many bytes the store holds in memory."""
