"""Making Merkle proofs for what a peer asks.

The words: a *target* is the block or hash that is asked for; a *seek root* is the smallest node that is known
to contain a byte offset; ``to`` is the first leaf index behind an upgrade, ``head`` the first behind the
whole tree.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypercore import flat_tree
from hypercore.errors import InvalidOperation
from hypercore.manifest import Prologue
from hypercore.merkle import MerkleTree, Node
from hypercore.proofs.types import (
    BlockProof,
    HashProof,
    NodeReader,
    Proof,
    ProofRequest,
    SeekProof,
    SeekRequest,
    UpgradeProof,
    UpgradeRequest,
)


class ProofMaker:
    """Makes proofs from a stored tree.

    Args:
        tree: the whole tree.
        node: reads a stored node.
        fork: of the core.
        signature: over the whole tree.
        prologue: of the manifest.
    """

    def __init__(
        self,
        tree: MerkleTree,
        node: NodeReader,
        *,
        fork: int,
        signature: bytes | None,
        prologue: Prologue | None = None,
    ) -> None:
        self._head = 2 * tree.length
        self._read = node
        self._roots = {root.index: root for root in tree.roots}
        self._fork = fork
        self._signature = signature
        self._prologue_length = prologue.length if prologue is not None else 0

    def make(self, request: ProofRequest) -> Proof:
        """Return the proof; of a block without its value.

        Raises:
            InvalidOperation: the request does not fit the tree, or a node that is needed is not stored.
        """
        proof = Proof(self._fork)
        if self._head == 0:
            return proof
        upgrade = self._widen(request.upgrade)
        start, to = (
            (0, self._head) if upgrade is None else (2 * upgrade.start, 2 * (upgrade.start + upgrade.length))
        )
        if start >= to or to > self._head:
            raise InvalidOperation(
                f"an upgrade from {start // 2} to {to // 2} blocks does not fit {self._head // 2}"
            )
        target = _Target.of(request)
        if target is not None and flat_tree.spans(target.index)[1] >= self._head:
            raise InvalidOperation(f"node {target.index} is not in a tree of {self._head // 2} blocks")
        if request.seek is not None and upgrade is not None and target is not None and target.index >= start:
            raise InvalidOperation(
                "a proof cannot both seek and hold a block or hash behind the start of its upgrade"
            )

        parts = _Parts()
        if target is not None and (upgrade is None or flat_tree.spans(target.index)[1] < start):
            root = self._climb(target.index, target.levels, to)
            seek_root = None if request.seek is None else self._seek_below(root, request.seek)
            self._emit(parts, target, root, seek_root)
        elif upgrade is not None and request.seek is not None:
            parts.wanted = self._seek_in_roots(to, request.seek)
            parts.wanted_is_seek = True
        elif upgrade is not None and target is not None:
            parts.wanted = target.index
        if upgrade is not None:
            nodes = self._upgrade_nodes(start, to, target, parts)
            additional = self._upgrade_nodes(to, self._head, None, None) if to < self._head else []
            proof.upgrade = UpgradeProof(start // 2, (to - start) // 2, nodes, additional, self._signature)
        if target is not None and parts.own is None:
            raise InvalidOperation(f"node {target.index} lies outside of the upgrade that was asked for")

        if request.block is not None and parts.own is not None:
            proof.block = BlockProof(request.block.index, parts.own)
        elif request.hash is not None and parts.own is not None:
            proof.hash = HashProof(request.hash.index, parts.own)
        if request.seek is not None and parts.seek is not None:
            proof.seek = SeekProof(request.seek.bytes, parts.seek)
        return proof

    def byte_offset(self, index: int) -> int:
        """Return how many bytes lie left of the blocks below a node.

        The leaf behind the last one counts as a node, too: all bytes lie left of it.

        Raises:
            InvalidOperation: a node that is needed is not stored, or the node is not in the tree.
        """
        first, last = flat_tree.spans(index)
        if last >= self._head and index != self._head:
            raise InvalidOperation(f"node {index} is not in a tree of {self._head // 2} blocks")
        offset = 0
        for root in flat_tree.full_roots(self._head // 2):
            if first <= flat_tree.spans(root)[1]:
                return offset + self._offset_below(root, first)
            offset += self._need(root).size
        return offset

    def _offset_below(self, root: int, leaf: int) -> int:
        """Return how many of the bytes below a root lie left of a leaf below it."""
        offset = 0
        while leaf != flat_tree.spans(root)[0]:
            left, root = flat_tree.children(root)
            if leaf <= flat_tree.spans(left)[1]:
                root = left
            else:
                offset += self._need(left).size
        return offset

    def _widen(self, upgrade: UpgradeRequest | None) -> UpgradeRequest | None:
        """A core's prologue is sent whole or not at all."""
        if upgrade is None or upgrade.start >= self._prologue_length:
            return upgrade
        return UpgradeRequest(0, self._prologue_length)

    def _need(self, index: int) -> Node:
        node = self._roots.get(index) or self._read(index)
        if node is None:
            raise InvalidOperation(f"tree node {index} is not stored")
        return node

    def _climb(self, index: int, levels: int, to: int) -> int:
        for _ in range(levels):
            index = flat_tree.parent(index)
            if flat_tree.contains(index, to):
                raise InvalidOperation(f"{levels} levels above the node lie outside of the tree")
        return index

    def _emit(self, parts: _Parts, target: _Target | None, root: int, seek_root: int | None) -> None:
        """Collect the path from the target up to a root, and that from the seek root up to where it joins."""
        if target is None:
            if seek_root is not None:
                parts.seek = self._siblings(seek_root, root)
            return
        own = [self._need(target.index)] if target.is_hash else []
        index = target.index
        while index != root:
            sibling = flat_tree.sibling(index)
            if seek_root is not None and sibling != seek_root and flat_tree.contains(sibling, seek_root):
                # The receiver works the sibling out from the seek part.
                parts.seek = self._siblings(seek_root, sibling)
            else:
                own.append(self._need(sibling))
            index = flat_tree.parent(index)
        parts.own = own

    def _siblings(self, index: int, root: int) -> list[Node]:
        nodes = [self._need(index)]
        while index != root:
            nodes.append(self._need(flat_tree.sibling(index)))
            index = flat_tree.parent(index)
        return nodes

    def _upgrade_nodes(self, start: int, to: int, target: _Target | None, parts: _Parts | None) -> list[Node]:
        nodes: list[Node] = []
        for index in upgrade_indexes(start, to):
            if parts is not None and parts.is_wanted_below(index):
                self._emit(parts, target, index, parts.wanted if parts.wanted_is_seek else None)
            else:
                nodes.append(self._need(index))
        return nodes

    def _seek_below(self, root: int, seek: SeekRequest) -> int:
        first_block = flat_tree.spans(root)[0] // 2
        offset = self.byte_offset(root) - seek.padding * first_block
        rest = seek.bytes - offset
        if rest == 0:
            return root
        if rest < 0 or _unpadded(self._need(root), seek.padding) <= rest:
            raise InvalidOperation(f"byte {seek.bytes} is not below node {root}")
        return self._descend(root, rest, seek.padding)

    def _seek_in_roots(self, to: int, seek: SeekRequest) -> int | None:
        rest = seek.bytes
        for root in flat_tree.full_roots(to // 2):
            size = _unpadded(self._need(root), seek.padding)
            if rest == size:
                return root
            if rest < size:
                return self._descend(root, rest, seek.padding)
            rest -= size
        return None

    def _descend(self, index: int, rest: int, padding: int) -> int:
        while rest and index & 1:
            left, right = flat_tree.children(index)
            node = self._roots.get(left) or self._read(left)
            if node is None:
                return index
            size = _unpadded(node, padding)
            if size == rest:
                return left
            if size > rest:
                index = left
            else:
                rest -= size
                index = right
        return index


def upgrade_indexes(start: int, to: int) -> list[int]:
    """Return the nodes that lead from a tree up to leaf ``start`` to one up to ``to``, as they are sent."""
    indexes = []
    for root in flat_tree.full_roots(to // 2):
        first, last = flat_tree.spans(root)
        if last < start:
            continue
        if first >= start:
            indexes.append(root)
            continue
        # The last leaf that is known: what lies right of it below this root is missing.
        index = start - 2
        while index != root:
            sibling = flat_tree.sibling(index)
            if sibling > index:
                indexes.append(sibling)
            index = flat_tree.parent(index)
    return indexes


@dataclass(slots=True)
class _Target:
    index: int
    levels: int
    is_hash: bool

    @classmethod
    def of(cls, request: ProofRequest) -> _Target | None:
        if request.block is not None and request.hash is not None:
            raise InvalidOperation("a proof holds a block or a hash, not both")
        if request.block is not None:
            return cls(2 * request.block.index, request.block.nodes, is_hash=False)
        if request.hash is not None:
            return cls(request.hash.index, request.hash.nodes, is_hash=True)
        return None


@dataclass(slots=True)
class _Parts:
    """What was emitted, and what is still to be emitted in the place of a node of the upgrade."""

    own: list[Node] | None = None
    seek: list[Node] | None = None
    wanted: int | None = None
    wanted_is_seek: bool = False

    def is_wanted_below(self, index: int) -> bool:
        if self.wanted is None or self.own is not None or self.seek is not None:
            return False
        return flat_tree.contains(index, self.wanted)


def _unpadded(node: Node, padding: int) -> int:
    return node.size - padding * flat_tree.leaf_count(node.index)
