"""The Noise handshakes of Hypercore's streams: XX and IK over Ed25519, ChaCha20-Poly1305 and BLAKE2b-512.

Two sides that hold static key pairs take turns; after the last message both hold the same hash and a key for
each direction. Keys stay Ed25519 keys on the wire; a Diffie-Hellman result is a point of that curve.

    XX      initiator: e                    IK      (the initiator knows the responder's static key)
            responder: e, ee, s, es                 initiator: e, es, s, ss
            initiator: s, se                        responder: e, ee, se

Every message ends in a payload. Rules that are easy to get wrong: mixing happens for empty prologues and
payloads, too; a chaining key has 64 bytes and a cipher key its first 32; the nonce starts anew with each key;
the scalar of a key pair is clamped here and multiplied as it is.
"""

from __future__ import annotations

import hmac
from hashlib import blake2b, sha512
from typing import Literal

from nacl import bindings
from nacl.exceptions import CryptoError

from hypercore.crypto import KEY_SIZE, KeyPair
from hypercore.errors import BadArgument, InvalidOperation, RemoteProtocolError

Pattern = Literal["XX", "IK"]

_MAC_SIZE = 16

_MESSAGES: dict[str, tuple[tuple[str, ...], ...]] = {
    "XX": (("e",), ("e", "ee", "s", "es"), ("s", "se")),
    "IK": (("e", "es", "s", "ss"), ("e", "ee", "se")),
}


class NoiseHandshake:
    """One side of a handshake.

    Args:
        pattern: "XX", or "IK" if the initiator knows the responder's static key.
        is_initiator: whether this side sends the first message.
        key_pair: the static key pair, with its secret half.
        ephemeral: a key pair for this handshake alone; random unless given.
        remote_public_key: the responder's static key, which the initiator of an IK handshake needs.
        prologue: what both sides must agree on beforehand.

    Attributes:
        is_complete: whether all messages were sent and received.
        hash: 64 bytes, a name of this very handshake once it is complete.
        tx: the key of what this side sends, 32 bytes; empty until the handshake is complete.
        rx: the key of what the other side sends, likewise.
        remote_public_key: the other side's static key, None until it is known.

    Raises:
        BadArgument: a key is missing, or of no use for the pattern.
    """

    def __init__(
        self,
        pattern: Pattern,
        *,
        is_initiator: bool,
        key_pair: KeyPair,
        ephemeral: KeyPair | None = None,
        remote_public_key: bytes | None = None,
        prologue: bytes = b"",
    ) -> None:
        if pattern not in _MESSAGES:
            raise BadArgument(f"a handshake is XX or IK, found {pattern!r}")
        if (remote_public_key is not None) != (pattern == "IK" and is_initiator):
            raise BadArgument("the initiator of IK, and nobody else, is given the remote public key")
        if remote_public_key is not None and len(remote_public_key) != KEY_SIZE:
            raise BadArgument(f"a public key has {KEY_SIZE} bytes, found {len(remote_public_key)}")
        self.is_initiator = is_initiator
        self.is_complete = False
        self.tx = b""
        self.rx = b""
        self.remote_public_key = remote_public_key
        self._static = key_pair
        self._static_scalar = _scalar(key_pair)
        self._ephemeral = ephemeral or KeyPair.generate()
        self._ephemeral_scalar = _scalar(self._ephemeral)
        self._remote_ephemeral = b""
        self._messages = _MESSAGES[pattern]
        self._next = 0
        self._symmetric = _SymmetricState(f"Noise_{pattern}_Ed25519_ChaChaPoly_BLAKE2b".encode())
        self._symmetric.mix_hash(prologue)
        if pattern == "IK":
            self._symmetric.mix_hash(remote_public_key or key_pair.public_key)

    @property
    def hash(self) -> bytes:
        """The hash over everything so far, 64 bytes."""
        return self._symmetric.hash

    @property
    def is_our_turn(self) -> bool:
        """Whether the next message is this side's to send."""
        return not self.is_complete and (self._next % 2 == 0) == self.is_initiator

    def send(self, payload: bytes = b"") -> bytes:
        """Return the next message.

        Raises:
            InvalidOperation: it is the other side's turn, or the handshake is complete.
            RemoteProtocolError: the other side's key is not a point to work with.
        """
        if not self.is_our_turn:
            raise InvalidOperation("it is not this side's turn in the handshake")
        symmetric = self._symmetric
        parts = []
        for token in self._messages[self._next]:
            if token == "e":
                symmetric.mix_hash(self._ephemeral.public_key)
                parts.append(self._ephemeral.public_key)
            elif token == "s":
                parts.append(symmetric.encrypt(self._static.public_key))
            else:
                self._mix_shared(token)
        parts.append(symmetric.encrypt(payload))
        self._advance()
        return b"".join(parts)

    def receive(self, message: bytes) -> bytes:
        """Read the other side's message and return its payload.

        Raises:
            RemoteProtocolError: it is cut off, forged, made with unusable keys or out of turn.
        """
        if self.is_our_turn or self.is_complete:
            raise RemoteProtocolError("a handshake message out of turn")
        symmetric = self._symmetric
        pos = 0
        for token in self._messages[self._next]:
            if token == "e":
                self._remote_ephemeral, pos = _take(message, pos, KEY_SIZE)
                symmetric.mix_hash(self._remote_ephemeral)
            elif token == "s":
                sealed, pos = _take(message, pos, symmetric.sealed_size(KEY_SIZE))
                self.remote_public_key = symmetric.decrypt(sealed)
            else:
                self._mix_shared(token)
        payload = symmetric.decrypt(message[pos:])
        self._advance()
        return payload

    def _mix_shared(self, token: str) -> None:
        """Mix in what two keys share: the initiator's (first letter) and the responder's (second)."""
        ours, theirs = (token[0], token[1]) if self.is_initiator else (token[1], token[0])
        scalar = self._static_scalar if ours == "s" else self._ephemeral_scalar
        point = self.remote_public_key if theirs == "s" else self._remote_ephemeral
        assert point is not None, "the patterns send a key before they use it"
        self._symmetric.mix_key(_shared_point(scalar, point))

    def _advance(self) -> None:
        self._next += 1
        if self._next < len(self._messages):
            return
        self.is_complete = True
        first, second = self._symmetric.split()
        self.tx, self.rx = (first, second) if self.is_initiator else (second, first)


class _SymmetricState:
    """The hash and the keys that both sides keep in step."""

    def __init__(self, protocol_name: bytes) -> None:
        self.hash = protocol_name.ljust(64, b"\x00")
        self._chaining_key = self.hash
        self._key: bytes | None = None
        self._nonce = 0

    def mix_hash(self, data: bytes) -> None:
        self.hash = blake2b(self.hash + data).digest()

    def mix_key(self, secret: bytes) -> None:
        self._chaining_key, key = self._derive(secret)
        self._key = key[:KEY_SIZE]
        self._nonce = 0

    def sealed_size(self, size: int) -> int:
        """Return how many bytes ``size`` bytes take on the wire now."""
        return size if self._key is None else size + _MAC_SIZE

    def encrypt(self, plaintext: bytes) -> bytes:
        sealed = plaintext
        if self._key is not None:
            sealed = bindings.crypto_aead_chacha20poly1305_ietf_encrypt(
                plaintext, self.hash, self._take_nonce(), self._key
            )
        self.mix_hash(sealed)
        return sealed

    def decrypt(self, sealed: bytes) -> bytes:
        plaintext = sealed
        if self._key is not None:
            if len(sealed) < _MAC_SIZE:
                raise RemoteProtocolError("a handshake message is cut off")
            try:
                plaintext = bindings.crypto_aead_chacha20poly1305_ietf_decrypt(
                    sealed, self.hash, self._take_nonce(), self._key
                )
            except CryptoError:
                raise RemoteProtocolError("a handshake message that is not authentic") from None
        self.mix_hash(sealed)
        return plaintext

    def split(self) -> tuple[bytes, bytes]:
        """Return the keys of the two directions, the initiator's first."""
        first, second = self._derive(b"")
        return first[:KEY_SIZE], second[:KEY_SIZE]

    def _derive(self, secret: bytes) -> tuple[bytes, bytes]:
        extracted = hmac.digest(self._chaining_key, secret, "blake2b")
        first = hmac.digest(extracted, b"\x01", "blake2b")
        return first, hmac.digest(extracted, first + b"\x02", "blake2b")

    def _take_nonce(self) -> bytes:
        nonce = bytes(4) + self._nonce.to_bytes(4, "little") + bytes(4)
        self._nonce += 1
        return nonce


def _scalar(pair: KeyPair) -> bytes:
    if pair.secret_key is None:
        raise BadArgument("a handshake needs key pairs with their secret halves")
    scalar = bytearray(sha512(pair.secret_key[:KEY_SIZE]).digest()[:KEY_SIZE])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    return bytes(scalar)


def _shared_point(scalar: bytes, point: bytes) -> bytes:
    try:
        return bindings.crypto_scalarmult_ed25519_noclamp(scalar, point)
    except CryptoError:
        raise RemoteProtocolError("a handshake key that is not a point of the curve") from None


def _take(message: bytes, pos: int, size: int) -> tuple[bytes, int]:
    end = pos + size
    if end > len(message):
        raise RemoteProtocolError("a handshake message is cut off")
    return message[pos:end], end
