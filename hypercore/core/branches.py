"""Named sessions: branches of a core that are stored beside it and can be committed to it.

A branch shares the blocks and nodes below its *shared length* with the core (or branch) that it was made
from, and has records of its own behind that. Nothing in it is signed until it is committed.
"""

from __future__ import annotations

from contextlib import suppress

from hypercore import flat_tree
from hypercore.core.state import CoreState, View
from hypercore.encoding import encode_index
from hypercore.errors import HypercoreError, InvalidOperation, StorageCorrupt
from hypercore.ids import encode_id
from hypercore.merkle import MerkleTree
from hypercore.storage.records import CoreHead, CoreKeys, Dependency, Sessions, dependency_key, sessions_key


class BranchState(View):
    """A named session.

    Attributes:
        main: the core it belongs to.
        name: of the session.
        base: what it was made from, or the core itself once all of that was committed.
        shared_length: how many blocks are those of the base.
    """

    base: View

    def __init__(
        self, main: CoreState, name: str, data_pointer: int, above: frozenset[int] = frozenset()
    ) -> None:
        self.key = main.key
        self.discovery_key = main.discovery_key
        self.manifest = main.manifest
        self.key_pair = main.key_pair
        self.database = main.database
        self.store = main.store
        self.keys = CoreKeys(data_pointer)
        self.main = main
        self.name = name
        self.load(above)

    @property
    def writable(self) -> bool:
        """Whether appends work here; nothing is signed."""
        return True

    @property
    def contiguous_length(self) -> int:
        """How many blocks from the first on are all stored; own blocks are never missing."""
        shared = min(self.base.contiguous_length, self.shared_length)
        return self.tree.length if shared == self.shared_length else shared

    def load(self, above: frozenset[int] = frozenset()) -> None:
        """Read head and dependency from storage.

        ``above`` are the data pointers of the branches on top of this one that are being opened.

        Raises:
            InvalidOperation: a root of it is not there any more.
            StorageCorrupt: the records contradict each other.
        """
        stored = self.store.get(dependency_key(self.keys.data_pointer))
        if stored is None:
            raise StorageCorrupt(f"{self.database.name}: session {self.name!r} has no dependency record")
        dependency = self.database.decode(Dependency.decode, stored, f"dependency of session {self.name!r}")
        self.base = self._find_base(dependency.data_pointer, above | {self.keys.data_pointer})
        self.shared_length = dependency.length
        stored = self.store.get(self.keys.head)
        head = (
            None
            if stored is None
            else self.database.decode(CoreHead.decode, stored, f"session {self.name!r}")
        )
        self.signature = None if head is None else head.signature
        self.fork = self.base.fork if head is None else head.fork
        roots = flat_tree.full_roots(0 if head is None else head.length)
        try:
            self.tree = MerkleTree([self.need_node(index) for index in roots])
        except InvalidOperation as error:
            raise InvalidOperation(
                f"session {self.name!r} of core {encode_id(self.key)}: {error}: what it was made from was "
                f"cut below the {self.shared_length} blocks that they share, so it can only begin anew"
            ) from None

    def load_if_possible(self) -> None:
        """Read it again after a failed write: nobody knows whether that happened."""
        with suppress(HypercoreError):
            self.load()

    def base_at(self, length: int) -> tuple[View, int]:
        """Return base and shared length of this branch cut to a length."""
        base = self.base
        if length >= self.shared_length:
            return base, self.shared_length
        while isinstance(base, BranchState) and base.shared_length >= length:
            base = base.base
        return base, length

    def stands_on(self, data_pointer: int) -> bool:
        """Return whether this branch, or one that it was made from, has its records there."""
        if self.keys.data_pointer == data_pointer:
            return True
        return isinstance(self.base, BranchState) and self.base.stands_on(data_pointer)

    def length_shared_with_core(self) -> int:
        """Return how many blocks are those of the core, whatever other branches lie between."""
        if isinstance(self.base, BranchState):
            return min(self.shared_length, self.base.length_shared_with_core())
        return self.shared_length

    def need_block(self, index: int) -> bytes:
        """Return a block, shared or own.

        Raises:
            BlockNotAvailable: it is not stored.
        """
        block = self.store.get(self.keys.block + encode_index(index))
        return self.missing_block(index) if block is None else block

    def _find_base(self, data_pointer: int, above: frozenset[int]) -> View:
        """Return the core or branch that has a data pointer."""
        if data_pointer == self.main.keys.data_pointer:
            return self.main
        for name, pointer in self.database.sessions(self.main.record).pointers.items():
            if pointer == data_pointer and pointer not in above:
                return _branch(self.main, name, pointer, above)
        raise StorageCorrupt(
            f"{self.database.name}: session {self.name!r} says that it was made from data {data_pointer}: "
            f"neither the core nor another session of it"
        )


def _branch(
    main: CoreState, name: str, data_pointer: int, above: frozenset[int] = frozenset()
) -> BranchState:
    """Return the one state that all who have a branch open share."""
    branch = main.branches.get(data_pointer)
    if not isinstance(branch, BranchState):
        branch = main.branches[data_pointer] = BranchState(main, name, data_pointer, above)
    return branch


def open_branch(main: CoreState, parent: View, name: str, *, overwrite: bool) -> BranchState:
    """Return a named session of a core; one that does not exist yet begins as long as ``parent``.

    ``overwrite`` begins it anew.

    Raises:
        InvalidOperation: the one to begin anew is, or is below, the parent; or what an old one was made from
            was truncated, and it has lost a root of its tree.
        StorageError: nothing was stored.
        StorageCorrupt: the stored records contradict each other.
    """
    database = main.database
    record = sessions_key(main.record.core_pointer)
    sessions = database.sessions(main.record)
    pointer = sessions.pointers.get(name)
    batch = database.store.batch()

    def begin(pointer: int) -> None:
        keys = CoreKeys(pointer)
        if parent.tree.length:
            head = CoreHead(parent.fork, parent.tree.length, parent.tree.tree_hash(), parent.signature)
            batch.put(keys.head, head.encode())
        batch.put(dependency_key(pointer), Dependency(parent.keys.data_pointer, parent.tree.length).encode())
        batch.put(record, Sessions({**sessions.pointers, name: pointer}).encode())

    if pointer is None:
        pointer = database.create_data(batch, begin)
    elif overwrite:
        if isinstance(parent, BranchState) and parent.stands_on(pointer):
            raise InvalidOperation(f"session {name!r} cannot begin anew from what was made from it")
        own = CoreKeys(pointer).everything
        for key in database.store.keys(own, own + b"\xff"):
            batch.delete(key)
        begin(pointer)
        live = main.branches.get(pointer)
        try:
            batch.write()
            if isinstance(live, BranchState):
                live.load()
        except BaseException:
            if isinstance(live, BranchState):
                live.load_if_possible()
            raise
        main.tell_listeners()
    return _branch(main, name, pointer)
