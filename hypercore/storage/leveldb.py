"""The storage contract on LevelDB (plyvel): one directory, one process at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import plyvel

from hypercore.errors import (
    Closed,
    StorageConflict,
    StorageCorrupt,
    StorageEmpty,
    StorageError,
    StorageLocked,
)

# Two such buffers are the most that writing holds in memory: one being filled, one being sorted to disk.
_WRITE_BUFFER_BYTES = 16 << 20
_BLOCK_CACHE_BYTES = 8 << 20
_MAX_OPEN_FILES = 500

# A get verifies all of the table block that its entry is in: a quarter of LevelDB's own size makes it a third
# faster, and the files 3 % larger.
_TABLE_BLOCK_BYTES = 1024


class LevelDBReader:
    """A Reader on a LevelDB, or on a snapshot of one."""

    def __init__(self, source: Any, name: str) -> None:
        self.name = name
        self._source = source
        self._get = source.get

    def get(self, key: bytes, /) -> bytes | None:
        """Return the value of a key, None if there is none."""
        try:
            return self._get(key, verify_checksums=True)  # type: ignore[no-any-return]
        except (plyvel.Error, RuntimeError) as error:
            raise explain(error, self.name) from error

    def items(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the entries with start <= key < stop in key order, as they are now."""
        return self._iterate(start=start, stop=stop)

    def values(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[bytes]:
        """Iterate over the values of the same entries."""
        return self._iterate(start=start, stop=stop, reverse=reverse, include_key=False)

    def keys(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        """Iterate over the keys of the same entries."""
        return self._iterate(start=start, stop=stop, include_value=False)

    def close(self) -> None:
        """Give everything back that it holds."""
        self._source.close()

    def _iterate(self, **options: Any) -> Iterator[Any]:
        # Made here and not at the first step: the iterator shows the entries of this moment.
        try:
            entries = self._source.iterator(verify_checksums=True, **options)
            # Walking backwards, plyvel misses the only entry of a range that begins with it.
            forward = options | {"reverse": False, "verify_checksums": True}
            lost = self._source.iterator(**forward) if options.get("reverse") else None
        except (plyvel.Error, RuntimeError) as error:
            raise explain(error, self.name) from error
        return self._walk(entries, lost)

    def _walk(self, entries: Any, lost: Any) -> Iterator[Any]:
        try:
            with entries:
                for first in entries:
                    yield first
                    yield from entries
                    return
                if lost is not None:
                    yield from lost
        except (plyvel.Error, RuntimeError) as error:
            raise explain(error, self.name) from error


class LevelDB(LevelDBReader):
    """A KeyValueStore in a directory, which is made if it does not exist.

    Args:
        path: the directory.
        create: whether it is made; if not, nothing is left behind where there is none.
        sync: whether a write returns only when the disk has it. Without, a write survives the death of the
            process at once, and that of the machine as soon as the system has flushed its files.

    Raises:
        StorageLocked: another process, or another object of this one, has it open.
        StorageConflict: the directory belongs to another kind of database.
        StorageCorrupt: its files are damaged.
        StorageEmpty: there is none, and none is to be made.
        StorageError: it cannot be made or opened; the message names path and reason.
    """

    def __init__(self, path: str | os.PathLike[str], *, sync: bool = False, create: bool = True) -> None:
        name = os.fspath(path)
        self._sync = sync
        directory = Path(path)
        try:
            if create:
                directory.mkdir(parents=True, exist_ok=True)
            foreign = next(directory.glob("OPTIONS-*"), None)
            is_there = (directory / "CURRENT").exists()
            has_data = any(file.suffix in (".ldb", ".log") for file in directory.glob("*"))
        except (OSError, ValueError) as error:  # a ValueError for a path with a zero byte in it
            reason = error.strerror if isinstance(error, OSError) else error
            raise StorageError(f"{name}: cannot be made or read: {reason}") from error
        if foreign is not None:
            raise StorageConflict(f"{name}: holds a RocksDB ({foreign.name}), not a LevelDB")
        if has_data and not is_there:  # LevelDB would take it for a new one, and delete the data
            raise StorageCorrupt(f"{name}: damaged: the file CURRENT is missing")
        if not is_there and not create:
            raise StorageEmpty(f"{name}: there is no store")
        try:
            database = _open(os.fsencode(name))  # plyvel itself refuses names that the locale cannot write
        except plyvel.Error as error:
            raise explain(error, name) from error
        super().__init__(database, name)
        self.directory: Path | None = directory
        self._failure = _Failure()

    def batch(self) -> LevelDBBatch:
        """Return a new, empty write batch."""
        try:
            return LevelDBBatch(self._source.write_batch(sync=self._sync), self._failure, self.name)
        except RuntimeError as error:
            raise explain(error, self.name) from error

    def snapshot(self) -> LevelDBReader:
        """Return the store as it is now, whatever is written later."""
        try:
            return LevelDBReader(self._source.snapshot(), self.name)
        except RuntimeError as error:
            raise explain(error, self.name) from error

    def compact(self, start: bytes, stop: bytes) -> None:
        """Write the tables that hold these entries anew, without what was deleted."""
        try:
            self._source.compact_range(start=start, stop=stop)
            # LevelDB puts what it had in memory as far down as nothing overlaps, and leaves the lowest tables
            # as they are. Over borders that are written again, it has to merge the tables between them.
            borders = self.batch()
            for key in (start, stop):
                value = self.get(key)
                if value is None:
                    borders.delete(key)
                else:
                    borders.put(key, value)
            borders.write()
            self._source.compact_range(start=start, stop=stop)
        except (plyvel.Error, RuntimeError) as error:
            raise explain(error, self.name) from error

    def disk_bytes(self, start: bytes, stop: bytes) -> int:
        """Return about how many bytes the entries with start <= key < stop take in the table files."""
        try:
            return int(self._source.approximate_size(start, stop))
        except RuntimeError as error:
            raise explain(error, self.name) from error

    def memory_bytes(self) -> int:
        """Return about how many bytes buffers and caches take."""
        try:
            return int(self._source.get_property(b"leveldb.approximate-memory-usage") or 0)
        except RuntimeError as error:
            raise explain(error, self.name) from error


def _open(name: bytes) -> Any:
    """Open a LevelDB that checks whatever it reads: one built with assertions dies of damaged bytes.

    A log is damaged whenever the machine stopped while it was written. That is no reason to refuse the rest:
    opened once without these checks, LevelDB takes over the commits that are whole.
    """
    options = {
        "create_if_missing": True,
        "compression": None,
        "write_buffer_size": _WRITE_BUFFER_BYTES,
        "lru_cache_size": _BLOCK_CACHE_BYTES,
        "block_size": _TABLE_BLOCK_BYTES,
        "max_open_files": _MAX_OPEN_FILES,
    }
    try:
        return plyvel.DB(name, paranoid_checks=True, **options)
    except plyvel.CorruptionError:
        plyvel.DB(name, **options).close()
        return plyvel.DB(name, paranoid_checks=True, **options)


class _Failure:
    """Whether a write of a database has failed, and why.

    LevelDB goes on behind a record that is only half in its log, but when it is opened again it drops what
    follows that record. So after a failure nothing more is written.
    """

    __slots__ = ("reason",)

    def __init__(self) -> None:
        self.reason: Exception | None = None


class LevelDBBatch:
    """A WriteBatch on a LevelDB."""

    def __init__(self, batch: Any, failure: _Failure, name: str) -> None:
        self._name = name
        self._failure = failure
        self._write = batch.write
        self.put = batch.put
        self.delete = batch.delete
        self.clear = batch.clear

    def write(self) -> None:
        """Do all of it and empty the batch; once a write has failed, all others of the database do."""
        failure = self._failure
        try:
            if failure.reason is not None:
                raise StorageError(
                    f"{failure.reason}; nothing more is written until the store is opened again"
                )
            self._write()
            self.clear()
        except BaseException as error:
            with suppress(RuntimeError):  # the database was closed
                self.clear()
            if not isinstance(error, (plyvel.Error, RuntimeError)):
                raise
            explained = explain(error, self._name)
            if isinstance(error, plyvel.Error):
                failure.reason = explained
            raise explained from error


def explain(error: Exception, name: str) -> Exception:
    """Return our error for one of plyvel's, naming the store."""
    reason = b" ".join(part for part in error.args if isinstance(part, bytes)).decode(
        errors="replace"
    ) or str(error)
    if isinstance(error, RuntimeError):  # what plyvel raises for a closed database
        return Closed(f"{name}: the storage is closed")
    if isinstance(error, plyvel.CorruptionError):
        return StorageCorrupt(f"{name}: damaged: {reason}")
    if "IO error: lock " in reason:
        return StorageLocked(f"{name}: already open, in another process or in this one")
    return StorageError(f"{name}: {reason}")
