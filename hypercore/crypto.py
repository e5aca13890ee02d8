"""Hashes and signatures: BLAKE2b-256 with Hypercore's inputs, Ed25519 key pairs, namespaces, key derivation.

Everything here is deterministic but ``KeyPair.generate`` and ``random_key``.

    leaf   = H(00, u64 size, block)
    parent = H(01, u64 left.size + right.size, left.hash, right.hash)
    tree   = H(02, for each root: hash, u64 index, u64 size)        u64: little-endian
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from hashlib import blake2b
from struct import Struct

from nacl import bindings
from nacl.exceptions import CryptoError

from hypercore import sodium
from hypercore.encoding import encode_name
from hypercore.errors import BadArgument

HASH_SIZE = 32
KEY_SIZE = 32
SIGNATURE_SIZE = 64
ROOT_PIECE_SIZE = HASH_SIZE + 16

_u64 = Struct("<Q").pack
_u64_u64 = Struct("<QQ").pack
_leaf_head = Struct("<BQ").pack
# Copying a hash that is set up takes two thirds of the time of setting one up.
_unkeyed = blake2b(digest_size=HASH_SIZE).copy
_sign_open = bindings.crypto_sign_open


def blake2b_256(data: bytes, key: bytes = b"") -> bytes:
    """Return the BLAKE2b hash of 32 bytes, keyed when a key is given."""
    return blake2b(data, digest_size=HASH_SIZE, key=key).digest()


def namespaces(name: str, count: int) -> list[bytes]:
    """Return the first ``count`` namespaces of a name.

    Each separates one use of a hash or signature from the others.
    """
    base = blake2b_256(name.encode())
    return [blake2b_256(base + bytes((number,))) for number in range(count)]


_HYPERCORE = namespaces("hypercore", 6)
TREE, REPLICATE_INITIATOR, REPLICATE_RESPONDER, MANIFEST, DEFAULT_NAMESPACE, DEFAULT_ENCRYPTION = _HYPERCORE
(CORESTORE,) = namespaces("corestore", 1)
ROOT_NAMESPACE = bytes(32)
"""The namespace of a Corestore that no name was given for."""


def leaf_hash(block: bytes) -> bytes:
    """Return the hash of a block, as it is stored."""
    state = _unkeyed()
    state.update(_leaf_head(0, len(block)))  # by itself: joined with the block, that would be copied
    state.update(block)
    return state.digest()


def parent_hash(size: int, left: bytes, right: bytes) -> bytes:
    """Return the hash of the parent of two nodes whose sizes sum up to ``size`` bytes."""
    state = _unkeyed()
    state.update(_leaf_head(1, size) + left + right)
    return state.digest()


def root_piece(index: int, size: int, hash_: bytes) -> bytes:
    """Return what one root contributes to the tree hash: ROOT_PIECE_SIZE bytes."""
    return hash_ + _u64_u64(index, size)


def tree_hash(root_pieces: bytes) -> bytes:
    """Return the hash over all roots, given their root_piece from left to right, joined."""
    state = _unkeyed()
    state.update(b"\x02" + root_pieces)
    return state.digest()


def signable(context: bytes, hash_: bytes, length: int, fork: int) -> bytes:
    """Return the bytes that a signer signs for a tree.

    The context binds them to one core; it is empty for compat cores.
    """
    return TREE + context + hash_ + _u64_u64(length, fork)


def discovery_key(key: bytes) -> bytes:
    """Return the public name of a core: peers find each other by it without learning the key."""
    return blake2b_256(b"hypercore", key)


def random_key() -> bytes:
    """Return 32 random bytes."""
    return os.urandom(KEY_SIZE)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An Ed25519 key pair in libsodium's form.

    Attributes:
        public_key: 32 bytes.
        secret_key: 64 bytes, seed and public key; None when only the public half is known.
    """

    public_key: bytes
    secret_key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len(self.public_key) != KEY_SIZE:
            raise BadArgument(f"a public key has {KEY_SIZE} bytes, found {len(self.public_key)}")
        if self.secret_key is not None and len(self.secret_key) != 2 * KEY_SIZE:
            raise BadArgument(f"a secret key has {2 * KEY_SIZE} bytes, found {len(self.secret_key)}")

    @classmethod
    def generate(cls) -> KeyPair:
        """Make a new random key pair."""
        return cls.from_seed(random_key())

    @classmethod
    def from_seed(cls, seed: bytes) -> KeyPair:
        """Make the key pair that belongs to a seed of 32 bytes."""
        if len(seed) != KEY_SIZE:
            raise BadArgument(f"a seed has {KEY_SIZE} bytes, found {len(seed)}")
        return cls(*bindings.crypto_sign_seed_keypair(seed))


sign = sodium.sign
"""(message, secret key) -> detached Ed25519 signature, 64 bytes."""


def verify(message: bytes, signature: bytes, public_key: bytes) -> bool:
    """Return whether the signature is the key's over the message; wrong sizes are just not valid."""
    if len(signature) != SIGNATURE_SIZE or len(public_key) != KEY_SIZE:
        return False
    try:
        _sign_open(signature + message, public_key)
    except CryptoError:
        return False
    return True


def derive_namespace(namespace: bytes, name: bytes) -> bytes:
    """Return the namespace that a Corestore has below another one."""
    return blake2b_256(namespace + name)


def derive_key_pair(primary_key: bytes, namespace: bytes, name: str) -> KeyPair:
    """Return the key pair of a named core of a Corestore."""
    return KeyPair.from_seed(blake2b_256(CORESTORE + namespace + encode_name(name), primary_key))
