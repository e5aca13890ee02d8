"""Signing a tree, and checking a signature, as the manifest of the core says.

    signable  = TREE, context (32), tree hash, u64 length, u64 fork
    context   = version 0: the signer's namespace; version 1 and 2: the core's key; compat core: nothing
    signature = 64 bytes                                     compat; version 0 with one signer and no patches
              | array of proof, array of node                everything else
    proof     = uint signer, 64 bytes, uint patch            version 1 and 2
              | uint flags, uint signer, 64 bytes,
                [flag 1: uint signed length, uint patch, array of uint: places of its nodes]  version 0
    node      = uint index, uint size, hash (32)

A *compat* core has its signer's public key as key, so no manifest hashes to it. A *patch* is how many blocks
longer the tree was that this signer signed; the nodes lead from the one tree to the other, and one that
several patches need is there once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypercore import crypto
from hypercore.crypto import SIGNATURE_SIZE, KeyPair
from hypercore.encoding import encode_uint, get_count, get_fixed, get_uint
from hypercore.errors import BadArgument, DecodingError, HypercoreError, InvalidSignature
from hypercore.manifest import Manifest, Prologue, Signer
from hypercore.merkle import MerkleTree, Node, encode_node, get_nodes
from hypercore.proofs import Proof, UpgradeProof, upgrade_indexes, verify_proof

_PATCHED = 1

_MIN_PROOF_SIZE = 2 + SIGNATURE_SIZE


class TreeSigner:
    """Signs the trees of one core with one key pair."""

    __slots__ = ("_context", "_head", "_secret_key", "_tail")

    def __init__(self, context: bytes, secret_key: bytes, head: bytes, tail: bytes) -> None:
        self._context = context
        self._secret_key = secret_key
        self._head = head
        self._tail = tail

    def sign(self, tree_hash: bytes, length: int, fork: int) -> bytes:
        """Return the signature of a tree as it is stored and sent.

        Of several signers it is the bare 64 bytes: Authority.assemble puts them together.
        """
        message = crypto.signable(self._context, tree_hash, length, fork)
        return self._head + crypto.sign(message, self._secret_key) + self._tail


class Authority:
    """Who may sign a core: its key and its manifest.

    Raises:
        InvalidSignature: the manifest does not belong to the key.
    """

    def __init__(self, key: bytes, manifest: Manifest) -> None:
        signers = manifest.signers
        self.is_compat = len(signers) == 1 and signers[0].public_key == key
        if not self.is_compat and manifest.key() != key:
            raise InvalidSignature(f"the manifest belongs to core {manifest.key().hex()}, not to {key.hex()}")
        self._key = key
        self._signers = signers
        self._version = 0 if self.is_compat else manifest.version
        self._quorum = 1 if self.is_compat else manifest.quorum
        self._allow_patch = manifest.allow_patch and not self.is_compat
        self.prologue: Prologue | None = None if self.is_compat else manifest.prologue
        # Whatever the quorum: the only signer of a manifest of version 0 signs alone.
        self._is_bare = self._version == 0 and len(signers) == 1 and not self._allow_patch

    @property
    def needs_several(self) -> bool:
        """Whether one signature alone is not enough."""
        return self._quorum > 1

    def names(self, public_key: bytes) -> bool:
        """Return whether the manifest names a key as a signer."""
        return any(signer.public_key == public_key for signer in self._signers)

    def signer(self, key_pair: KeyPair) -> TreeSigner:
        """Return what signs with a key pair.

        Raises:
            BadArgument: the secret key is missing, or the manifest does not name the public key.
        """
        if key_pair.secret_key is None:
            raise BadArgument("a key pair without a secret key cannot sign")
        for number, signer in enumerate(self._signers):
            if signer.public_key == key_pair.public_key:
                head, tail = b"", b""
                if not self._is_bare and not self.needs_several:
                    head, tail = self._around_single(number)
                return TreeSigner(self._context(signer), key_pair.secret_key, head, tail)
        raise BadArgument(f"the manifest does not name {key_pair.public_key.hex()} as a signer")

    def assemble(
        self, signatures: Sequence[tuple[int, bytes]], patches: Mapping[int, UpgradeProof] | None = None
    ) -> bytes:
        """Return the signature of several.

        Args:
            signatures: the number of each signer in the manifest, and its 64 bytes.
            patches: for the numbers that signed a longer tree, the upgrade that proves it to one who has this
                tree.

        Raises:
            BadArgument: the manifest does not allow patches.
        """
        if patches and not self._allow_patch:
            raise BadArgument("the manifest does not allow patches: all have to sign the same tree")
        nodes: list[Node] = []
        proofs = [
            self._encode_proof(number, raw, patches.get(number) if patches else None, nodes)
            for number, raw in signatures
        ]
        return b"".join(
            (encode_uint(len(proofs)), *proofs, encode_uint(len(nodes)), *map(encode_node, nodes))
        )

    def verify(self, tree: MerkleTree, fork: int, signature: bytes | None) -> bool:
        """Return whether the signature, or the manifest's prologue, makes the tree one of this core."""
        prologue = self.prologue
        if self._version != 0 and prologue is not None and tree.length <= prologue.length:
            return tree.length == prologue.length and tree.tree_hash() == prologue.hash
        if signature is None:
            return False
        if self._is_bare:
            return self._verify_one(self._signers[0], tree, fork, signature)
        try:
            proofs = _decode(signature, self._version)
        except DecodingError:
            return False
        return self._quorum > 0 and self._verify_quorum(tree, fork, proofs)

    def _encode_proof(self, number: int, raw: bytes, patch: UpgradeProof | None, nodes: list[Node]) -> bytes:
        """Return what stands for one signer, and add the nodes of its patch to those of the others."""
        signed = encode_uint(number) + raw
        if self._version != 0:
            if patch is None:
                return signed + b"\x00"
            known = {node.index for node in nodes}
            nodes += [node for node in patch.nodes if node.index not in known]
            return signed + encode_uint(patch.length)
        if patch is None:
            return b"\x00" + signed
        nodes += [node for node in patch.nodes if node not in nodes]
        places = [encode_uint(nodes.index(node)) for node in patch.nodes]
        lengths = encode_uint(patch.start + patch.length) + encode_uint(patch.length)
        return bytes((_PATCHED,)) + signed + lengths + encode_uint(len(places)) + b"".join(places)

    def _around_single(self, number: int) -> tuple[bytes, bytes]:
        """Return what stands before and behind the 64 bytes when they are all that is needed."""
        if self._version == 0:
            return b"\x01\x00" + encode_uint(number), b"\x00"
        return b"\x01" + encode_uint(number), b"\x00\x00"

    def _verify_quorum(self, tree: MerkleTree, fork: int, proofs: Sequence[_SignerProof]) -> bool:
        if len(proofs) < self._quorum:
            return False
        seen = set()
        for proof in proofs[: self._quorum]:
            if proof.signer >= len(self._signers) or proof.signer in seen:
                return False
            seen.add(proof.signer)
            signed = tree
            if proof.patch and self._allow_patch:
                try:
                    signed = _grow(tree, proof)
                except HypercoreError:
                    return False
            if not self._verify_one(self._signers[proof.signer], signed, fork, proof.signature):
                return False
        return True

    def _verify_one(self, signer: Signer, tree: MerkleTree, fork: int, signature: bytes) -> bool:
        message = crypto.signable(self._context(signer), tree.tree_hash(), tree.length, fork)
        return crypto.verify(message, signature, signer.public_key)

    def _context(self, signer: Signer) -> bytes:
        if self.is_compat:
            return b""
        return signer.namespace if self._version == 0 else self._key


@dataclass(slots=True)
class _SignerProof:
    signer: int
    signature: bytes
    patch: int
    nodes: dict[int, Node]


def _grow(tree: MerkleTree, proof: _SignerProof) -> MerkleTree:
    """Return the longer tree that a signer has signed."""
    to = tree.length + proof.patch
    nodes = [proof.nodes[index] for index in upgrade_indexes(2 * tree.length, 2 * to) if index in proof.nodes]
    upgrade = UpgradeProof(tree.length, proof.patch, nodes, [], None)
    return verify_proof(tree, Proof(0, upgrade=upgrade)).tree


def _decode(buf: bytes, version: int) -> list[_SignerProof]:
    """Read an assembled signature; what follows it is ignored, as the reference does."""
    count, pos = get_count(buf, 0, _MIN_PROOF_SIZE)
    proofs: list[_SignerProof] = []
    places: list[list[int]] = []
    for _ in range(count):
        patch = flags = 0
        chosen: list[int] = []
        if version == 0:
            flags, pos = get_uint(buf, pos)
        signer, pos = get_uint(buf, pos)
        raw, pos = get_fixed(buf, pos, SIGNATURE_SIZE)
        if version != 0:
            patch, pos = get_uint(buf, pos)
        elif flags & _PATCHED:
            _, pos = get_uint(buf, pos)
            patch, pos = get_uint(buf, pos)
            chosen, pos = _get_uints(buf, pos)
        proofs.append(_SignerProof(signer, raw, patch, {}))
        places.append(chosen)
    nodes, pos = get_nodes(buf, pos)
    shared = {node.index: node for node in nodes}
    for proof, chosen in zip(proofs, places, strict=True):
        if any(place >= len(nodes) for place in chosen):
            raise DecodingError(f"a signature refers to one of {len(nodes)} nodes by a larger number")
        proof.nodes = shared if version != 0 else {nodes[place].index: nodes[place] for place in chosen}
    return proofs


def _get_uints(buf: bytes, pos: int) -> tuple[list[int], int]:
    count, pos = get_count(buf, pos, 1)
    numbers = []
    for _ in range(count):
        number, pos = get_uint(buf, pos)
        numbers.append(number)
    return numbers, pos
