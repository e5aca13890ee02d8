"""Block encryption: what a core stores in place of a block when it has an encryption key.

    block key    = H(DEFAULT_ENCRYPTION, core key, encryption key)
                 | H(encryption key) keyed with the core key                    compat cores
                 | encryption key                                               when it is a block key already
    blinding key = H(block key)
    padding      = u64 fork  xor  stream(blinding key, u64 index, 16 zeros)      u64: little-endian
    stored       = padding, block  xor  stream(block key, u64 index, padding, 8 zeros)

The stream is XSalsa20's: a key of 32 bytes, a nonce of 24, from counter 0. There is no authentication tag:
the Merkle tree over the stored blocks does that work.
"""

from __future__ import annotations

from struct import Struct

from hypercore.crypto import DEFAULT_ENCRYPTION, KEY_SIZE, blake2b_256
from hypercore.errors import BadArgument, DecodingError
from hypercore.sodium import xsalsa20_xor

PADDING = 8
"""How many bytes a stored block is longer than its content, on disk and in the tree."""

_u64 = Struct("<Q").pack
_ZEROS_8 = bytes(8)
_ZEROS_16 = bytes(16)


class BlockEncryption:
    """Encrypts and decrypts the blocks of one core.

    Attributes:
        block_key: encrypts the content, 32 bytes.
        blinding_key: hides the fork in the padding, 32 bytes.
    """

    PADDING = PADDING
    __slots__ = ("blinding_key", "block_key")

    def __init__(
        self, core_key: bytes, encryption_key: bytes, *, compat: bool = False, block_key: bool = False
    ) -> None:
        """Derive the keys of a core.

        Args:
            core_key: the key of the core, 32 bytes.
            encryption_key: the secret that readers and writers share, 32 bytes.
            compat: the core has no manifest, its key is the public key of its only signer.
            block_key: the encryption key is a block key, made by block_encryption_key.

        Raises:
            BadArgument: a key is not 32 bytes.
        """
        _check_keys(core_key, encryption_key)
        if block_key:
            self.block_key = encryption_key
        elif compat:
            self.block_key = blake2b_256(encryption_key, core_key)
        else:
            self.block_key = block_encryption_key(core_key, encryption_key)
        self.blinding_key = blake2b_256(self.block_key)

    def encrypt(self, index: int, fork: int, block: bytes) -> bytes:
        """Return the stored form of a block that is appended at ``index`` while the core is on ``fork``."""
        position = _u64(index)
        padding = xsalsa20_xor(_u64(fork), position + _ZEROS_16, self.blinding_key)
        return padding + xsalsa20_xor(block, position + padding + _ZEROS_8, self.block_key)

    def decrypt(self, index: int, stored: bytes) -> bytes:
        """Return the content of a stored block; a wrong key or index gives other bytes, not an error.

        Raises:
            DecodingError: there is no room for the padding, so the block was not stored encrypted.
        """
        if len(stored) < PADDING:
            raise DecodingError(
                f"block {index} is not encrypted: it has {len(stored)} bytes, padding alone has {PADDING}"
            )
        nonce = _u64(index) + stored[:PADDING] + _ZEROS_8
        return xsalsa20_xor(stored[PADDING:], nonce, self.block_key)


def block_encryption_key(core_key: bytes, encryption_key: bytes) -> bytes:
    """Return the block key of a core with a manifest: it opens this core and tells nothing about others.

    Raises:
        BadArgument: a key is not 32 bytes.
    """
    _check_keys(core_key, encryption_key)
    return blake2b_256(DEFAULT_ENCRYPTION + core_key + encryption_key)


def check_encryption_key(key: bytes | None) -> None:
    """Make sure that a key, if there is one, can encrypt.

    Raises:
        BadArgument: it is not 32 bytes.
    """
    if key is not None and len(key) != KEY_SIZE:
        raise BadArgument(f"an encryption key has {KEY_SIZE} bytes, found {len(key)}")


def _check_keys(core_key: bytes, encryption_key: bytes) -> None:
    if len(core_key) != KEY_SIZE:
        raise BadArgument(f"a core key has {KEY_SIZE} bytes, found {len(core_key)}")
    check_encryption_key(encryption_key)
