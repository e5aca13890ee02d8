"""Signing a tree, and checking a signature, as the manifest of the core says.

    signable  = TREE, context (32), tree hash, u64 length, u64 fork
    context   = version 0: the signer's namespace; version 1 and 2: the core's key; compat core: nothing
    signature = version 0, compat: 64 bytes
              | version 1 and 2: uint 1, uint signer, 64 bytes, uint patch, uint 0    (one signer: 68 bytes)

A *compat* core has its signer's public key as key, so no manifest hashes to it.
"""

from __future__ import annotations

from hypercore import crypto
from hypercore.errors import BadArgument, InvalidSignature
from hypercore.manifest import Manifest

_ENVELOPE_HEAD = b"\x01\x00"
_ENVELOPE_TAIL = b"\x00\x00"


class TreeSigner:
    """Signs and checks the trees of a core that has a single signer.

    Raises:
        BadArgument: the manifest names another number of signers.
        InvalidSignature: the manifest does not belong to the key.
    """

    __slots__ = ("_context", "_head", "_public_key", "_tail")

    def __init__(self, key: bytes, manifest: Manifest) -> None:
        if len(manifest.signers) != 1 or manifest.quorum != 1:
            raise BadArgument(f"one signer was wanted, the manifest has {len(manifest.signers)}")
        (signer,) = manifest.signers
        self._public_key = signer.public_key
        if key == signer.public_key:
            self._context, self._head, self._tail = b"", b"", b""
        elif manifest.key() != key:
            raise InvalidSignature(f"the manifest belongs to core {manifest.key().hex()}, not to {key.hex()}")
        elif manifest.version == 0:
            self._context, self._head, self._tail = signer.namespace, b"", b""
        else:
            self._context, self._head, self._tail = key, _ENVELOPE_HEAD, _ENVELOPE_TAIL

    def sign(self, tree_hash: bytes, length: int, fork: int, secret_key: bytes) -> bytes:
        """Return the signature of a tree as it is stored and sent."""
        message = crypto.signable(self._context, tree_hash, length, fork)
        return self._head + crypto.sign(message, secret_key) + self._tail

    def verify(self, tree_hash: bytes, length: int, fork: int, signature: bytes) -> bool:
        """Return whether the signature holds for the tree."""
        head, tail = len(self._head), len(self._tail)
        raw = signature[head : len(signature) - tail]
        if signature != self._head + raw + self._tail:
            return False
        message = crypto.signable(self._context, tree_hash, length, fork)
        return crypto.verify(message, raw, self._public_key)
