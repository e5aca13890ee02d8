"""Walking over the blocks and tree nodes of one log, to say what is wrong with them.

Both are stored in the order of their numbers, which is that of a walk through the tree from left to right,
each parent between its children. So they are read side by side, nothing is looked up, and all that has to be
remembered is the last node of each level: memory does not grow with the log.

Of every stored node that is not a root, parent and sibling are stored, too: appends and proofs add nodes in
such families, and whatever deletes nodes deletes all those above a block, or all below a node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hypercore import crypto, flat_tree
from hypercore.core.salvage import Salvage
from hypercore.encoding import MAX_UINT, decode_index, encode_index
from hypercore.errors import DecodingError
from hypercore.merkle import Node, get_node
from hypercore.storage.records import CoreKeys

Progress = Callable[[int], None]
"""Called now and then with the number of blocks that were checked since the last call.

A block counts when it was met, and so were the tree nodes before it.
"""

Runs = Iterator[tuple[int, int]]
"""Ranges of blocks, each as its first and the one behind its last, in ascending order."""

_STEP = 1000
_LEVELS = 64
_NO_MORE = 2 * MAX_UINT
_BEFORE = Node(-1, 0, b"")
_BEHIND = Node(2 * _NO_MORE, 0, b"")


@dataclass(frozen=True, slots=True)
class StoredLog:
    """Blocks and tree nodes under one data pointer: a core, or what a session has of its own.

    Attributes:
        kind: what sentences call it.
        seal: what sentences say was done with its blocks.
        length: of the whole log.
        shared: how many blocks, from the first on, are stored elsewhere, with the nodes above only them.
        shared_node: returns such a node; None where it is not known for certain.
    """

    store: Salvage
    keys: CoreKeys
    kind: str
    seal: str
    length: int
    shared: int = 0
    shared_node: Callable[[int], Node | None] = lambda index: None

    def shares(self, index: int) -> bool:
        """Return whether a node is stored elsewhere."""
        return flat_tree.spans(index)[1] < 2 * self.shared

    def has_node(self, index: int) -> bool:
        """Return whether a node is stored here, be it damaged."""
        return self.store.get(self.keys.node + encode_index(index)) is not None

    def node(self, index: int) -> Node | None:
        """Return a node that is stored here, None if it is not, or damaged."""
        stored = self.store.get(self.keys.node + encode_index(index))
        try:
            node = None if stored is None else get_node(stored, 0)[0]
        except DecodingError:
            return None
        return node if node is not None and node.index == index else None

    def missing_node(self, index: int) -> Iterator[str]:
        """Say that a node is missing, unless what stands below it says so."""
        if index & 1:
            is_said = any(
                self.has_node(child) and not self.shares(child) for child in flat_tree.children(index)
            )
        else:
            is_said = self.store.get(self.keys.block + encode_index(index // 2)) is not None
        if not is_said:
            yield _should_be_stored(f"tree node {index}")


def audit_log(log: StoredLog, promised: Runs, progress: Progress) -> Iterator[str]:
    """Iterate over what is wrong with blocks and tree nodes.

    ``promised`` are the blocks that have to be there, ranges that do not touch.

    Raises:
        StorageError: the storage cannot be read.
    """
    prefix = log.keys.block
    nodes = _audit_nodes(log)
    leaf = _BEFORE
    expected = _Expected(promised)
    since = 0
    for key, block in log.store.items(prefix):
        index = read_index(key, prefix)
        if index is None:
            yield leads_nowhere(key)
            continue
        if index >= log.length:
            yield f"block {index} is behind the end of the {log.kind}, at {log.length}"
            continue
        if index == expected.first:
            expected.skip_to(index + 1)
        else:
            yield from expected.meet(index)
        while leaf.index < 2 * index:
            found = next(nodes, _BEHIND)
            if isinstance(found, str):
                yield found
            else:
                leaf = found
        if leaf.index != 2 * index:
            yield f"block {index} is stored, but its tree node is not"
        elif leaf.hash and (leaf.size != len(block) or leaf.hash != crypto.leaf_hash(block)):
            yield f"block {index} is not the one that was {log.seal}"
        since += 1
        if since == _STEP:
            progress(since)
            since = 0
    yield from expected.missing(log.length)
    for found in nodes:
        if isinstance(found, str):
            yield found
    progress(since)


def _audit_nodes(log: StoredLog) -> Iterator[str | Node]:
    """Iterate over what is wrong with the tree nodes, and over the leaves among them as they are met.

    A node that cannot be read has no hash.
    """
    start, end = 2 * log.shared, 2 * log.length
    prefix = log.keys.node
    levels: list[Node | None] = [None] * _LEVELS  # the last node of each depth
    for key, value in log.store.items(prefix):
        index = read_index(key, prefix)
        if index is None:
            yield leads_nowhere(key)
            continue
        step = flat_tree.leaf_count(index)
        if index + step < start:
            continue  # what a session had before it was committed: now it reads that of the core
        try:
            node = get_node(value, 0)[0]
        except DecodingError as error:
            yield f"tree node {index} is damaged: {error}"
            node = Node(index, 0, b"")
        if node.index != index:
            yield f"tree node {index} says that it is node {node.index}"
            node = Node(index, 0, b"")
        if index + step > end:
            if node.hash:
                yield f"tree node {index} is not in a tree of {log.length} blocks"
            continue
        depth = step.bit_length() - 1
        before, levels[depth] = levels[depth], node
        if before is not None and before.index != index - 2 * step:
            yield from _audit_end(log, before)
            before = None
        if flat_tree.parent(index) < index:
            yield from _audit_family(log, before, levels[depth + 1], node)
        if step == 1:
            yield node
    for last in levels:
        if last is not None:
            yield from _audit_end(log, last)


def _audit_end(log: StoredLog, last: Node) -> Iterator[str]:
    """Say what is missing beside and above a node behind which no other of its depth came next."""
    parent = flat_tree.parent(last.index)
    if parent > last.index and flat_tree.spans(parent)[1] < 2 * log.length:
        yield from _audit_presence(log, parent)


def _audit_family(log: StoredLog, left: Node | None, parent: Node | None, right: Node) -> Iterator[str]:
    """Check a right child, with what is stored of its sibling and its parent."""
    above, beside = flat_tree.parent(right.index), flat_tree.sibling(right.index)
    is_shared = left is None and log.shares(beside)
    if parent is None or parent.index != above or (left is None and not is_shared):
        yield from _audit_presence(log, above)
        return
    if is_shared:
        left = log.shared_node(beside)
    if left is None or not (left.hash and parent.hash and right.hash):
        return  # what cannot be read was said where it was met
    size = left.size + right.size
    if parent.size != size or parent.hash != crypto.parent_hash(size, left.hash, right.hash):
        yield f"tree node {above} does not follow from nodes {beside} and {right.index}"


def _audit_presence(log: StoredLog, parent: int) -> Iterator[str]:
    """Say what is missing of a parent and its children, one of which is stored."""
    if not log.has_node(parent):
        yield _should_be_stored(f"tree node {parent}")
    for child in flat_tree.children(parent):
        if not log.shares(child) and not log.has_node(child):
            yield from log.missing_node(child)


class _Expected:
    """Blocks that have to be there, crossed out in ascending order.

    Attributes:
        first: the first that was not met; far behind the last when all were.
    """

    __slots__ = ("_runs", "_stop", "first")

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self.first, self._stop = next(runs, (_NO_MORE, _NO_MORE))

    def skip_to(self, block: int) -> None:
        """Cross out what comes before a block of this range, or all of the range."""
        self.first = block
        if block == self._stop:
            self.first, self._stop = next(self._runs, (_NO_MORE, _NO_MORE))

    def missing(self, end: int) -> Iterator[str]:
        """Say which of the blocks before ``end`` were not met, and cross them out."""
        while self.first < end:
            first, stop = self.first, min(self._stop, end)
            yield _should_be_stored(
                f"block {first}" if stop == first + 1 else f"blocks {first} to {stop - 1}",
                "is" if stop == first + 1 else "are",
            )
            self.skip_to(stop)

    def meet(self, block: int) -> Iterator[str]:
        """Cross out a block; say which are missing before it, or that it should not be there."""
        yield from self.missing(block)
        if self.first == block:
            self.skip_to(block + 1)
        else:
            yield f"block {block} is stored, but said to be missing"


def read_index(key: bytes, prefix: bytes, suffix: bytes = b"") -> int | None:
    """Return the index that a key has between the two, None if it has something else there."""
    try:
        index = decode_index(key, len(prefix))[0]
    except DecodingError:
        return None
    return index if key == prefix + encode_index(index) + suffix else None


def leads_nowhere(key: bytes) -> str:
    """Return what there is to say about a key that nobody would look for."""
    return f"the record {key.hex()} has a key that leads nowhere"


def _should_be_stored(what: str, verb: str = "is") -> str:
    return f"{what} should be stored, but {verb} missing"
