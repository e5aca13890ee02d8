"""Functions of libsodium that PyNaCl does not bind, or binds with more around them than a hot path can bear.

XSalsa20 it binds only inside secretbox, whose Poly1305 key swallows the first 32 bytes of the stream; a
signature only together with a copy of its message. So libsodium's own functions are called with ctypes, out
of the library that PyNaCl has loaded. Should a build of PyNaCl hide them, its public interface does the same:
a block of 0, 100, 1000 bytes or 64 KiB is encrypted in 400, 410, 410 and 480 us instead of 4.7, 5.1, 6.0 and
32, a tree is signed in 14.2 instead of 13.7.

Sizes of keys and nonces are the caller's duty: libsodium reads as much as it needs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from importlib.util import find_spec
from struct import Struct
from typing import Any

from nacl import bindings

StreamXor = Callable[[bytes, bytes, bytes], bytes]
Sign = Callable[[bytes, bytes], bytes]

_SIGNATURE_SIZE: int = bindings.crypto_sign_BYTES


def find_function(name: str) -> Any:
    """Return a function of the libsodium that PyNaCl has loaded, or None where it is out of reach."""
    # The name of PyNaCl's extension module is its own affair, but the functions are libsodium's public
    # interface. A PyNaCl built on the system's libsodium works too: symbols are looked up in what the module
    # links to.
    extension = find_spec("nacl._sodium")
    if extension is None or extension.origin is None:
        return None
    try:
        return getattr(ctypes.CDLL(extension.origin), name)
    except (OSError, AttributeError):
        return None


# --- signatures: (message, secret key of 64 bytes) -> detached Ed25519 signature of 64 bytes ------------


def find_sign() -> Sign | None:
    """Return libsodium's own, None where it is out of reach."""
    sign_detached = find_function("crypto_sign_detached")
    if sign_detached is None:
        return None
    text = ctypes.c_char_p
    sign_detached.argtypes = (text, text, text, ctypes.c_ulonglong, text)
    sign_detached.restype = None
    new_buffer = ctypes.c_char * _SIGNATURE_SIZE

    def sodium_sign(message: bytes, secret_key: bytes) -> bytes:
        result = new_buffer()
        sign_detached(result, None, message, len(message), secret_key)
        return result.raw

    return sodium_sign


def portable_sign(message: bytes, secret_key: bytes) -> bytes:
    """Do what find_sign's function does with nothing but PyNaCl's public interface."""
    return bindings.crypto_sign(message, secret_key)[:_SIGNATURE_SIZE]


sign: Sign = find_sign() or portable_sign


# --- XSalsa20: (message, nonce of 24 bytes, key of 32 bytes) -> message xor stream ----------------------


def find_xor() -> StreamXor | None:
    """Return libsodium's own, None where it is out of reach."""
    stream_xor = find_function("crypto_stream_xsalsa20_xor")
    if stream_xor is None:
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
    """Do what find_xor's function does with nothing but PyNaCl's public interface."""
    head = message[:32]
    stream = _first_block(nonce, key)[: len(head)]
    result = (int.from_bytes(head, "little") ^ int.from_bytes(stream, "little")).to_bytes(len(head), "little")
    if len(message) > 32:
        result += bindings.crypto_secretbox(message[32:], nonce, key)[bindings.crypto_secretbox_MACBYTES :]
    return result


xsalsa20_xor: StreamXor = find_xor() or portable_xor

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
    state = _state(nonce[16:] + bytes(8), subkey)
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
