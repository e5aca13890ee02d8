"""What is known of a core, and how its blocks and nodes are read.

View is the part that reads, the same for a core, a snapshot of it and a branch. CoreState is the core itself,
shared by all Hypercore objects that are open on it; what changes it is in hypercore.core.commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain, compress, repeat
from operator import length_hint
from typing import NoReturn, Protocol
from weakref import WeakMethod, WeakSet, WeakValueDictionary

from hypercore import crypto, flat_tree
from hypercore.bitfield import Bitfield
from hypercore.core.changes import Change
from hypercore.crypto import KeyPair
from hypercore.encoding import decode_index, encode_index
from hypercore.errors import (
    BadArgument,
    BlockNotAvailable,
    HypercoreError,
    InvalidOperation,
    InvalidSignature,
    StorageCorrupt,
    StorageError,
)
from hypercore.ids import encode_id
from hypercore.manifest import Manifest, Prologue
from hypercore.merkle import MerkleTree, Node, get_node
from hypercore.signing import Authority, TreeSigner
from hypercore.storage.database import Database
from hypercore.storage.keyvalue import Reader
from hypercore.storage.records import Auth, CoreHead, CoreKeys, Hints


class Closable(Protocol):
    """What is open on a core."""

    def close(self) -> None:
        """Close it. Closing twice is fine."""


class View:
    """A core as one can read it.

    Attributes:
        key, discovery_key: 32 bytes each.
        manifest: None until it is known.
        key_pair: None when the core is not ours.
        database: the store it is in.
        store: where its records are read.
        keys: the keys of its records.
        tree: the tree of its blocks.
        fork: how often it was truncated.
        signature: over the tree; None if there is none.
        base: what a named session, or a snapshot of one, was made from; None for others.
        shared_length: how many blocks are those of the base.
    """

    base: View | None = None
    shared_length = 0
    key: bytes
    discovery_key: bytes
    manifest: Manifest | None
    key_pair: KeyPair | None
    database: Database
    store: Reader
    keys: CoreKeys
    tree: MerkleTree
    fork: int
    signature: bytes | None

    @property
    def writable(self) -> bool:
        """Whether appends work here."""
        return False

    @property
    def contiguous_length(self) -> int:
        """How many blocks from the first on are all stored."""
        raise NotImplementedError

    def missing_block(self, index: int) -> bytes:
        """Return a block that has no record here, from wherever else it may be.

        Raises:
            BadArgument: the index is negative.
            BlockNotAvailable: it is nowhere.
        """
        if self.base is not None and 0 <= index < self.shared_length:
            block = self.store.get(self.base.keys.block + encode_index(index))
            return self.base.missing_block(index) if block is None else block
        self._refuse(index)

    def has(self, start: int, end: int) -> bool:
        """Return whether all blocks from ``start`` up to, not including, ``end`` are stored."""
        if end > self.tree.length:
            return start >= end
        if self.base is not None:  # its own blocks are never missing
            return self.base.has(start, min(end, self.shared_length))
        return all(self._has_block(index) for index in range(max(start, self.contiguous_length), end))

    def blocks(self, start: int, end: int, *, reverse: bool = False) -> Iterator[bytes]:
        """Iterate over stored blocks.

        Raises:
            BlockNotAvailable: while iterating, one is not stored.
        """
        if self.base is None and end <= self.contiguous_length:
            prefix = self.keys.block
            blocks = self.store.values(
                prefix + encode_index(start), prefix + encode_index(end), reverse=reverse
            )
            # In C, as to count in Python makes a stream a tenth slower; to look at each key, by a third.
            expected = repeat(True, end - start)
            return chain(compress(blocks, expected), self._nothing_lost(start, end, expected))
        return self._blocks_one_by_one(range(end - 1, start - 1, -1) if reverse else range(start, end))

    def _nothing_lost(self, start: int, end: int, expected: Iterator[bool]) -> Iterator[bytes]:
        """Add nothing to a stream of blocks, but refuse to end it while ``expected`` still has some.

        All were said to be there, so damaged storage has lost one.
        """
        yield from ()
        count = length_hint(expected)
        if count:
            which = f"{count} of the blocks {start} to {end - 1} of core {encode_id(self.key)} are lost"
            lost = next((index for index in range(start, end) if not self._has_block(index)), None)
            first = "" if lost is None else f", the first is {lost}"
            raise StorageCorrupt(f"{self.database.name}: {which}{first}: audit it")

    def node(self, index: int) -> Node | None:
        """Return a tree node, None if it is not stored."""
        if self.base is not None and flat_tree.spans(index)[1] < 2 * self.shared_length:
            return self.base.node(index)
        stored = self.store.get(self.keys.node + encode_index(index))
        if stored is None:
            return None
        return self.database.decode(lambda buf: get_node(buf, 0)[0], stored, f"tree node {index}")

    def need_node(self, index: int) -> Node:
        """Return a tree node.

        Raises:
            InvalidOperation: it is not stored.
        """
        node = self.node(index)
        if node is None:
            raise InvalidOperation(f"tree node {index} is not stored")
        return node

    def tree_at(self, length: int) -> MerkleTree:
        """Return the tree of the first ``length`` blocks.

        Raises:
            BadArgument: the core is not that long.
            InvalidOperation: a node that it needs is not stored.
        """
        if not 0 <= length <= self.tree.length:
            raise BadArgument(f"a length is between 0 and {self.tree.length}, found {length}")
        if length == self.tree.length:
            return self.tree
        return MerkleTree([self.need_node(index) for index in flat_tree.full_roots(length)])

    def seek(self, offset: int, padding: int) -> tuple[int, int]:
        """Return the block at a byte offset and the offset in it.

        ``padding`` bytes of each block do not count.

        Where blocks are empty it stops where the reference does; the end is the block behind the last.

        Raises:
            BadArgument: the offset is negative or behind the end.
            BlockNotAvailable: a node that is needed is not stored; with this block it comes.
            InvalidOperation: it is not stored although its blocks are.
        """
        index, rest = self._find_byte(offset, padding)
        if index & 1:
            block = self._block_near(index, rest)
            if self.has(block, block + 1):
                raise InvalidOperation(f"a tree node below node {index} is not stored")
            raise BlockNotAvailable(block, length=self.tree.length, key=self.key)
        return index // 2, rest

    def seek_gap(self, offset: int, padding: int) -> tuple[int, int] | None:
        """Return the node below which the way to a byte offset is not stored, and a block about there.

        None if ``seek`` finds the offset, or refuses it.
        """
        try:
            index, rest = self._find_byte(offset, padding)
        except BadArgument:
            return None
        return (index, self._block_near(index, rest)) if index & 1 else None

    def missing_nodes(self, index: int) -> int:
        """Return how many levels from a node up are not stored; 0 if it is stored, or not below a root."""
        end = 2 * self.tree.length
        if flat_tree.spans(index)[1] >= end:
            return 0
        count = 0
        while not flat_tree.contains(index, end) and self.node(index) is None:
            count += 1
            index = flat_tree.parent(index)
        return count

    def _find_byte(self, offset: int, padding: int) -> tuple[int, int]:
        """Return the tree index of a byte's block, or of the last stored node above it, and the rest."""
        rest = offset
        if rest == 0:
            return 0, 0
        for root in self.tree.roots:
            size = root.size - padding * flat_tree.leaf_count(root.index)
            if rest == size:
                return flat_tree.spans(root.index)[1] + 2, 0
            if 0 < rest < size:
                return self._descend(root.index, rest, padding)
            rest -= size
        total = self.tree.byte_length - padding * self.tree.length
        raise BadArgument(f"a byte offset is between 0 and {total}, found {offset}")

    def _descend(self, index: int, rest: int, padding: int) -> tuple[int, int]:
        while index & 1:
            left, right = flat_tree.children(index)
            node = self.node(left)
            if node is None:
                break
            size = node.size - padding * flat_tree.leaf_count(left)
            if rest == size:
                return flat_tree.spans(left)[1] + 2, 0
            if rest < size:
                index = left
            else:
                rest -= size
                index = right
        return index, rest

    def _block_near(self, index: int, rest: int) -> int:
        """Return the block about where a byte is below a node; what proves it shows both children."""
        first, last = (leaf // 2 for leaf in flat_tree.spans(index))
        size = self.need_node(index).size
        return min(first + (last + 1 - first) * rest // max(size, 1), last)

    def _has_block(self, index: int) -> bool:
        return self.store.get(self.keys.block + encode_index(index)) is not None

    def _blocks_one_by_one(self, indexes: range) -> Iterator[bytes]:
        for index in indexes:
            block = self.store.get(self.keys.block + encode_index(index))
            yield self.missing_block(index) if block is None else block

    def _refuse(self, index: int) -> NoReturn:
        if index < 0:
            raise BadArgument(f"a block index is not negative, found {index}")
        raise BlockNotAvailable(index, length=self.tree.length, key=self.key)


class CoreState(View):
    """The core itself.

    Attributes:
        record: where its records are.
        authority: who may sign it; None until the manifest is known.
        prologue: which first blocks the manifest promises; None if it promises none, or is not known.
        signer: signs for us; None when the core cannot be written here.
        batch: a write batch that single appends use again and again.
        listeners: what is called after every change, also of a named session.
        observers: what is called after every change, with what changed, and before the listeners.
        answerers: what answers the messages of peers, by the name of their extension.
        replicator: whoever exchanges the core with peers; None while nobody does.
        settled: False while a commit is under way, and after one that may or may not have been written.
        snapshots: what has to know of a truncation.
        branches: the named sessions that are open, by data pointer.
        objects: what is open on the core, its sessions and snapshots included.
        is_purged: whether its records were deleted, and none must be written any more.

    Raises:
        StorageCorrupt: the stored records contradict each other.
    """

    contiguous_length = 0

    def __init__(self, database: Database, discovery_key: bytes) -> None:
        record = database.core(discovery_key)
        if record is None:
            raise StorageCorrupt(f"{database.name}: core {discovery_key.hex()} has no record")
        auth = database.auth(record)
        if auth.discovery_key != discovery_key or crypto.discovery_key(auth.key) != discovery_key:
            raise StorageCorrupt(
                f"{database.name}: the auth record of core {discovery_key.hex()} is another core's"
            )
        self.database = database
        self.store = database.store
        self.record = record
        self.key = auth.key
        self.discovery_key = discovery_key
        self.key_pair = auth.key_pair
        self.keys = CoreKeys(record.data_pointer)
        self.authority: Authority | None = None
        self.prologue: Prologue | None = None
        self.signer: TreeSigner | None = None
        self.listeners: list[Callable[[], None]] = []
        self.observers: list[Callable[[Change], None]] = []
        self.answerers: dict[str, WeakMethod[Callable[[bytes], list[bytes]]]] = {}
        self.replicator: object | None = None
        self.snapshots: WeakSet[SnapshotState] = WeakSet()
        self.branches: WeakValueDictionary[int, View] = WeakValueDictionary()
        self.objects: WeakSet[Closable] = WeakSet()
        self.is_purged = False
        self._bitfield: Bitfield | None = None
        self.batch = database.store.batch()
        try:
            self.adopt_manifest(auth.manifest)
        except (InvalidSignature, BadArgument) as error:
            raise StorageCorrupt(f"{database.name}: the auth record is damaged: {error}") from None
        self.load()

    @property
    def writable(self) -> bool:
        """Whether appends can be signed here."""
        return self.signer is not None

    @property
    def auth(self) -> Auth:
        """Key, manifest and key pair, as they are stored."""
        return Auth(self.key, self.discovery_key, self.manifest, self.key_pair)

    @property
    def bitfield(self) -> Bitfield:
        """Which blocks at and above the contiguous length are stored."""
        if self._bitfield is None:
            pages = self.keys.page
            numbers = [decode_index(key, len(pages))[0] for key in self.store.keys(pages, pages + b"\xff")]
            self._bitfield = Bitfield(numbers, lambda number: self.store.get(self.keys.page_key(number)))
        return self._bitfield

    @property
    def has_bitfield_pages(self) -> bool:
        """Whether any block at or above the contiguous length was ever stored."""
        return self.bitfield.has_pages

    def adopt_manifest(self, manifest: Manifest | None) -> None:
        """Take over a manifest that belongs to the key."""
        self.manifest = manifest
        if manifest is not None:
            self.authority = Authority(self.key, manifest)
            self.prologue = self.authority.prologue
            key_pair = self.key_pair
            if (
                key_pair is not None
                and key_pair.secret_key is not None
                and self.authority.names(key_pair.public_key)
            ):
                # One of several signs by itself and hands its signature to whoever puts them together.
                self.signer = None if self.authority.needs_several else self.authority.signer(key_pair)

    def has(self, start: int, end: int) -> bool:
        """Return whether all blocks from ``start`` up to, not including, ``end`` are stored."""
        start = max(start, self.contiguous_length)
        if start >= end:
            return True
        return end <= self.tree.length and self.bitfield.find_unset(start, end) == end

    def stored_ranges(self, start: int = 0) -> Iterator[tuple[int, int]]:
        """Iterate over the ranges of blocks from ``start`` on that are stored, each as first and behind."""
        contiguous = self.contiguous_length
        if start < contiguous:
            yield start, contiguous
        yield from self.bitfield.runs(max(start, contiguous), self.tree.length)

    def stored_bits(self, start: int, count: int) -> int:
        """Return for ``count`` blocks which are stored: bit ``i`` is that of block ``start + i``.

        ``count`` divides the blocks of a bitfield page, and ``start`` is a multiple of it.
        """
        below = min(max(self.contiguous_length - start, 0), count)
        bits = (1 << below) - 1
        return bits if below == count else bits | self.bitfield.bits(start, count)

    def verify(self) -> bool:
        """Return whether the signature holds for the tree; an empty core that was never signed holds."""
        if self.authority is None:
            return self.tree.length == 0
        if self.signature is None and self.tree.length == 0:
            return True
        return self.authority.verify(self.tree, self.fork, self.signature)

    def forget_in_snapshots(self, keys: CoreKeys, length: int) -> None:
        """Tell the snapshots of what has these keys that it was cut to a length."""
        for snapshot in self.snapshots:
            if snapshot.keys.data_pointer == keys.data_pointer:
                snapshot.common_length = min(snapshot.common_length, length)

    def tell(self, change: Change) -> None:
        """Call all who have to know of every change."""
        for observer in tuple(self.observers):
            observer(change)
        self.tell_listeners()

    def tell_listeners(self) -> None:
        """Call those who have to know of the changes of named sessions, too."""
        for listener in tuple(self.listeners):
            listener()

    def load_if_possible(self) -> None:
        """Read it again after a failed write: nobody knows whether that happened.

        Where even reading fails it stays unsettled, and is read again before it is changed next.
        """
        with suppress(HypercoreError):
            self.load()

    def purge(self) -> None:
        """Delete all records, close what is open on the core, and let nobody who still holds it write any.

        Raises:
            StorageError: nothing was deleted.
        """
        try:
            self.settled = False
            self.is_purged = True  # at once: an interrupt behind the write must let nobody write, either
            self.database.delete_core(self.record, self.discovery_key)
        except BaseException:
            self.is_purged = False
            self.is_purged = self.database.core(self.discovery_key) is None
            raise
        for each in list(self.objects):
            each.close()

    def settle(self) -> None:
        """Read it again if nobody knows whether the last write happened: what follows counts from its length.

        Raises:
            StorageError: what is stored cannot be read.
        """
        if not self.settled:
            self.load()

    def check_not_purged(self) -> None:
        """Make sure that there are records of it.

        Raises:
            StorageError: the core was purged.
        """
        if self.is_purged:
            raise StorageError(f"{self.database.name}: core {encode_id(self.key)} was purged")

    def load(self) -> None:
        """Read head, hints and roots from storage.

        Raises:
            StorageCorrupt: they contradict each other.
            StorageError: the core was purged.
        """
        self.check_not_purged()
        stored = self.store.get(self.keys.head)
        head = None if stored is None else self.database.decode(CoreHead.decode, stored, "core head")
        stored = self.store.get(self.keys.hints)
        hints = Hints() if stored is None else self.database.decode(Hints.decode, stored, "hints")
        self._bitfield = None
        self.fork = 0 if head is None else head.fork
        self.signature = None if head is None else head.signature
        self.contiguous_length = hints.contiguous_length
        length = 0 if head is None else head.length
        if hints.contiguous_length > length:
            raise StorageCorrupt(
                f"{self.database.name}: core {encode_id(self.key)}: it has {length} blocks, its hints say "
                f"{hints.contiguous_length} in a row"
            )
        roots = flat_tree.full_roots(length)
        try:
            self.tree = MerkleTree([self.need_node(index) for index in roots])
        except InvalidOperation as error:
            raise StorageCorrupt(f"{self.database.name}: core {encode_id(self.key)}: {error}") from error
        if head is not None and self.tree.tree_hash() != head.tree_hash:
            raise StorageCorrupt(
                f"{self.database.name}: core {encode_id(self.key)}: roots and head have different tree hashes"
            )
        self.settled = True


class SnapshotState(View):
    """A core as it was when the snapshot was made, whatever becomes of it.

    Blocks and nodes that arrive later are seen as long as the core was not truncated below them. A snapshot
    of a snapshot shows the same; the storage forgets what only they need when the last of them is gone. That
    of a named session has one of what that was made from, too: both may change.

    Attributes:
        common_length: how many blocks the core still has in common with it.
    """

    common_length: int
    contiguous_length = 0

    def __init__(self, core: View, main: CoreState, store: Reader | None = None) -> None:
        self.key = core.key
        self.discovery_key = core.discovery_key
        self.manifest = core.manifest
        self.key_pair = core.key_pair
        self.database = core.database
        self.keys = core.keys
        self.tree = core.tree
        self.fork = core.fork
        self.signature = core.signature
        self.contiguous_length = core.contiguous_length
        if isinstance(core, SnapshotState):
            self.store, self.common_length = core.store, core.common_length
            self.base = core.base
        else:
            self.store = core.database.store.snapshot() if store is None else store
            self.common_length = core.tree.length
            if core.base is not None:
                self.base = SnapshotState(core.base, main, self.store)
        self.shared_length = core.shared_length
        self._source = core
        main.snapshots.add(self)

    def node(self, index: int) -> Node | None:
        """Return a tree node, also one that arrived after the snapshot was made; None if it is not stored."""
        node = super().node(index)
        if node is None and self.base is None and flat_tree.spans(index)[1] < 2 * self.common_length:
            return self._source.node(index)
        return node

    def missing_block(self, index: int) -> bytes:
        """Return a block that arrived after the snapshot was made, or is one of the base."""
        if self.base is None and 0 <= index < self.common_length:
            block = self._source.store.get(self.keys.block + encode_index(index))
            return self._source.missing_block(index) if block is None else block
        return super().missing_block(index)

    def _has_block(self, index: int) -> bool:
        return super()._has_block(index) or (
            index < self.common_length and self._source.has(index, index + 1)
        )
