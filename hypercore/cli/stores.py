"""Finding stores and cores that are there; only ``open_copy`` ever makes any."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hypercore import core, storage
from hypercore.core import CoreState, Hypercore
from hypercore.corestore import Corestore
from hypercore.crypto import ROOT_NAMESPACE, discovery_key
from hypercore.errors import StorageConflict, StorageCorrupt, StorageEmpty, StorageError
from hypercore.ids import encode_id
from hypercore.storage import Database, LevelDB


@dataclass(frozen=True, slots=True)
class StoredCore:
    """A core of a store, before its records are read.

    Attributes:
        pointer: cores are numbered in the order in which they were made; None if that cannot be read.
        name: None if it has none.
    """

    database: Database
    discovery_key: bytes
    pointer: int | None
    name: str | None

    def open(self) -> CoreState:
        """Read the records of the core.

        Raises:
            StorageError: they cannot be read.
        """
        return CoreState(self.database, self.discovery_key)

    @property
    def label(self) -> str:
        """What to call a core that may not open."""
        try:
            record = self.database.core(self.discovery_key)
            if record is not None:
                return f"core {encode_id(self.database.auth(record).key)}"
        except StorageError:
            pass
        return f"core with discovery key {self.discovery_key.hex()}"


def open_database(path: Path) -> Database:
    """Open the store in a directory.

    Raises:
        StorageEmpty: there is none.
        StorageError: it cannot be opened, or read.
    """
    if not path.is_dir():
        raise StorageEmpty(f"{path}: there is no such directory")
    store = LevelDB(path / "db", create=False)
    try:
        return Database(store)
    except BaseException:
        store.close()
        raise


def stored_cores(database: Database, key: bytes | None = None) -> list[StoredCore]:
    """Return the cores of a store, the oldest first; with a key only that one.

    Raises:
        StorageEmpty: no core has that key.
    """
    if key is not None:
        core = _stored_core(database, discovery_key(key))
        if core.pointer is None and database.core(core.discovery_key) is None:
            raise StorageEmpty(f"{database.name}: core {encode_id(key)} is not stored there")
        return [core]
    found = [_stored_core(database, each) for each in database.cores()]
    return sorted(found, key=lambda core: (core.pointer is None, core.pointer))


def open_core(path: Path, *, key: bytes | None = None, name: str | None = None) -> Hypercore:
    """Open a core that is stored in a directory, by default the oldest; its store closes with it.

    Raises:
        StorageEmpty: there is no store, or no such core in it.
        StorageError: it cannot be opened, or read.
    """
    database = open_database(path)
    try:
        return Hypercore.attached(_choose(database, path, key, name).open(), database.close)
    except BaseException:
        database.close()
        raise


def open_first(path: Path, suits: Callable[[Hypercore], bool], noun: str) -> Hypercore:
    """Open the oldest core in a directory that suits; its store closes with it.

    Raises:
        StorageEmpty: there is no store, or no such core in it.
        StorageError: it cannot be opened, or read.
    """
    database = open_database(path)
    try:
        for stored in stored_cores(database):
            core = Hypercore.attached(stored.open(), database.close)
            if suits(core):
                return core
        raise StorageEmpty(f"{path}: none of its cores is a {noun}")
    except BaseException:
        database.close()
        raise


def open_all(path: Path) -> Corestore | Hypercore:
    """Open the Corestore in a directory, or the Hypercore that is by itself there.

    Raises:
        StorageEmpty: there is no store, or it has no core.
        StorageError: it cannot be opened, or read.
    """
    with closing(open_database(path)) as database:
        is_corestore = database.has_seed
    return Corestore(path) if is_corestore else open_core(path)


def has_core(path: Path, key: bytes) -> bool:
    """Return whether a core is stored in a directory; it is not where there is no store.

    Raises:
        StorageConflict: a Hypercore by itself is there, and it is another one.
        StorageError: the store cannot be opened, or read.
    """
    try:
        database = open_database(path)
    except StorageEmpty:
        return False
    with closing(database):
        return _has_core(database, key)


def open_copy(path: Path, key: bytes) -> Hypercore:
    """Open a core by its key; its store closes with it.

    A core that is not stored is made, in the store that is there or by itself; see ``has_core`` for errors.
    """
    try:
        database = open_database(path)
    except StorageEmpty:
        database = storage.open_database(path)
    try:
        _has_core(database, key)
        return Hypercore.attached(core.open_core(database, key=key), database.close)
    except BaseException:
        database.close()
        raise


def _has_core(database: Database, key: bytes) -> bool:
    stored = {each.discovery_key: each for each in stored_cores(database)}
    if discovery_key(key) in stored:
        return True
    if stored and not database.has_seed:
        other = next(iter(stored.values()))
        raise StorageConflict(f"{database.name}: {other.label} is stored there by itself")
    return False


def _choose(database: Database, path: Path, key: bytes | None, name: str | None) -> StoredCore:
    if name is not None:
        known = database.alias(ROOT_NAMESPACE, name)
        if known is not None:
            return _stored_core(database, known)
        if any(core.name == name for core in stored_cores(database)):
            raise StorageEmpty(f"{path}: {name!r} is a name in a namespace; open that core with --core ID")
        raise StorageEmpty(f"{path}: no core is named {name!r}")
    cores = stored_cores(database, key)
    if not cores:
        raise StorageEmpty(f"{path}: the store has no cores")
    return cores[0]


def _stored_core(database: Database, discovery_key: bytes) -> StoredCore:
    try:
        record = database.core(discovery_key)
    except StorageCorrupt:
        record = None
    if record is None:
        return StoredCore(database, discovery_key, None, None)
    return StoredCore(database, discovery_key, record.core_pointer, record.name)
