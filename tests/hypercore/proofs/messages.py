"""The messages of the vectors: what peers ask for, and the data they answer with."""

from typing import Any

from hypercore import wire
from hypercore.proofs import NodeRequest, Proof, ProofRequest, SeekRequest, UpgradeRequest


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
    data = wire.decode_data(message, 0, len(message))
    assert data.encode() == message
    return data.proof
