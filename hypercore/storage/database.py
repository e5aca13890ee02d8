"""The records of a whole store: its head, its cores, their names and keys. Not what is inside a core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from hypercore.crypto import KEY_SIZE, KeyPair, discovery_key, random_key
from hypercore.encoding import decode_index, decode_key_string
from hypercore.errors import BadArgument, DecodingError, StorageConflict, StorageCorrupt
from hypercore.manifest import Manifest
from hypercore.storage import records
from hypercore.storage.keyvalue import KeyValueStore, WriteBatch
from hypercore.storage.leveldb import LevelDB
from hypercore.storage.memory import Memory
from hypercore.storage.records import Auth, CoreRecord, Sessions, StoreHead

_T = TypeVar("_T")

# Where records are that are found by walking over them: between those of the cores and those inside cores.
_ALIASES = (records.CORES_END, b"\x03")
_AUTHS = (b"\x03", b"\x04")


class Database:
    """One store: any number of cores in one ordered key-value store, which it owns and closes.

    Attributes:
        store: the key-value store.
        name: what error messages call it.
        directory: the one that holds it; None in memory.

    Raises:
        StorageCorrupt: the store's own record cannot be read.
    """

    def __init__(self, store: KeyValueStore) -> None:
        self.store = store
        self.name = store.name
        self.directory = store.directory
        self._head = self._read_head()

    def close(self) -> None:
        """Close the key-value store."""
        self.store.close()

    @property
    def default_discovery_key(self) -> bytes | None:
        """The discovery key of the core that was made first."""
        return self._head.default_discovery_key

    @property
    def free_pointers(self) -> tuple[int, int]:
        """The core pointer and the data pointer that the next core gets; all that are used are below."""
        return self._head.cores, self._head.datas

    @property
    def has_seed(self) -> bool:
        """Whether a Corestore was ever opened here."""
        return self._head.seed is not None

    def seed(self, wanted: bytes | None = None) -> bytes:
        """Return the 32 secret bytes that the names of this store are derived from; made at the first call.

        Raises:
            StorageConflict: another seed than the wanted one is stored.
        """
        stored = self._head.seed
        if stored is None:
            stored = wanted if wanted is not None else random_key()
            self._write(self.store.batch(), replace(self._head, seed=stored))
        if wanted is not None and wanted != stored:
            raise StorageConflict(
                f"{self.store.name}: another Corestore, with another primary key, is stored there"
            )
        return stored

    def core(self, discovery_key: bytes) -> CoreRecord | None:
        """Return where the records of a core are, None if it is not stored."""
        stored = self.store.get(records.core_key(discovery_key))
        return None if stored is None else self.decode(CoreRecord.decode, stored, "core record")

    def cores(self) -> Iterator[bytes]:
        """Iterate over the discovery keys of all cores, in their order."""
        for key, _ in self.store.items(records.CORES_START, records.CORES_END):
            yield key[1:]

    def alias(self, namespace: bytes, name: str) -> bytes | None:
        """Return the discovery key of a named core, None if there is no such name yet."""
        return self.store.get(records.alias_key(namespace, name))

    def aliases(self) -> Iterator[tuple[bytes, str, bytes]]:
        """Iterate over namespace, name and discovery key of all names."""
        for key, public in self.store.items(*_ALIASES):
            start = 1 + KEY_SIZE
            name = decode_key_string(key, start).decode("utf-8", "replace")
            yield key[1:start], name, public

    def auth_records(self) -> Iterator[tuple[int, bytes]]:
        """Iterate over core pointer and bytes of all auth records."""
        for key, stored in self.store.items(*_AUTHS):
            try:
                pointer = decode_index(key, 1)[0]
            except DecodingError:
                continue
            if key == records.auth_key(pointer):
                yield pointer, stored

    def auth(self, record: CoreRecord) -> Auth:
        """Return key, manifest and key pair of a stored core."""
        stored = self.store.get(records.auth_key(record.core_pointer))
        if stored is None:
            raise StorageCorrupt(f"{self.store.name}: core {record.core_pointer} has no auth record")
        return self.decode(Auth.decode, stored, "auth record")

    def sessions(self, record: CoreRecord) -> Sessions:
        """Return the names of a core's named sessions and where their records are."""
        stored = self.store.get(records.sessions_key(record.core_pointer))
        return Sessions() if stored is None else self.decode(Sessions.decode, stored, "list of sessions")

    def add_alias(self, record: CoreRecord, discovery_key: bytes, namespace: bytes, name: str) -> CoreRecord:
        """Give a stored core a name.

        Raises:
            StorageError: nothing was stored.
        """
        named = replace(record, name=name, namespace=namespace)
        batch = self.store.batch()
        batch.put(records.core_key(discovery_key), named.encode())
        batch.put(records.alias_key(namespace, name), discovery_key)
        batch.write()
        return named

    def update_auth(self, record: CoreRecord, auth: Auth) -> None:
        """Replace key, manifest and key pair of a stored core.

        Raises:
            StorageError: nothing was stored.
        """
        batch = self.store.batch()
        batch.put(records.auth_key(record.core_pointer), auth.encode())
        batch.write()

    def create_core(
        self,
        key: bytes,
        manifest: Manifest | None,
        key_pair: KeyPair | None,
        alias: tuple[bytes, str] | None = None,
    ) -> CoreRecord:
        """Store a new core, in one atomic write; ``alias`` is its namespace and name.

        Raises:
            StorageError: nothing was stored.
        """
        public = discovery_key(key)
        namespace, name = alias if alias is not None else (None, None)
        record = CoreRecord(self._head.cores, self._head.datas, name, namespace)
        head = self._head.with_core(public)
        batch = self.store.batch()
        batch.put(records.core_key(public), record.encode())
        if alias is not None:
            batch.put(records.alias_key(*alias), public)
        batch.put(records.auth_key(record.core_pointer), Auth(key, public, manifest, key_pair).encode())
        self._write(batch, head)
        return record

    def create_data(self, batch: WriteBatch, fill: Callable[[int], None]) -> int:
        """Write a batch together with a new data pointer, and return that; ``fill`` adds what depends on it.

        Raises:
            StorageError: nothing was written.
        """
        pointer = self._head.datas
        fill(pointer)
        self._write(batch, replace(self._head, datas=pointer + 1))
        return pointer

    def delete_core(self, record: CoreRecord, discovery_key: bytes) -> None:
        """Delete all records of a core and its named sessions, in one atomic write.

        Raises:
            StorageError: nothing was deleted.
            StorageCorrupt: the list of its sessions cannot be read; nothing was deleted.
        """
        batch = self.store.batch()
        datas = (record.data_pointer, *self.sessions(record).pointers.values())
        for prefix in (
            *(records.CoreKeys(pointer).everything for pointer in datas),
            records.auth_prefix(record.core_pointer),
        ):
            for key in self.store.keys(prefix, prefix + b"\xff"):
                batch.delete(key)
        batch.delete(records.core_key(discovery_key))
        if record.name is not None and record.namespace is not None:
            batch.delete(records.alias_key(record.namespace, record.name))
        batch.write()

    def decode(self, decoder: Callable[[bytes], _T], stored: bytes, what: str) -> _T:
        """Decode a stored record.

        Raises:
            StorageCorrupt: it is not what it should be; the message names the store and the record.
        """
        try:
            return decoder(stored)
        except (DecodingError, BadArgument) as error:
            raise StorageCorrupt(f"{self.store.name}: the {what} is damaged: {error}") from error

    def _read_head(self) -> StoreHead:
        stored = self.store.get(records.STORE_HEAD_KEY)
        return StoreHead() if stored is None else self.decode(StoreHead.decode, stored, "store head")

    def _write(self, batch: WriteBatch, head: StoreHead) -> None:
        """Write a batch that has the new head of the store in it."""
        batch.put(records.STORE_HEAD_KEY, head.encode())
        try:
            batch.write()
            self._head = head
        except BaseException:
            # Whether or not it was written: two cores must never get the same pointers.
            self._head = self._read_head()
            raise


def open_database(path: str | os.PathLike[str] | None, *, sync: bool = False) -> Database:
    """Open the store in a directory, in memory if there is none; see LevelDB for errors and ``sync``."""
    store = Memory() if path is None else LevelDB(Path(path) / "db", sync=sync)
    try:
        return Database(store)
    except BaseException:
        store.close()
        raise
