"""The Merkle tree over the blocks of a core: roots, growth, tree hash. Nothing is read or stored here.

A tree is immutable. Appending returns the grown tree and the nodes that have to be stored, so that a commit
that fails leaves the old tree as it was, and a snapshot is simply a tree that somebody still holds.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypercore import crypto, flat_tree
from hypercore.encoding import encode_uint, get_count, get_fixed, get_uint

_MIN_NODE_SIZE = 2 + crypto.HASH_SIZE


class Node:
    """One node of the tree.

    Attributes:
        index: its number in the flat tree.
        size: the bytes of all stored blocks below it.
        hash: 32 bytes.
    """

    __slots__ = ("hash", "index", "size")

    def __init__(self, index: int, size: int, hash_: bytes) -> None:
        self.index = index
        self.size = size
        self.hash = hash_

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Node):
            return NotImplemented
        return (self.index, self.size, self.hash) == (other.index, other.size, other.hash)

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        return f"Node({self.index}, {self.size}, {self.hash.hex()})"


def encode_node(node: Node) -> bytes:
    """Return a node as it is stored and sent: uint index, uint size, hash (32)."""
    return encode_uint(node.index) + encode_uint(node.size) + node.hash


def get_node(buf: bytes, pos: int) -> tuple[Node, int]:
    """Read a node and return it with the next position.

    Raises:
        DecodingError: it is cut off.
    """
    index, pos = get_uint(buf, pos)
    size, pos = get_uint(buf, pos)
    hash_, pos = get_fixed(buf, pos, crypto.HASH_SIZE)
    return Node(index, size, hash_), pos


def get_nodes(buf: bytes, pos: int) -> tuple[list[Node], int]:
    """Read a list of nodes that has their count in front.

    Raises:
        DecodingError: it is cut off.
    """
    count, pos = get_count(buf, pos, _MIN_NODE_SIZE)
    nodes = []
    for _ in range(count):
        node, pos = get_node(buf, pos)
        nodes.append(node)
    return nodes, pos


def subtree(first: int, blocks: Sequence[bytes]) -> list[Node]:
    """Return the nodes of the perfect tree over a power of two of blocks, level by level, its root last.

    ``first`` is the number of the first block, a multiple of their count.
    """
    leaf_hash, parent_hash = crypto.leaf_hash, crypto.parent_hash
    level = [Node(2 * (first + i), len(block), leaf_hash(block)) for i, block in enumerate(blocks)]
    nodes = level
    step = 1
    while len(level) > 1:
        parents = []
        for left, right in zip(level[::2], level[1::2], strict=True):
            size = left.size + right.size
            parents.append(Node(left.index + step, size, parent_hash(size, left.hash, right.hash)))
        nodes = nodes + parents
        level = parents
        step <<= 1
    return nodes


class MerkleTree:
    """The roots over the first ``length`` blocks.

    Attributes:
        roots: from left to right.
        length: number of blocks.
        byte_length: the bytes of all blocks, as stored.
    """

    __slots__ = ("_packed", "byte_length", "length", "roots")

    def __init__(self, roots: Sequence[Node] = ()) -> None:
        self.roots = list(roots)
        self._packed = b"".join(crypto.root_piece(root.index, root.size, root.hash) for root in roots)
        self.length = flat_tree.spans(self.roots[-1].index)[1] // 2 + 1 if roots else 0
        self.byte_length = sum(root.size for root in roots)

    def tree_hash(self) -> bytes:
        """Return the hash over all roots: what is signed."""
        return crypto.tree_hash(self._packed)

    def append_block(self, block: bytes) -> tuple[MerkleTree, list[Node]]:
        """Return the tree with one more block, and the new nodes from the leaf up."""
        length = self.length
        roots = self.roots.copy()
        size = len(block)
        node = Node(2 * length, size, crypto.leaf_hash(block))
        nodes = [node]
        # Every trailing 1 bit of the length is a root of that depth, which the new node completes to a
        # parent.
        step = 1
        while length & step:
            left = roots.pop()
            size += left.size
            node = Node(left.index + step, size, crypto.parent_hash(size, left.hash, node.hash))
            nodes.append(node)
            step <<= 1
        tree = MerkleTree.__new__(MerkleTree)
        tree._packed = self._packed[: len(roots) * crypto.ROOT_PIECE_SIZE] + crypto.root_piece(
            node.index, size, node.hash
        )
        roots.append(node)
        tree.roots = roots
        tree.length = length + 1
        tree.byte_length = self.byte_length + len(block)
        return tree, nodes

    def append_blocks(self, blocks: Sequence[bytes]) -> tuple[MerkleTree, list[Node]]:
        """Return the tree with the blocks behind, and the new nodes, level by level from the leaves up."""
        roots = self.roots.copy()
        new_roots: list[Node] = []  # from right to left
        leaf_hash, parent_hash = crypto.leaf_hash, crypto.parent_hash
        first = 2 * self.length
        level = [Node(first + 2 * i, len(block), leaf_hash(block)) for i, block in enumerate(blocks)]
        nodes = level.copy()
        offset = self.length  # of the first node of the level
        step = 1
        while level:
            if offset & 1:
                level.insert(0, roots.pop())
            if len(level) & 1:
                new_roots.append(level.pop())
            parents = []
            for left, right in zip(level[::2], level[1::2], strict=True):
                size = left.size + right.size
                parents.append(Node(left.index + step, size, parent_hash(size, left.hash, right.hash)))
            nodes += parents
            level = parents
            offset >>= 1
            step <<= 1
        return MerkleTree(roots + new_roots[::-1]), nodes
