"""Merkle proofs: requests, making, checking. Pure: nodes are read through a function, nothing is stored."""

from hypercore.proofs.checking import Verified, check_root, verify_proof
from hypercore.proofs.making import ProofMaker, upgrade_indexes
from hypercore.proofs.types import (
    BlockProof,
    HashProof,
    NodeReader,
    NodeRequest,
    Proof,
    ProofRequest,
    SeekProof,
    SeekRequest,
    UpgradeProof,
    UpgradeRequest,
)

__all__ = [
    "BlockProof",
    "HashProof",
    "NodeReader",
    "NodeRequest",
    "Proof",
    "ProofMaker",
    "ProofRequest",
    "SeekProof",
    "SeekRequest",
    "UpgradeProof",
    "UpgradeRequest",
    "Verified",
    "check_root",
    "upgrade_indexes",
    "verify_proof",
]
