"""The messages of the vectors: what peers ask for, and the data they answer with.

data = uint flags, uint request id, uint fork
       [flag 1: uint index, buffer value, array of node] [flag 2: uint index, array of node]
       [flag 4: uint bytes, array of node]
       [flag 8: uint start, uint length, array of node, array of additional node,
                   buffer signature (empty: none)]
       [flag 16: manifest]
"""

from typing import Any

from hypercore.encoding import get_buffer, get_uint
from hypercore.manifest import decode_manifest
from hypercore.merkle import get_nodes
from hypercore.proofs import (
    BlockProof,
    HashProof,
    NodeRequest,
    Proof,
    ProofRequest,
    SeekProof,
    SeekRequest,
    UpgradeProof,
    UpgradeRequest,
)

BLOCK, HASH, SEEK, UPGRADE, MANIFEST = 1, 2, 4, 8, 16


def request_of(fields: dict[str, Any]) -> ProofRequest:
    """Return the request with the fields of a vector."""
    kinds: dict[str, Any] = {
        "block": NodeRequest,
        "hash": NodeRequest,
        "seek": SeekRequest,
        "upgrade": UpgradeRequest,
    }
    return ProofRequest(**{name: kinds[name](**values) for name, values in fields.items()})


def decode_data(message: bytes) -> Proof:
    """Read a whole data message."""
    flags, pos = get_uint(message, 0)
    _, pos = get_uint(message, pos)
    fork, pos = get_uint(message, pos)
    proof = Proof(fork)
    if flags & BLOCK:
        index, pos = get_uint(message, pos)
        value, pos = get_buffer(message, pos)
        nodes, pos = get_nodes(message, pos)
        proof.block = BlockProof(index, nodes, value)
    if flags & HASH:
        index, pos = get_uint(message, pos)
        nodes, pos = get_nodes(message, pos)
        proof.hash = HashProof(index, nodes)
    if flags & SEEK:
        offset, pos = get_uint(message, pos)
        nodes, pos = get_nodes(message, pos)
        proof.seek = SeekProof(offset, nodes)
    if flags & UPGRADE:
        proof.upgrade, pos = _get_upgrade(message, pos)
    if flags & MANIFEST:
        proof.manifest, pos = decode_manifest(message, pos)
    assert pos == len(message)
    return proof


def _get_upgrade(message: bytes, pos: int) -> tuple[UpgradeProof, int]:
    start, pos = get_uint(message, pos)
    length, pos = get_uint(message, pos)
    nodes, pos = get_nodes(message, pos)
    additional, pos = get_nodes(message, pos)
    signature, pos = get_buffer(message, pos)
    return UpgradeProof(start, length, nodes, additional, signature or None), pos
