"""Capabilities: how a peer shows that it knows a core's key without saying it."""

from __future__ import annotations

from hypercore.crypto import REPLICATE_INITIATOR, REPLICATE_RESPONDER, blake2b_256


def capability(is_initiator: bool, core_key: bytes, handshake_hash: bytes) -> bytes:
    """Return what a side of a stream sends when it opens a core, 32 bytes.

    Args:
        is_initiator: whether the side that sends it is the initiator of the secret stream.
        core_key: the key of the core, which an eavesdropper that knows the discovery key does not have.
        handshake_hash: of the secret stream, so that it is of no use in another one.
    """
    role = REPLICATE_INITIATOR if is_initiator else REPLICATE_RESPONDER
    return blake2b_256(role + core_key, handshake_hash)
