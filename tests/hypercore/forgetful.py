"""A key-value store in memory that forgets what was not synced when its machine dies."""

from __future__ import annotations

from hypercore.storage import Memory


class ForgetfulStore(Memory):
    """A KeyValueStore with the promises of a LevelDB.

    A batch that is written with ``sync`` makes itself and all batches before it durable. Of the others, a
    crash leaves some beginning of what was written; never a part of a batch, never one without those before.

    Attributes:
        sync: whether a write makes everything durable.
        written: how many batches were written since the store was made.
        unsynced: the batches that are not durable, in the order in which they were written.
    """

    def __init__(self, *, sync: bool = False) -> None:
        super().__init__()
        self.sync = sync
        self.written = 0
        self.unsynced: list[dict[bytes, bytes | None]] = []
        self._durable = Memory()

    def apply(self, writes: dict[bytes, bytes | None]) -> None:
        super().apply(writes)
        self.written += 1
        self.unsynced.append(writes)
        if self.sync:
            self.flush()

    def flush(self) -> None:
        """Make everything durable that was written."""
        for writes in self.unsynced:
            self._durable.apply(writes)
        self.unsynced = []

    def crash(self, survivors: int = 0) -> ForgetfulStore:
        """Return the store as it is found after a crash that so many of the unsynced batches survived.

        This store is left as it is: any number of crashes can be tried at one point.
        """
        found = ForgetfulStore()
        found.apply(dict(self._durable.items(b"", b"\xff" * 8)))
        for writes in self.unsynced[:survivors]:
            found.apply(writes)
        found.flush()
        found.sync, found.written = self.sync, 0
        return found
