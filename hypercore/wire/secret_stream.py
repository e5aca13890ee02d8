"""The secret stream: frames on a byte stream, a Noise XX handshake, then encrypted messages.

    stream = frame*                 frame = u24 length (little-endian), that many bytes

    initiator                       responder
    Noise message 1 (32)
                                    Noise message 2 (96)
    Noise message 3 (64)
    header (56)                     header (56)
    encrypted frames                encrypted frames

    header = H(role; handshake hash) (32), secretstream header (24)         role: that of the sender
    frame  = crypto_secretstream_xchacha20poly1305, tag 0: plaintext + 17 bytes

A side may send encrypted frames right behind its own header. An empty plaintext says only that the sender is
alive. What a peer may make us keep is bounded by what it may send in its phase: 96 bytes before it has shown
that it holds its key, one frame of at most 16 MiB afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from nacl import bindings
from nacl.exceptions import CryptoError

from hypercore.crypto import HASH_SIZE, KeyPair, blake2b_256, namespaces
from hypercore.errors import BadArgument, InvalidOperation, RemoteProtocolError
from hypercore.wire.noise import NoiseHandshake

_pull = bindings.crypto_secretstream_xchacha20poly1305_pull
_push = bindings.crypto_secretstream_xchacha20poly1305_push
_init = bindings.crypto_secretstream_xchacha20poly1305_init_pull
_State = bindings.crypto_secretstream_xchacha20poly1305_state
_OVERHEAD = bindings.crypto_secretstream_xchacha20poly1305_ABYTES
_STREAM_HEADER_SIZE = bindings.crypto_secretstream_xchacha20poly1305_HEADERBYTES

_LENGTH_SIZE = 3
_HEADER_SIZE = HASH_SIZE + _STREAM_HEADER_SIZE

MAX_PLAINTEXT = 2 ** (8 * _LENGTH_SIZE) - 1 - _OVERHEAD
"""The most bytes that one encrypted frame carries."""

# PyNaCl's states keep a buffer of the size of the largest message; one above this size is given back.
_KEPT_BUFFER = 1 << 20

_INITIATOR, _RESPONDER = namespaces("hyperswarm/secret-stream", 2)


class SecretStream:
    """One side of a stream.

    Args:
        is_initiator: whether this side begins the handshake; exactly one side does, whoever connected.
        key_pair: the static key pair that the other side learns; random unless given.
        ephemeral: the key pair of the handshake; random unless given.
        header: the 24 bytes of the secretstream header; random unless given.
        keep_alive: send a sign of life when nothing was written for so many seconds; None for never.

    Attributes:
        is_open: whether plaintexts may be sent.
        handshake_hash: 64 bytes, the same on both sides; empty until the handshake is complete.
        remote_public_key: the other side's static key; None until the handshake is complete.
    """

    def __init__(
        self,
        *,
        is_initiator: bool,
        key_pair: KeyPair | None = None,
        ephemeral: KeyPair | None = None,
        header: bytes | None = None,
        keep_alive: float | None = 5.0,
    ) -> None:
        if header is not None and len(header) != _STREAM_HEADER_SIZE:
            raise BadArgument(f"a stream header has {_STREAM_HEADER_SIZE} bytes, found {len(header)}")
        self.is_initiator = is_initiator
        self.is_open = False
        self.handshake_hash = b""
        self.remote_public_key: bytes | None = None
        self._noise = NoiseHandshake(
            "XX", is_initiator=is_initiator, key_pair=key_pair or KeyPair.generate(), ephemeral=ephemeral
        )
        self._header = header or os.urandom(_STREAM_HEADER_SIZE)
        self._keep_alive = keep_alive
        self._last_write: float | None = None
        self._out: list[bytes] = []
        # Bytes of a frame that is not whole yet, and how many there must be to go on.
        self._partial = bytearray()
        self._wanted = _LENGTH_SIZE
        # The sizes of the frames that the other side sends before the encrypted ones.
        self._setup_sizes = [96, _HEADER_SIZE] if is_initiator else [32, 64, _HEADER_SIZE]
        self._encrypting = _State()
        self._decrypting = _State()
        self._error: RemoteProtocolError | None = None

    @property
    def is_amid_frame(self) -> bool:
        """Whether a part of a frame has come, and not yet the rest."""
        return bool(self._partial)

    def start(self) -> None:
        """Queue the first message of the handshake, if this side begins."""
        if self.is_initiator:
            self._queue(self._noise.send())

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Take what arrived and iterate over the plaintexts in it, each as soon as it is decrypted.

        The iterator does the work: it has to be exhausted before more is received.

        Raises:
            RemoteProtocolError: the other side broke the protocol; it is raised again by every later call.
        """
        try:
            if self._error:
                raise self._error
            yield from self._plaintexts(data)
        except RemoteProtocolError as error:
            self._error = error
            self._partial.clear()
            raise

    def send(self, plaintext: bytes) -> None:
        """Queue a plaintext as one frame.

        Raises:
            BadArgument: it is longer than MAX_PLAINTEXT.
            InvalidOperation: the stream is not open yet.
        """
        if len(plaintext) > MAX_PLAINTEXT:
            raise BadArgument(f"a frame carries at most {MAX_PLAINTEXT} bytes, found {len(plaintext)}")
        if not self.is_open:
            raise InvalidOperation("the stream is not open yet: its handshake is not complete")
        state = self._encrypting
        self._queue(_push(state, plaintext))
        if len(plaintext) > _KEPT_BUFFER:
            state.rawbuf = None

    def data_to_send(self, now: float) -> bytes:
        """Return all that is queued; the caller writes it at the time ``now``, in seconds."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        self._last_write = now
        return data

    def next_timeout(self) -> float | None:
        """Return when handle_timeout is due, in the caller's time; None for never."""
        if self._keep_alive is None or self._last_write is None or not self.is_open:
            return None
        return self._last_write + self._keep_alive

    def handle_timeout(self, now: float) -> None:
        """Queue a sign of life if none was written for long enough."""
        due = self.next_timeout()
        if due is not None and now >= due and not self._out:
            self.send(b"")

    def _queue(self, frame: bytes) -> None:
        self._out.append(len(frame).to_bytes(_LENGTH_SIZE, "little"))
        self._out.append(frame)

    def _plaintexts(self, data: bytes) -> Iterator[bytes]:
        partial = self._partial
        if partial:
            partial += data
            if len(partial) < self._wanted:
                return
            data = bytes(partial)
            partial.clear()
        pos, size = 0, len(data)
        wanted = _LENGTH_SIZE
        while size - pos >= _LENGTH_SIZE:
            length = data[pos] | data[pos + 1] << 8 | data[pos + 2] << 16
            self._check_length(length)
            end = pos + _LENGTH_SIZE + length
            if end > size:
                wanted = end - pos
                break
            frame = data[pos + _LENGTH_SIZE : end]
            pos = end
            if self._setup_sizes:
                self._set_up(frame)
            elif plaintext := self._decrypt(frame):
                yield plaintext
        if pos < size:
            partial += data[pos:]
            self._wanted = wanted

    def _check_length(self, length: int) -> None:
        """Refuse a frame by its length, before anything of it is kept."""
        if self._setup_sizes:
            if length != self._setup_sizes[0]:
                raise RemoteProtocolError(
                    f"a frame of {self._setup_sizes[0]} bytes was due in the handshake, found {length}"
                )
        elif length < _OVERHEAD:
            raise RemoteProtocolError(f"an encrypted frame has {_OVERHEAD} bytes or more, found {length}")

    def _set_up(self, frame: bytes) -> None:
        del self._setup_sizes[0]
        if not self._setup_sizes:
            self._read_header(frame)
            return
        self._noise.receive(frame)
        if self._noise.is_our_turn:
            self._queue(self._noise.send())
        if self._noise.is_complete:
            self._open()

    def _open(self) -> None:
        noise = self._noise
        self.handshake_hash = noise.hash
        self.remote_public_key = noise.remote_public_key
        _init(self._encrypting, self._header, noise.tx)
        self._queue(_stream_id(noise.hash, self.is_initiator) + self._header)
        self.is_open = True

    def _read_header(self, frame: bytes) -> None:
        if frame[:HASH_SIZE] != _stream_id(self.handshake_hash, not self.is_initiator):
            raise RemoteProtocolError("the header does not belong to the stream")
        _init(self._decrypting, frame[HASH_SIZE:], self._noise.rx)

    def _decrypt(self, frame: bytes) -> bytes:
        state = self._decrypting
        try:
            plaintext, _ = _pull(state, frame)
        except CryptoError:
            raise RemoteProtocolError("an encrypted frame that is not authentic") from None
        if len(plaintext) > _KEPT_BUFFER:
            state.rawbuf = None
        return plaintext


def _stream_id(handshake_hash: bytes, is_initiator: bool) -> bytes:
    return blake2b_256(_INITIATOR if is_initiator else _RESPONDER, handshake_hash)
