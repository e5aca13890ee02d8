"""Going over to a higher fork: finding out how many blocks the two forks have in common.

The peer first proves its whole tree from nothing. Then, as long as the first node that differs is not a leaf,
one more hash proof leads further down.
"""

from __future__ import annotations

from hypercore import flat_tree
from hypercore.errors import InvalidOperation, InvalidProof
from hypercore.manifest import Prologue
from hypercore.merkle import MerkleTree, Node
from hypercore.proofs.checking import verify_proof
from hypercore.proofs.types import NodeReader, NodeRequest, Proof


class Reorg:
    """One change of forks.

    Args:
        known: reads a node of the tree that is stored here.
        length: of that tree.
        proof: of the other fork: an upgrade from 0 to all of it.
        prologue: of the manifest.

    Attributes:
        proof: the first proof.
        tree: of the other fork; its signature still has to be checked.
        fork, signature: of the other fork.
        nodes: all that was proven, to be stored.
        bound: those of them whose size is certain, as in Verified.
        ancestors: how many blocks both have in common, once it is finished.

    Raises:
        InvalidOperation, InvalidProof: the proof is wrong.
    """

    def __init__(
        self, known: NodeReader, length: int, proof: Proof, prologue: Prologue | None = None
    ) -> None:
        if proof.upgrade is None or proof.upgrade.start != 0:
            raise InvalidProof("another fork is proven from its first block on")
        verified = verify_proof(MerkleTree(), proof, prologue)
        if verified.root is not None:
            raise InvalidProof("a part of the proof does not belong to the other fork")
        self.proof = proof
        self.fork = proof.fork
        self.tree = verified.tree
        self.signature = proof.upgrade.signature
        self.nodes = verified.nodes
        self.bound = verified.bound
        self._known = known
        self._length = length
        self._diff: Node | None = None
        self.ancestors = self.tree.length
        for root in self.tree.roots:
            if not self._is_same(root):
                self._descend(root, {node.index: node for node in verified.nodes})
                break

    @property
    def is_finished(self) -> bool:
        """Whether ``ancestors`` is known."""
        diff = self._diff
        return diff is None or not diff.index & 1 or self.ancestors >= self._length

    @property
    def wanted(self) -> NodeRequest | None:
        """The hash to ask for next, None when it is finished."""
        return None if self.is_finished else self.proof_of(self.ancestors)

    @property
    def undecided(self) -> tuple[int, int]:
        """The first block of the subtree that is to be looked at next, and the one behind its last."""
        if self._diff is None:
            return self.ancestors, self.ancestors
        first, last = flat_tree.spans(self._diff.index)
        return first // 2, last // 2 + 1

    def proof_of(self, block: int) -> NodeRequest:
        """Return what leads on as well as what is wanted does: the hash of any block that is undecided."""
        return NodeRequest(2 * block, 0 if self._diff is None else flat_tree.depth(self._diff.index))

    def update(self, proof: Proof) -> None:
        """Take the answer to what was wanted.

        Raises:
            InvalidOperation, InvalidProof: it is wrong, or another answer.
        """
        diff = self._diff
        if diff is None or self.is_finished:
            raise InvalidOperation("nothing more is wanted")
        subtree = Proof(proof.fork, block=proof.block, hash=proof.hash, seek=proof.seek)
        verified = verify_proof(MerkleTree(), subtree)
        if verified.root != diff:
            raise InvalidProof(f"the proof does not lead to node {diff.index}, the first that differs")
        self.nodes += verified.nodes
        self.bound |= verified.bound
        before = self._diff
        self._descend(diff, {node.index: node for node in verified.nodes})
        if self._diff == before and not self.is_finished:
            raise InvalidProof("the proof does not lead further")

    def _descend(self, diff: Node, received: dict[int, Node]) -> None:
        """Follow the first difference down as far as the received nodes reach."""
        while diff.index & 1:
            left = received.get(flat_tree.children(diff.index)[0])
            right = received.get(flat_tree.children(diff.index)[1])
            if left is None or right is None:
                break
            diff = right if self._is_same(left) else left
        self._diff = diff
        self.ancestors = flat_tree.spans(diff.index)[0] // 2

    def _is_same(self, node: Node) -> bool:
        return self._known(node.index) == node
