"""Named sessions: branches of a core that are stored beside it and can be committed to it.

A branch shares the blocks and nodes below its *shared length* with the core (or branch) that it was made
from, and has records of its own behind that. Nothing in it is signed until it is committed.
"""

from __future__ import annotations

from collections.abc import Iterator

from hypercore import flat_tree
from hypercore.core.state import CoreState, View
from hypercore.encoding import encode_index
from hypercore.errors import StorageCorrupt
from hypercore.merkle import MerkleTree, Node, get_node
from hypercore.storage.records import CoreHead, CoreKeys, Dependency, Sessions, dependency_key, sessions_key


class BranchState(View):
    """A named session.

    Attributes:
        main: the core it belongs to.
        name: of the session.
        shared: where shared records are, and up to which length; the last is what it was made from.
    """

    def __init__(self, main: CoreState, parent: View, name: str, data_pointer: int) -> None:
        self.key = main.key
        self.discovery_key = main.discovery_key
        self.manifest = main.manifest
        self.key_pair = main.key_pair
        self.database = main.database
        self.store = main.store
        self.keys = CoreKeys(data_pointer)
        self.main = main
        self.name = name
        self.shared: list[tuple[CoreKeys, int]] = (
            list(parent.shared) if isinstance(parent, BranchState) else []
        )
        self.load(parent)

    @property
    def writable(self) -> bool:
        """Whether appends work here; nothing is signed."""
        return True

    @property
    def shared_length(self) -> int:
        """How many blocks are those of what the branch was made from."""
        return self.shared[-1][1]

    def load(self, parent: View) -> None:
        """Read head and dependency from storage."""
        stored = self.store.get(dependency_key(self.keys.data_pointer))
        if stored is None:
            raise StorageCorrupt(f"{self.database.name}: session {self.name!r} has no dependency record")
        dependency = self.database.decode(Dependency.decode, stored, f"dependency of session {self.name!r}")
        self.shared.append((CoreKeys(dependency.data_pointer), dependency.length))
        stored = self.store.get(self.keys.head)
        head = (
            None
            if stored is None
            else self.database.decode(CoreHead.decode, stored, f"session {self.name!r}")
        )
        self.signature = None if head is None else head.signature
        roots = flat_tree.full_roots(0 if head is None else head.length)
        tree = MerkleTree([self.need_node(index) for index in roots])
        self.change(tree, parent.fork if head is None else head.fork, self.shared)

    def shared_up_to(self, length: int) -> list[tuple[CoreKeys, int]]:
        """Return what is shared when the branch is no longer than that."""
        shared = [*self.shared]
        while len(shared) > 1 and shared[-2][1] >= length:
            shared.pop()
        keys, end = shared[-1]
        shared[-1] = keys, min(end, length)
        return shared

    def change(self, tree: MerkleTree, fork: int, shared: list[tuple[CoreKeys, int]]) -> None:
        """Take over what was written."""
        self.tree = tree
        self.fork = fork
        self.shared = shared
        # Own blocks are never missing.
        available = self.main.contiguous_length
        self.contiguous_length = tree.length if available >= self.shared_length else available

    def need_block(self, index: int) -> bytes:
        """Return a block, shared or own.

        Raises:
            BlockNotAvailable: it is not stored.
        """
        block = self.store.get(self.keys.block + encode_index(index))
        return self.missing_block(index) if block is None else block

    def missing_block(self, index: int) -> bytes:
        """Return a shared block."""
        for keys, length in self.shared:
            if 0 <= index < length:
                block = self.store.get(keys.block + encode_index(index))
                if block is not None:
                    return block
                break
        self._refuse(index)

    def blocks(self, start: int, end: int, *, reverse: bool = False) -> Iterator[bytes]:
        """Iterate over blocks, shared and own."""
        return self._blocks_one_by_one(range(end - 1, start - 1, -1) if reverse else range(start, end))

    def node(self, index: int) -> Node | None:
        """Return a tree node, shared or own."""
        last = flat_tree.spans(index)[1]
        keys = next((keys for keys, length in self.shared if last <= 2 * length - 2), self.keys)
        stored = self.store.get(keys.node + encode_index(index))
        return None if stored is None else self.database.decode(_decode_node, stored, f"tree node {index}")

    def own_nodes(self, length: int) -> Iterator[Node]:
        """Iterate over the nodes below ``length`` blocks that the core does not have, in no order."""
        for keys in (*(keys for keys, _ in self.shared[1:]), self.keys):
            for value in self.store.values(keys.node, keys.node + encode_index(2 * length)):
                node = self.database.decode(_decode_node, value, "tree node")
                # A branch below may have gone on another way behind what is shared.
                if flat_tree.spans(node.index)[1] < 2 * length and self.node(node.index) == node:
                    yield node

    def _has_block(self, index: int) -> bool:
        keys = next((keys for keys, length in self.shared if index < length), self.keys)
        return self.store.get(keys.block + encode_index(index)) is not None


def open_branch(main: CoreState, parent: View, name: str, *, overwrite: bool) -> BranchState:
    """Return a named session of a core; one that does not exist yet begins as long as ``parent``.

    ``overwrite`` begins it anew.
    """
    database = main.database
    record = sessions_key(main.record.core_pointer)
    stored = database.store.get(record)
    sessions = Sessions() if stored is None else database.decode(Sessions.decode, stored, "list of sessions")
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
        own = CoreKeys(pointer).everything
        for key in database.store.keys(own, own + b"\xff"):
            batch.delete(key)
        begin(pointer)
        batch.write()
    return BranchState(main, parent, name, pointer)


def _decode_node(buf: bytes) -> Node:
    return get_node(buf, 0)[0]
