"""Block encryption: what a core stores in place of a block when it has an encryption key.

    block key    = H(DEFAULT_ENCRYPTION, core key, encryption key)
                 | H(encryption key) keyed with the core key                    compat cores
                 | encryption key                                               when it is a block key already
    blinding key = H(block key)
    padding      = u64 fork  xor  stream(blinding key, u64 index, 16 zeros)      u64: little-endian
    stored       = padding, block  xor  stream(block key, u64 index, padding, 8 zeros)

The stream is XSalsa20's: a key of 32 bytes, a nonce of 24, from counter 0. There is no authentication tag:
the Merkle tree over the stored blocks does that work.

PyNaCl binds XSalsa20 only inside secretbox, whose Poly1305 key swallows the first 32 bytes of the stream; so
libsodium's own function is called with ctypes, out of the library that PyNaCl has loaded (a block of 0, 100,
1000 bytes or 64 KiB is encrypted in 4.7, 5.1, 6.0 and 32 us). Should a build of PyNaCl hide it, those 32
bytes are computed in Python and secretbox makes the others, with the same result in 400, 410, 410 and 480 us.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from importlib.util import find_spec
from struct import Struct

from nacl import bindings

from hypercore.crypto import DEFAULT_ENCRYPTION, KEY_SIZE, blake2b_256
from hypercore.errors import BadArgument, DecodingError

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


# --- XSalsa20: (message, nonce of 24 bytes, key of 32 bytes) -> message xor stream ----------------------

StreamXor = Callable[[bytes, bytes, bytes], bytes]


def find_sodium_xor() -> StreamXor | None:
    """Return XSalsa20 of the libsodium that PyNaCl has loaded, or None where it is out of reach.

    It reads 24 bytes of nonce and 32 of key whatever it is given: sizes are the caller's duty.
    """
    # The name of PyNaCl's extension module is its own affair, but the function is libsodium's public
    # interface. A PyNaCl built on the system's libsodium works too: symbols are looked up in what the module
    # links to.
    extension = find_spec("nacl._sodium")
    if extension is None or extension.origin is None:
        return None
    try:
        stream_xor = ctypes.CDLL(extension.origin).crypto_stream_xsalsa20_xor
    except (OSError, AttributeError):
        return None
    text = ctypes.c_char_p
    stream_xor.argtypes = (text, text, ctypes.c_ulonglong, text, text)
    new_buffer = ctypes.create_string_buffer

    def sodium_xor(message: bytes, nonce: bytes, key: bytes) -> bytes:
        size = len(message)
        result = new_buffer(size)
        stream_xor(result, message, size, nonce, key)
        return result.raw

    return sodium_xor


def portable_xor(message: bytes, nonce: bytes, key: bytes) -> bytes:
    """Do what find_sodium_xor's function does with nothing but PyNaCl's public interface."""
    head = message[:32]
    stream = _first_block(nonce, key)[: len(head)]
    result = (int.from_bytes(head, "little") ^ int.from_bytes(stream, "little")).to_bytes(len(head), "little")
    if len(message) > 32:
        result += bindings.crypto_secretbox(message[32:], nonce, key)[bindings.crypto_secretbox_MACBYTES :]
    return result


xsalsa20_xor: StreamXor = find_sodium_xor() or portable_xor

_words4 = Struct("<4L")
_words8 = Struct("<8L")
_words16 = Struct("<16L")
_DIAGONAL = _words4.unpack(b"expand 32-byte k")
_COLUMNS = ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11))
_ROWS = ((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14))
_DOUBLE_ROUND = [
    step
    for a, b, c, d in _COLUMNS + _ROWS
    for step in ((b, a, d, 7, 25), (c, b, a, 9, 23), (d, c, b, 13, 19), (a, d, c, 18, 14))
]
"""Steps: the word to change, the two words whose sum changes it, by how many bits it turns left, or right."""
_MASK = 0xFFFFFFFF


def _first_block(nonce: bytes, key: bytes) -> bytes:
    """Return the first 64 bytes of the stream of XSalsa20."""
    mixed = _mix(_state(nonce[:16], key))
    subkey = _words8.pack(mixed[0], mixed[5], mixed[10], mixed[15], *mixed[6:10])
    state = _state(nonce[16:] + _ZEROS_8, subkey)
    return _words16.pack(*((a + b) & _MASK for a, b in zip(state, _mix(state), strict=True)))


def _state(tail: bytes, key: bytes) -> list[int]:
    """Lay out the 4 by 4 words that Salsa20 mixes; the tail is a nonce, or a nonce and a counter."""
    c, n, k = _DIAGONAL, _words4.unpack(tail), _words8.unpack(key)
    return [c[0], *k[:4], c[1], *n, c[2], *k[4:], c[3]]


def _mix(state: list[int]) -> list[int]:
    """Return the state after the 20 rounds of Salsa20."""
    x = state.copy()
    for target, first, second, left, right in _DOUBLE_ROUND * 10:
        total = (x[first] + x[second]) & _MASK
        x[target] ^= (total << left | total >> right) & _MASK
    return x
