"""The records of a whole store: its head, its cores, their names and keys. Not what is inside a core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from hypercore.crypto import KeyPair, discovery_key, random_key
from hypercore.errors import DecodingError, StorageConflict, StorageCorrupt
from hypercore.manifest import Manifest
from hypercore.storage import records
from hypercore.storage.keyvalue import KeyValueStore
from hypercore.storage.records import Auth, CoreRecord, StoreHead

_T = TypeVar("_T")


class Database:
    """One store: any number of cores in one ordered key-value store, which it owns and closes.

    Attributes:
        store: the key-value store.

    Raises:
        StorageCorrupt: the store's own record cannot be read.
    """

    def __init__(self, store: KeyValueStore) -> None:
        self.store = store
        stored = store.get(records.STORE_HEAD_KEY)
        self._head = StoreHead() if stored is None else self.decode(StoreHead.decode, stored, "store head")

    def close(self) -> None:
        """Close the key-value store."""
        self.store.close()

    @property
    def default_discovery_key(self) -> bytes | None:
        """The discovery key of the core that was made first."""
        return self._head.default_discovery_key

    def seed(self, wanted: bytes | None = None) -> bytes:
        """Return the 32 secret bytes that the names of this store are derived from; made at the first call.

        Raises:
            StorageConflict: another seed than the wanted one is stored.
        """
        stored = self._head.seed
        if stored is None:
            stored = wanted if wanted is not None else random_key()
            self._write_head(replace(self._head, seed=stored))
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

    def auth(self, record: CoreRecord) -> Auth:
        """Return key, manifest and key pair of a stored core."""
        stored = self.store.get(records.auth_key(record.core_pointer))
        if stored is None:
            raise StorageCorrupt(f"{self.store.name}: core {record.core_pointer} has no auth record")
        return self.decode(Auth.decode, stored, "auth record")

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
        batch.put(records.STORE_HEAD_KEY, head.encode())
        batch.put(records.core_key(public), record.encode())
        if alias is not None:
            batch.put(records.alias_key(*alias), public)
        batch.put(records.auth_key(record.core_pointer), Auth(key, public, manifest, key_pair).encode())
        batch.write()
        self._head = head
        return record

    def decode(self, decoder: Callable[[bytes], _T], stored: bytes, what: str) -> _T:
        """Decode a stored record.

        Raises:
            StorageCorrupt: it is not what it should be; the message names the store and the record.
        """
        try:
            return decoder(stored)
        except DecodingError as error:
            raise StorageCorrupt(f"{self.store.name}: the {what} is damaged: {error}") from error

    def _write_head(self, head: StoreHead) -> None:
        batch = self.store.batch()
        batch.put(records.STORE_HEAD_KEY, head.encode())
        batch.write()
        self._head = head
