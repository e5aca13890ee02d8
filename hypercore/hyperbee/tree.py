"""The B-tree of a Hyperbee in memory: search, insert, delete, and which nodes an operation has to write.

A node that is not the root has 4 to 8 keys; one that reaches 9 is split at once. Nodes are read from the core
when they are needed. An operation changes the nodes in place, marks them as changed, and ``number`` then
gives every changed node its place in the block that is going to be written.

Rules that the stored bytes depend on:
* An overwrite replaces a key where it stands; keys never move for it.
* The left neighbour lends, or absorbs, before the right one does.
* A deleted key of an inner node is replaced by its successor only if the leaf left of it has fewer keys than
  the one right of it, else by its predecessor.
* The child objects are shared between a parent and the list of a pending batch block: renumbering one is seen
  by both.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable

from hypercore.errors import DecodingError
from hypercore.hyperbee import blocks
from hypercore.hyperbee.operations import Operations
from hypercore.hyperbee.protobuf import encode_varint

MIN_KEYS = 4
MAX_KEYS = 2 * MIN_KEYS

_MAX_DEPTH = 64  # a tree of more than 4 ** 32 keys: deeper ones are circles

MayReplace = Callable[[int], bool]


class Child:
    """Where a tree node is stored, and the node itself once it is loaded.

    Attributes:
        seq: the block; 0 once another node has absorbed it.
        offset: its place in the index of that block.
        depth: how many nodes were above it when it was read; bounded, as foreign blocks may contain circles.
    """

    __slots__ = ("depth", "node", "offset", "piece", "seq")

    def __init__(self, seq: int, offset: int, node: TreeNode | None = None, depth: int = 0) -> None:
        self.seq = seq
        self.offset = offset
        self.node = node
        self.depth = depth
        self.piece: bytes | None = None

    def move(self, seq: int, offset: int) -> None:
        """Say that the node is stored elsewhere."""
        self.seq = seq
        self.offset = offset
        self.piece = None

    def encode(self) -> bytes:
        """Return the place as its parent stores it."""
        piece = self.piece
        if piece is None:
            piece = self.piece = blocks.encode_child(self.seq, self.offset)
        return piece


class TreeNode:
    """Keys in order, the seqs of their blocks, and the children between them (none in a leaf).

    Attributes:
        changed: whether it has to be written.
        keys_field: the keys as they are stored, once that is known.
        pieces: so are the places of the children: of a node that a put passes, only one has changed.
    """

    __slots__ = ("changed", "children", "keys", "keys_field", "pieces", "seqs")

    def __init__(self, keys: list[bytes], seqs: list[int], children: list[Child]) -> None:
        self.keys = keys
        self.seqs = seqs
        self.children = children
        self.changed = False
        self.keys_field: bytes | None = None
        self.pieces: list[bytes] | None = None

    def touch(self) -> None:
        """Say that the keys changed, and perhaps the children."""
        self.changed = True
        self.keys_field = None
        self.pieces = None

    def insert(self, place: int, key: bytes, seq: int) -> None:
        """Add a key."""
        self.keys.insert(place, key)
        self.seqs.insert(place, seq)
        self.touch()

    def replace(self, place: int, key: bytes, seq: int) -> None:
        """Put a key in the place of another."""
        self.keys[place] = key
        self.seqs[place] = seq
        self.touch()

    def pop(self, place: int) -> tuple[bytes, int]:
        """Take a key out."""
        self.touch()
        return self.keys.pop(place), self.seqs.pop(place)

    def absorb(self, key: bytes, seq: int, right: TreeNode) -> None:
        """Take in a separating key and all of the node behind it."""
        self.keys += (key, *right.keys)
        self.seqs += (seq, *right.seqs)
        self.children += right.children
        self.touch()

    def encode(self) -> bytes:
        """Return the node as a level of an index."""
        field = self.keys_field
        if field is None:
            field = self.keys_field = blocks.encode_keys(self.seqs)
        if not self.children:
            return field
        return field + blocks.encode_children(self.pieces or self.make_pieces())

    def make_pieces(self) -> list[bytes]:
        """Return the places of the children, each as it is stored."""
        return [child.piece or child.encode() for child in self.children]


class Tree:
    """One version of the tree, or the one that a batch is working on.

    Args:
        operations: of the core.
        root: where the root is stored; None for an empty tree.

    Attributes:
        loaded: how many nodes are in memory, at most: they are counted as they come, and all go together.
        keep_marks: whether a refused put leaves its marks.
        has_stale_marks: whether one did.
        writes: how often the tree was changed; whoever walks over it can see that it did.
        is_asking: whether an operation waits for an answer; meanwhile the tree may only be read.

    An operation that raises an Exception has changed nothing. Every method may raise DecodingError (a block
    that is not what it should be) and BlockNotAvailable.
    """

    __slots__ = (
        "_operations",
        "_way",
        "has_stale_marks",
        "is_asking",
        "keep_marks",
        "loaded",
        "root",
        "writes",
    )

    MAX_LOADED = 65536
    """Above that many nodes in memory (some 60 MB) it is time to trim."""

    def __init__(self, operations: Operations, root: Child | None) -> None:
        self._operations = operations
        self.root = root
        self.loaded = 0
        self.writes = 0
        # In a batch, the inner nodes that a refused put passed stay marked and are written by the next
        # operation, as the reference does; outside of a batch it forgets them.
        self.keep_marks = False
        self.has_stale_marks = False
        self.is_asking = False
        # Where the last put has changed nodes, if it is all that changed any.
        self._way: list[tuple[TreeNode, int]] | None = None

    def load(self, child: Child) -> TreeNode:
        """Return the node of a child, reading it if need be."""
        node = child.node
        if node is None:
            node = child.node = self._decode(child)
            self.loaded += 1
        return node

    def root_node(self) -> TreeNode | None:
        """Return the root, None for an empty tree."""
        return None if self.root is None else self.root.node or self.load(self.root)

    def missing(self, seqs: list[int]) -> list[int]:
        """Return those of the blocks that are not stored here."""
        return self._operations.missing(seqs)

    def trim(self, path: Iterable[TreeNode] = ()) -> None:
        """Forget all nodes but the root, unless an operation is under way or a batch has some to write.

        Whoever walks over the tree names the nodes it comes from: they do not hold what is below them either.
        """
        if self.is_asking or self.keep_marks:
            return
        root = self.root_node()
        for node in path if root is None else (root, *path):
            for child in node.children:
                child.node = None
        self.loaded = 0

    def find(self, key: bytes) -> int | None:
        """Return the seq of the block that holds a key, None if the key is not there."""
        root = self.root
        node = None if root is None else root.node or self.load(root)
        while node is not None:
            keys = node.keys
            place = bisect_left(keys, key)
            if place < len(keys) and keys[place] == key:
                return node.seqs[place]
            if not node.children:
                return None
            child = node.children[place]
            node = child.node or self.load(child)
        return None

    def put(self, key: bytes, seq: int, may_replace: MayReplace | None) -> bool:
        """Add or replace a key and return whether that was done.

        Args:
            key: the key.
            seq: of the block that is going to hold it.
            may_replace: asked, with the seq of the block that holds the key now, before a key is replaced.
        """
        node = self.root_node()
        if node is None:
            node = TreeNode([], [], [])
            self.root = Child(seq, 0, node)
        path: list[tuple[TreeNode, int]] = []
        while True:
            place = bisect_left(node.keys, key)
            if place < len(node.keys) and node.keys[place] == key:
                if may_replace is not None and not self._ask(may_replace, node.seqs[place]):
                    if self.keep_marks:
                        self.has_stale_marks = True
                        _mark(path)
                        node.changed = node.changed or bool(node.children)
                    return False
                node.replace(place, key, seq)
                self._remember(path)
                return True
            if not node.children:
                break
            path.append((node, place))
            child = node.children[place]
            node = child.node or self.load(child)
        node.insert(place, key, seq)
        if len(node.keys) <= MAX_KEYS:
            self._remember(path)
            return True
        if path and len(path[-1][0].keys) < MAX_KEYS:
            # Only this node is cut: its halves are written one after the other.
            parent, place = path[-1]
            self._remember([*path, (parent, place + 1)])
        else:
            _mark(path)
        self._split(node, path, seq)
        return True

    def delete(self, key: bytes, may_delete: MayReplace | None) -> bool:
        """Remove a key and return whether that was done.

        ``may_delete`` is asked first, with the seq of the block that holds the key.
        """
        node = self.root_node()
        path: list[tuple[TreeNode, int]] = []
        while node is not None:
            place = bisect_left(node.keys, key)
            if place < len(node.keys) and node.keys[place] == key:
                break
            if not node.children:
                return False
            path.append((node, place))
            child = node.children[place]
            node = child.node or self.load(child)
        if node is None or (may_delete is not None and not self._ask(may_delete, node.seqs[place])):
            return False
        leaf = node
        if node.children:
            leaf, lender_place = self._find_replacement(node, place, path)
        self._load_neighbours(leaf, path)
        # All that can fail has been done; from here on the tree changes.
        if leaf is node:
            leaf.pop(place)
        else:
            node.replace(place, *leaf.pop(lender_place))
        _mark(path)
        self._rebalance(leaf, path)
        return True

    def number(self, seq: int) -> list[Child]:
        """Give every changed node its place in block ``seq``, unmark it, and return the places, root first.

        The root is written whether it changed or not; a changed node below an unchanged one is not reached.
        """
        node = self.root_node()
        if node is None:
            return []
        self.writes += 1
        self.root = Child(seq, 0, node)
        written = [self.root]
        way, self._way = self._way, None
        if way is None:
            _number(node, seq, written)
            return written
        # Only the nodes on the way to one key have changed: the others need not be looked at.
        node.changed = False
        seq_piece = encode_varint(seq)
        for offset, (parent, place) in enumerate(way, 1):
            child = parent.children[place]
            child.seq, child.offset = seq, offset
            child.piece = piece = seq_piece + encode_varint(offset)
            if parent.pieces is None:
                # Only here, never in a batch: there places may still change before all is written.
                parent.pieces = parent.make_pieces()
            else:
                parent.pieces[place] = piece
            if child.node is not None:
                child.node.changed = False
            written.append(child)
        return written

    def _remember(self, path: list[tuple[TreeNode, int]]) -> None:
        """Take note of which nodes a put has changed, beside the one at the end of the path."""
        if self.keep_marks:
            _mark(path)
        else:
            self._way = path

    def _ask(self, may_replace: MayReplace, seq: int) -> bool:
        self.is_asking = True
        try:
            return may_replace(seq)
        finally:
            self.is_asking = False

    def _decode(self, at: Child) -> TreeNode:
        seq = at.seq
        index, _ = self._operations.decode(seq)
        if not index:
            raise DecodingError(f"block {seq}: no tree node; in the middle of a batch there is no version")
        try:
            level = blocks.get_level(index, at.offset)
            seqs, places = blocks.decode_level(level)
        except DecodingError as error:
            raise DecodingError(f"block {seq}: {error}") from None
        if len(seqs) > MAX_KEYS:
            raise DecodingError(f"block {seq}: a tree node has at most {MAX_KEYS} keys, found {len(seqs)}")
        if not seqs and (places or at.depth):
            raise DecodingError(f"block {seq}: only the root of an empty tree is a node without keys")
        if at.depth == _MAX_DEPTH:
            raise DecodingError(f"block {seq}: the tree is deeper than {_MAX_DEPTH} levels")
        children = []
        for child_seq, offset in zip(places[::2], places[1::2], strict=True):
            # A node can only refer to what was written before it, or with it.
            if not 0 < child_seq <= seq:
                raise DecodingError(f"block {seq}: a tree node must not refer to a node of block {child_seq}")
            children.append(Child(child_seq, offset, depth=at.depth + 1))
        for key_seq in seqs:
            if not 0 < key_seq <= seq:
                raise DecodingError(f"block {seq}: a tree node must not refer to the key of block {key_seq}")
        return TreeNode(self._operations.keys(seqs), seqs, children)

    def _split(self, node: TreeNode, path: list[tuple[TreeNode, int]], seq: int) -> None:
        """Cut nodes that are too large, from ``node`` upward."""
        while len(node.keys) > MAX_KEYS:
            right = TreeNode(node.keys[-MIN_KEYS:], node.seqs[-MIN_KEYS:], node.children[MIN_KEYS + 1 :])
            right.changed = True
            self.loaded += 1
            key, key_seq = node.keys[MIN_KEYS], node.seqs[MIN_KEYS]
            del node.keys[MIN_KEYS:], node.seqs[MIN_KEYS:], node.children[MIN_KEYS + 1 :]
            node.touch()
            if not path:
                root = TreeNode([key], [key_seq], [Child(seq, 0, node), Child(seq, 0, right)])
                root.changed = True
                self.root = Child(seq, 0, root)
                return
            parent, place = path.pop()
            parent.insert(place, key, key_seq)
            parent.children.insert(place + 1, Child(seq, 0, right))
            node = parent

    def _find_replacement(
        self, node: TreeNode, place: int, path: list[tuple[TreeNode, int]]
    ) -> tuple[TreeNode, int]:
        """Extend the path to the leaf with the key that replaces an inner key; return leaf and place."""
        left = self._descend(node.children[place], last=True)
        right = self._descend(node.children[place + 1], last=False)
        from_right = len(left[-1].keys) < len(right[-1].keys)
        way = right if from_right else left
        path.append((node, place + 1 if from_right else place))
        path.extend((inner, 0 if from_right else len(inner.children) - 1) for inner in way[:-1])
        return way[-1], 0 if from_right else -1

    def _load_neighbours(self, node: TreeNode, path: list[tuple[TreeNode, int]]) -> None:
        """Load the nodes that a rebalance after the loss of a key of ``node`` may need."""
        for parent, place in reversed(path):
            if len(node.keys) > MIN_KEYS:
                return
            for neighbour in parent.children[max(place - 1, 0) : place + 2]:
                self.load(neighbour)
            node = parent

    def _descend(self, child: Child, *, last: bool) -> list[TreeNode]:
        """Return the nodes from a child down to the leaf along its last, or first, children."""
        nodes = [self.load(child)]
        while nodes[-1].children:
            nodes.append(self.load(nodes[-1].children[-1 if last else 0]))
        return nodes

    def _rebalance(self, node: TreeNode, path: list[tuple[TreeNode, int]]) -> None:
        """Give nodes that became too small a key of a neighbour, or merge them, from ``node`` upward."""
        while path and len(node.keys) < MIN_KEYS:
            parent, place = path.pop()
            left = self.load(parent.children[place - 1]) if place > 0 else None
            if left is not None and len(left.keys) > MIN_KEYS:
                node.insert(0, parent.keys[place - 1], parent.seqs[place - 1])
                if left.children:
                    node.children.insert(0, left.children.pop())
                parent.replace(place - 1, *left.pop(-1))
                return
            right = self.load(parent.children[place + 1]) if place + 1 < len(parent.children) else None
            if right is not None and len(right.keys) > MIN_KEYS:
                node.insert(len(node.keys), parent.keys[place], parent.seqs[place])
                if right.children:
                    node.children.append(right.children.pop(0))
                parent.replace(place, *right.pop(0))
                return
            if left is not None:
                left.absorb(*parent.pop(place - 1), node)
                absorbed = parent.children.pop(place)
            elif right is not None:
                node.absorb(*parent.pop(place), right)
                absorbed = parent.children.pop(place + 1)
            absorbed.move(0, 0)
            node = parent
        if not path and not node.keys and node.children:
            self.root = Child(node.children[0].seq, 0, node.children[0].node)


def _mark(path: list[tuple[TreeNode, int]]) -> None:
    for node, _ in path:
        node.changed = True


def _number(node: TreeNode, seq: int, written: list[Child]) -> None:
    node.changed = False
    for child in node.children:
        below = child.node
        if below is not None and below.changed:
            node.pieces = None
            child.move(seq, len(written))
            written.append(child)
            _number(below, seq, written)
