"""The storage contract on LevelDB (plyvel): one directory, one process at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plyvel

from hypercore.errors import Closed, StorageConflict, StorageCorrupt, StorageError, StorageLocked

# Two such buffers are the most that writing holds in memory: one being filled, one being sorted to disk.
_WRITE_BUFFER_BYTES = 16 << 20
_BLOCK_CACHE_BYTES = 8 << 20
_MAX_OPEN_FILES = 500


class LevelDB:
    """A KeyValueStore in a directory, which is made if it does not exist.

    A write survives the death of the process at once, and that of the machine as soon as the system has
    flushed its files.

    Raises:
        StorageLocked: another process, or another object of this one, has it open.
        StorageConflict: the directory belongs to another kind of database.
        StorageCorrupt: its files are damaged.
        StorageError: it cannot be made or opened; the message names path and reason.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name = os.fspath(path)
        directory = Path(path)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            foreign = next(directory.glob("OPTIONS-*"), None)
        except OSError as error:
            raise StorageError(f"{self.name}: cannot be made or read: {error.strerror}") from error
        if foreign is not None:
            raise StorageConflict(f"{self.name}: holds a RocksDB ({foreign.name}), not a LevelDB")
        try:
            self._db: Any = plyvel.DB(
                self.name,
                create_if_missing=True,
                compression=None,
                write_buffer_size=_WRITE_BUFFER_BYTES,
                lru_cache_size=_BLOCK_CACHE_BYTES,
                max_open_files=_MAX_OPEN_FILES,
            )
        except plyvel.Error as error:
            raise self._explain(error) from error
        self._get = self._db.get

    def get(self, key: bytes, /) -> bytes | None:
        """Return the value of a key, None if there is none."""
        try:
            return self._get(key)  # type: ignore[no-any-return]
        except (plyvel.Error, RuntimeError) as error:
            raise self._explain(error) from error

    def batch(self) -> LevelDBBatch:
        """Return a new, empty write batch."""
        try:
            return LevelDBBatch(self, self._db.write_batch())
        except RuntimeError as error:
            raise self._explain(error) from error

    def items(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the entries with start <= key < stop in key order, as they are now."""
        return self._iterate(start=start, stop=stop)

    def values(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[bytes]:
        """Iterate over the values of the same entries."""
        return self._iterate(start=start, stop=stop, reverse=reverse, include_key=False)

    def close(self) -> None:
        """Close the database and give its lock back."""
        self._db.close()

    def _iterate(self, **options: Any) -> Iterator[Any]:
        try:
            with self._db.iterator(**options) as entries:
                yield from entries
        except (plyvel.Error, RuntimeError) as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> Exception:
        """Return our error for one of plyvel's, naming the path."""
        reason = str(error)
        if isinstance(error, RuntimeError):  # what plyvel raises for a closed database
            return Closed(f"{self.name}: the storage is closed")
        if isinstance(error, plyvel.CorruptionError):
            return StorageCorrupt(f"{self.name}: damaged: {reason}")
        if "LOCK" in reason or "lock " in reason:
            if "Permission denied" in reason:
                return StorageError(f"{self.name}: no permission to write there")
            return StorageLocked(f"{self.name}: already open, in another process or in this one")
        return StorageError(f"{self.name}: {reason}")


class LevelDBBatch:
    """A WriteBatch on a LevelDB."""

    def __init__(self, store: LevelDB, batch: Any) -> None:
        self._store = store
        self._batch = batch
        self.put = batch.put
        self.delete = batch.delete
        self.clear = batch.clear

    def write(self) -> None:
        """Do all of it and empty the batch."""
        try:
            self._batch.write()
        except (plyvel.Error, RuntimeError) as error:
            raise self._store._explain(error) from error
        finally:
            self._batch.clear()
