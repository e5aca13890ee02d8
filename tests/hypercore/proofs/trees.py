"""A signed tree with all its nodes, and copies that know only some of them."""

from collections.abc import Iterable, Sequence
from copy import deepcopy

from hypercore import KeyPair, flat_tree
from hypercore.manifest import Manifest, Prologue
from hypercore.merkle import MerkleTree, Node
from hypercore.proofs import Proof, ProofMaker, ProofRequest, Verified, check_root, verify_proof
from hypercore.signing import Authority

PAIR = KeyPair.from_seed(b"\x01" * 32)
AUTHORITY = Authority(Manifest.for_key(PAIR.public_key).key(), Manifest.for_key(PAIR.public_key))


class Source:
    """Everything about some blocks; answers requests."""

    def __init__(self, blocks: Sequence[bytes], *, prologue: Prologue | None = None) -> None:
        self.blocks = blocks
        self.tree, nodes = MerkleTree().append_blocks(blocks)
        self.nodes = {node.index: node for node in nodes}
        signer = AUTHORITY.signer(PAIR)
        self.signature = signer.sign(self.tree.tree_hash(), self.tree.length, 0)
        self.prologue = prologue

    def maker(self, *, signature: bytes | None = None) -> ProofMaker:
        return ProofMaker(self.tree, self.nodes.get, fork=0, signature=signature, prologue=self.prologue)

    def answer(self, request: ProofRequest, *, signed: bool = True) -> Proof:
        """Return a proof with its block and nodes of its own, which may be changed."""
        proof = self.maker(signature=self.signature if signed else None).make(request)
        if proof.block is not None:
            proof.block.value = self.blocks[proof.block.index]
        return deepcopy(proof)

    def owns(self, nodes: Iterable[Node]) -> bool:
        return all(self.nodes.get(node.index) == node for node in nodes)


class Copy:
    """What is known of a source: its first blocks' roots, and all that proves some of the blocks."""

    def __init__(self, source: Source, length: int, known: Iterable[int] = ()) -> None:
        self.tree = MerkleTree([source.nodes[index] for index in flat_tree.full_roots(length)])
        self.nodes = {root.index: root for root in self.tree.roots}
        for index in {2 * block for block in known if block < length}:
            while index not in self.nodes:
                for each in (index, flat_tree.sibling(index)):
                    self.nodes[each] = source.nodes[each]
                index = flat_tree.parent(index)

    def missing_levels(self, index: int) -> int:
        """Return how many levels from a node of the tree up are not known."""
        count = 0
        while index not in self.nodes:
            count += 1
            index = flat_tree.parent(index)
        return count

    def check(self, proof: Proof) -> Verified:
        """Check everything about a proof but its signature."""
        verified = verify_proof(self.tree, proof)
        if verified.root is not None:
            index = verified.root.index
            check_root(verified.root, self.nodes.get(index), is_bound=index in verified.bound)
        return verified

    def take(self, proof: Proof) -> tuple[MerkleTree, list[Node]]:
        """Check a proof; return the tree and the nodes it leads to."""
        verified = self.check(proof)
        return verified.tree, verified.nodes

    def accepts(self, proof: Proof) -> bool:
        """Return whether what a proof leads to is signed, or known already."""
        tree, _ = self.take(proof)
        if proof.upgrade is None or (tree.length <= self.tree.length and self._knows(tree.roots)):
            return True
        return AUTHORITY.verify(tree, proof.fork, proof.upgrade.signature)

    def _knows(self, nodes: Iterable[Node]) -> bool:
        return all(self.nodes.get(node.index) == node for node in nodes)
