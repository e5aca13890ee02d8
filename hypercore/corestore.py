"""A store of many cores in one directory; names and one primary key give each its key pair."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Protocol
from weakref import WeakSet

from hypercore import crypto
from hypercore.core import Commit, CoreState, Hypercore, open_core
from hypercore.crypto import KeyPair
from hypercore.encoding import encode_name
from hypercore.encryption import check_encryption_key
from hypercore.errors import BadArgument, Closed
from hypercore.ids import decode_id
from hypercore.manifest import Manifest
from hypercore.storage import Database, open_database


class StoreObserver(Protocol):
    """Whoever has to know which cores of a store are in use: what replicates it."""

    def core_opened(self, core: CoreState) -> None:
        """The application opened a core that it had not open."""

    def core_closed(self, core: CoreState) -> None:
        """The application closed its last object on a core."""

    def store_closed(self) -> None:
        """All cores are closed, and the store is about to."""


class Corestore:
    """Any number of cores under one primary key. The same key, namespace and name always give the same core.

    It is a context manager; closing it closes every core that was opened through it.

    Args:
        path: the directory, made if it does not exist; None keeps everything in memory.
        primary_key: 32 secret bytes; by default those stored there, or new random ones.
        sync: whether a commit returns only when the disk has it and the machine may die.

    Raises:
        StorageConflict: another primary key is stored there.
        StorageLocked: another process has the directory open.
        StorageError: the directory cannot be used.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        primary_key: bytes | None = None,
        sync: bool = False,
    ) -> None:
        if primary_key is not None and len(primary_key) != crypto.KEY_SIZE:
            raise BadArgument(f"a primary key has {crypto.KEY_SIZE} bytes, found {len(primary_key)}")
        database = open_database(path, sync=sync)
        try:
            primary_key = database.seed(primary_key)
        except BaseException:
            database.close()
            raise
        self._setup(_OpenCores(database), primary_key, crypto.ROOT_NAMESPACE, owns_cores=True)

    def _setup(self, cores: _OpenCores, primary_key: bytes, namespace: bytes, *, owns_cores: bool) -> None:
        self._cores = cores
        self._primary_key = primary_key
        self._namespace = namespace
        self._owns_cores = owns_cores
        self._opened: WeakSet[Hypercore] = WeakSet()
        self._closed = False

    @property
    def primary_key(self) -> bytes:
        """The 32 secret bytes that all names of this store are derived from."""
        return self._primary_key

    def namespace(self, name: str | bytes) -> Corestore:
        """Return a view of the store in which the same names give other cores.

        Closing it closes only the cores that were opened through it.

        Raises:
            BadArgument: the name has no UTF-8.
        """
        self._check_open()
        raw = name if isinstance(name, bytes) else encode_name(name)
        child = Corestore.__new__(Corestore)
        child._setup(
            self._cores, self._primary_key, crypto.derive_namespace(self._namespace, raw), owns_cores=False
        )
        return child

    def create_key_pair(self, name: str) -> KeyPair:
        """Return the key pair that belongs to a name; nothing is stored."""
        return crypto.derive_key_pair(self._primary_key, self._namespace, name)

    def commit(self) -> Commit:
        """Return a commit: what is appended with it, to any cores, is stored together at its end."""
        self._check_open()
        return self._cores.commit()

    def get(
        self,
        *,
        name: str | None = None,
        key: bytes | str | None = None,
        key_pair: KeyPair | None = None,
        manifest: Manifest | None = None,
        encryption_key: bytes | None = None,
    ) -> Hypercore:
        """Open a core by name, by key, or by key pair; one that does not exist yet is made.

        A key whose key pair is stored here gives a writable core. Each call returns another object on the
        same core.

        Raises:
            BadArgument: nothing to open it by, things that do not go together, a key of the wrong size, or a
                name that has no UTF-8.
            Closed: the store is closed.
            StorageError: the store failed.
        """
        self._check_open()
        check_encryption_key(encryption_key)
        if name:
            if key is not None or key_pair is not None or manifest is not None:
                raise BadArgument("a core is opened by name or by key, not by both")
            state = self._cores.by_name(self._namespace, name, self.create_key_pair(name))
        elif key is not None or key_pair is not None or manifest is not None:
            state = self._cores.by_key(None if key is None else decode_id(key), key_pair, manifest)
        else:
            raise BadArgument(
                "a core is opened by a name, a key, a key pair or a manifest, found none of them"
            )
        core = self._cores.attach(state, encryption_key)
        self._opened.add(core)
        return core

    def cores(self) -> Iterator[bytes]:
        """Iterate over the keys of all cores that are stored, those of every namespace and of none.

        Raises:
            Closed: the store is closed.
            StorageError: while iterating, a record cannot be read.
        """
        self._check_open()
        return self._cores.cores()

    def open_quietly(self, discovery_key: bytes) -> Hypercore | None:
        """Open a stored core for a peer that asks for it; None if it is not stored.

        The observers are not told: the application does not use it.

        Raises:
            Closed: the store is closed.
            StorageError: the store failed.
        """
        self._check_open()
        return self._cores.open_quietly(discovery_key)

    def cores_in_use(self) -> list[CoreState]:
        """Return the cores that the application has open."""
        return self._cores.in_use()

    def observe(self, observer: StoreObserver) -> Callable[[], None]:
        """Tell an observer what happens from now on; the returned function ends it."""
        self._check_open()
        self._cores.observers.append(observer)
        return lambda: self._cores.observers.remove(observer)

    def _check_open(self) -> None:
        if self._closed or self._cores.closed:
            raise Closed("the Corestore is closed")

    @property
    def closed(self) -> bool:
        """Whether close was called, on this view or on the store itself."""
        return self._closed or self._cores.closed

    def close(self) -> None:
        """Close the cores opened here; the store itself closes those of its namespaces, too."""
        self._closed = True
        for core in list(self._opened):
            core.close()
        if self._owns_cores:
            self._cores.close()

    def __enter__(self) -> Corestore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Corestore {self._cores.name}{' closed' if self.closed else ''}>"


class _OpenCores:
    """The cores of one directory that are open, and the objects on them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._states: dict[bytes, CoreState] = {}
        self._objects: dict[int, Hypercore] = {}
        # Of each core, how many objects the application has.
        self._uses: Counter[bytes] = Counter()
        self.observers: list[StoreObserver] = []
        self.name = database.name
        self.closed = False

    def by_name(self, namespace: bytes, name: str, key_pair: KeyPair) -> CoreState:
        known = self._database.alias(namespace, name)
        if known is None:
            return self._open(key_pair=key_pair, alias=(namespace, name))
        return self._states.get(known) or CoreState(self._database, known)

    def by_key(self, key: bytes | None, key_pair: KeyPair | None, manifest: Manifest | None) -> CoreState:
        return self._open(key=key, key_pair=key_pair, manifest=manifest)

    def _open(self, **known: Any) -> CoreState:
        # Two states of one core would sign over each other: one that is open already is the one to use.
        return open_core(self._database, find_open=self._states.get, **known)

    def attach(self, state: CoreState, encryption_key: bytes | None) -> Hypercore:
        """Return another object of the application on a core."""
        discovery_key = state.discovery_key
        core = Hypercore.attached(state, lambda: self._release(core, state, 1), encryption_key)
        self._keep(core, state)
        self._uses[discovery_key] += 1
        if self._uses[discovery_key] == 1:
            for observer in tuple(self.observers):
                observer.core_opened(state)
        return core

    def open_quietly(self, discovery_key: bytes) -> Hypercore | None:
        state = self._states.get(discovery_key)
        if state is None:
            if self._database.core(discovery_key) is None:
                return None
            state = CoreState(self._database, discovery_key)
        core = Hypercore.attached(state, lambda: self._release(core, state, 0))
        self._keep(core, state)
        return core

    def in_use(self) -> list[CoreState]:
        return [self._states[discovery_key] for discovery_key in self._uses]

    def _keep(self, core: Hypercore, state: CoreState) -> None:
        self._states[state.discovery_key] = state
        self._objects[id(core)] = core

    def cores(self) -> Iterator[bytes]:
        for discovery_key in self._database.cores():
            record = self._database.core(discovery_key)
            if record is not None:
                yield self._database.auth(record).key

    def commit(self) -> Commit:
        return Commit(self._database)

    def _release(self, core: Hypercore, state: CoreState, uses: int) -> None:
        discovery_key = state.discovery_key
        del self._objects[id(core)]
        if uses:
            self._uses[discovery_key] -= 1
            if not self._uses[discovery_key]:
                del self._uses[discovery_key]
                for observer in tuple(self.observers):
                    observer.core_closed(state)
        if not any(other.discovery_key == discovery_key for other in self._objects.values()):
            self._states.pop(discovery_key, None)

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        for core in list(self._objects.values()):
            core.close()
        for observer in tuple(self.observers):
            observer.store_closed()
        self._database.close()
