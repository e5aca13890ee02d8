"""Checking Merkle proofs against the tree that is known here.

A proof has two parts. Its *subtree* (block, hash or seek) leads from some nodes up to one root. Its *upgrade*
turns the roots known here into those of a longer tree, which a signature has to cover. The root of the
subtree is either used up as one of the nodes of the upgrade, or it must be a node that is known here already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypercore import crypto, flat_tree
from hypercore.encoding import MAX_UINT
from hypercore.errors import InvalidChecksum, InvalidOperation, InvalidProof
from hypercore.manifest import Prologue
from hypercore.merkle import MerkleTree, Node
from hypercore.proofs.types import Proof, UpgradeProof

# No honest list is longer: a tree of 2 ** 53 blocks has 53 levels and at most 53 roots.
_MAX_NODES = 128


@dataclass(slots=True)
class Verified:
    """What a proof shows, if the signature holds.

    Attributes:
        nodes: all nodes read or worked out, to be stored.
        bound: the indexes of those whose size is part of what was hashed. Of two siblings that came as nodes
            only the sum of the sizes is: either may be wrong by what the other is wrong by.
        tree: the tree after the upgrade; the one known before if there is none.
        upgraded: whether there is one.
        root: the root of the subtree part when the upgrade did not use it up; it must be a node that is known
            here.
    """

    tree: MerkleTree
    nodes: list[Node] = field(default_factory=list)
    bound: set[int] = field(default_factory=set)
    upgraded: bool = False
    root: Node | None = None


def verify_proof(tree: MerkleTree, proof: Proof, prologue: Prologue | None = None) -> Verified:
    """Work out what a proof shows.

    The caller still has to check ``root`` against its own nodes, and the signature over ``tree``.

    Raises:
        InvalidOperation: nodes are missing, superfluous or in the wrong place.
        InvalidProof: the proof contradicts the prologue, or no honest peer could have made it.
    """
    _check_sizes(proof)
    verified = Verified(tree)
    verified.root = _verify_subtree(proof, verified)
    if proof.upgrade is not None:
        verified.upgraded = True
        verified.tree = _verify_upgrade(tree, proof.upgrade, verified, prologue)
    return verified


def check_root(root: Node, known: Node | None, *, is_bound: bool = False) -> None:
    """Compare the root of a subtree part with the node that is known here.

    Where the size of the root is part of its hash (``is_bound``), the one that is known need not be right.

    Raises:
        InvalidOperation: it is not known.
        InvalidChecksum: it differs.
    """
    if known is None:
        raise InvalidOperation(
            f"tree node {root.index} is not stored: there is nothing to check the proof against"
        )
    if (known.index, known.hash) != (root.index, root.hash) or (known.size != root.size and not is_bound):
        raise InvalidChecksum(f"tree node {root.index} is another one than the proof leads to")


def _check_sizes(proof: Proof) -> None:
    lists: list[Sequence[Node]] = [
        part.nodes for part in (proof.block, proof.hash, proof.seek) if part is not None
    ]
    if proof.upgrade is not None:
        lists += (proof.upgrade.nodes, proof.upgrade.additional_nodes)
    for nodes in lists:
        if len(nodes) > _MAX_NODES:
            raise InvalidProof(f"a list of {len(nodes)} nodes is longer than any tree needs")
        for node in nodes:
            # Sizes add up: this keeps every sum of them within 64 bits.
            if node.index > 2 * MAX_UINT or node.size > MAX_UINT:
                raise InvalidProof(f"node {node.index} of {node.size} bytes cannot exist")


def _verify_subtree(proof: Proof, verified: Verified) -> Node | None:
    root = None
    if proof.seek is not None and proof.seek.nodes:
        queue = _Queue(proof.seek.nodes, None)
        root = _climb_with(queue.take(proof.seek.nodes[0].index), queue, verified)
    if proof.block is not None:
        queue = _Queue(proof.block.nodes, root)
        value = proof.block.value
        leaf = 2 * proof.block.index
        if value is None:
            return _climb_with(queue.take(leaf), queue, verified)
        verified.bound.add(leaf)
        return _climb_with(Node(leaf, len(value), crypto.leaf_hash(value)), queue, verified)
    if proof.hash is not None:
        queue = _Queue(proof.hash.nodes, root)
        return _climb_with(queue.take(proof.hash.index), queue, verified)
    return root


def _climb_with(node: Node, queue: _Queue, verified: Verified) -> Node:
    """Go up from a node, with the sibling of each level from the queue, to the end of it; return the top."""
    verified.nodes.append(node)
    while not queue.is_empty:
        sibling = queue.take(flat_tree.sibling(node.index))
        node = _parent(node, sibling)
        verified.nodes += (sibling, node)
        verified.bound.add(node.index)
    return node


def _verify_upgrade(
    tree: MerkleTree, upgrade: UpgradeProof, verified: Verified, prologue: Prologue | None
) -> MerkleTree:
    length = upgrade.start + upgrade.length
    if (
        prologue is not None
        and upgrade.start < prologue.length
        and (upgrade.start or length < prologue.length)
    ):
        raise InvalidProof(
            f"blocks {upgrade.start} to {length} do not cover the prologue of {prologue.length} blocks"
        )
    if length == 0:
        raise InvalidProof("an upgrade to no blocks shows nothing")
    queue = _Queue(upgrade.nodes, verified.root)
    roots = _Roots(tree.roots, verified)
    known = len(tree.roots)
    may_grow = known > 0
    place = 0
    for index in flat_tree.full_roots(length):
        if place < len(roots.roots) and roots.roots[place].index == index:
            place += 1
        elif may_grow and place < known:
            may_grow = False
            below = roots.roots[-1].index
            while below != index:
                roots.push(queue.take(flat_tree.sibling(below)))
                below = roots.roots[-1].index
        else:
            may_grow = False
            roots.push(queue.take(index))
    if prologue is not None and flat_tree.full_roots(prologue.length) == [root.index for root in roots.roots]:
        reached = MerkleTree(roots.roots)
        if reached.length == prologue.length and reached.tree_hash() != prologue.hash:
            raise InvalidProof(f"the first {prologue.length} blocks are not those of the prologue")
    _push_additional(roots, upgrade.additional_nodes)
    if queue.extra is None:
        verified.root = None
    grown = roots.tree()
    verified.bound.update(root.index for root in grown.roots)
    return grown


def _push_additional(roots: _Roots, nodes: Sequence[Node]) -> None:
    """Go on from the upgraded tree to the signed one."""
    place = roots.roots[-1].index
    rest = list(nodes)
    while rest and rest[0].index == flat_tree.sibling(place):
        roots.push(rest.pop(0))
        place = roots.roots[-1].index
    if rest:
        place = flat_tree.sibling(place)
    for node in rest:
        while node.index != place:
            if not place & 1:
                raise InvalidOperation(f"node {node.index} does not follow in the tree")
            place = flat_tree.children(place)[0]
        roots.push(node)
        place = flat_tree.sibling(place)


class _Queue:
    """The nodes of a list, to be taken in their order, and one extra node that may be taken at any time."""

    def __init__(self, nodes: Sequence[Node], extra: Node | None) -> None:
        self._nodes = nodes
        self._place = 0
        self.extra = extra

    @property
    def is_empty(self) -> bool:
        return self.extra is None and self._place == len(self._nodes)

    def take(self, index: int) -> Node:
        extra = self.extra
        if extra is not None and extra.index == index:
            self.extra = None
            return extra
        if self._place == len(self._nodes):
            raise InvalidOperation(f"node {index} was expected, there are no more")
        node = self._nodes[self._place]
        if node.index != index:
            raise InvalidOperation(f"node {index} was expected, found node {node.index}")
        self._place += 1
        return node


class _Roots:
    """Roots that grow: siblings merge into their parent."""

    def __init__(self, roots: Sequence[Node], verified: Verified) -> None:
        self.roots = list(roots)
        self._verified = verified

    def push(self, node: Node) -> None:
        self._verified.nodes.append(node)
        roots = self.roots
        roots.append(node)
        while len(roots) > 1 and roots[-2].index == flat_tree.sibling(roots[-1].index):
            right, left = roots.pop(), roots.pop()
            roots.append(_parent(left, right))
            self._verified.nodes.append(roots[-1])
            self._verified.bound.add(roots[-1].index)

    def tree(self) -> MerkleTree:
        tree = MerkleTree(self.roots)
        if [root.index for root in self.roots] != flat_tree.full_roots(tree.length):
            raise InvalidOperation("the nodes of the proof do not make up a tree")
        return tree


def _parent(one: Node, other: Node) -> Node:
    left, right = (one, other) if one.index < other.index else (other, one)
    size = left.size + right.size
    return Node(flat_tree.parent(left.index), size, crypto.parent_hash(size, left.hash, right.hash))
