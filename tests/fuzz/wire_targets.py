"""What the fuzzers run: each target feeds bytes to a machine of the wire and checks what must hold.

A target raises an exception if, and only if, it has found a defect. Bytes that break the protocol are the
machine's to refuse, with the documented error.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from hypercore.errors import Closed, DecodingError, InvalidOperation, RemoteProtocolError
from hypercore.wire import Channel, Extension, Messages, Opened, OpenRequested, Protomux
from hypercore.wire.batches import split_frame
from hypercore.wire.protomux import MAX_CHANNELS
from tests.data.vectors import vectors
from tests.hypercore.wire.pairs import known_streams
from tests.hypercore.wire.values import DECODERS

_STREAM = vectors("wire")["secretStream"]
_FRAMES = [[bytes.fromhex(each) for each in _STREAM["frames"][side]] for side in "ba"]


def secret_stream(data: bytes) -> None:
    """A stream in any phase takes the bytes behind those of an honest peer, whole and in pieces alike."""
    if len(data) < 3:
        return
    side, honest, size = data[0] & 1, data[1] % 5, 1 + data[2]
    head = b"".join(_FRAMES[side][:honest])
    whole = _hear(side, [head + data[3:]])
    pieces = _hear(side, [head, *(data[start : start + size] for start in range(3, len(data), size))])
    assert whole == pieces


def _hear(side: int, pieces: list[bytes]) -> tuple[list[bytes], str]:
    """Return the plaintexts and the error of a stream that receives the pieces."""
    stream = known_streams(_STREAM["keys"])[side]
    heard: list[bytes] = []
    try:
        for piece in pieces:
            heard.extend(stream.receive(piece))
    except RemoteProtocolError as error:
        return heard, str(error)
    return heard, ""


def messages(data: bytes) -> None:
    """A decoder refuses a message, or reads one that is the same when it is written and read again."""
    if len(data) < 2:
        return
    decode = DECODERS[data[0] % len(DECODERS)]
    end = len(data) - data[1] % 16
    try:
        message = decode(data, 2, end)
    except DecodingError:
        return
    if isinstance(message, Extension) and "\N{REPLACEMENT CHARACTER}" in message.name:
        return  # bytes that are not text are longer when they are written
    encoded = message.encode()
    assert decode(encoded, 0, len(encoded)) == message


def protomux(data: bytes) -> None:
    """A Protomux does as it is told, by its own side and by the other one."""
    script = _Script(data)
    mux = Protomux()
    channels: list[Channel] = []
    try:
        for operation in script:
            _do(operation, script, mux, channels)
    except RemoteProtocolError as error:
        _check_that_it_ended(mux, error)
    else:
        _take(mux, limit=1 << 17)


def _do(operation: int, script: "_Script", mux: Protomux, channels: list[Channel]) -> None:
    if operation == 0:
        with suppress(InvalidOperation):
            channels.append(mux.open(script.name(), script.id(), b"hello"))
    elif operation == 1 and channels:
        with suppress(Closed):
            channels[script.byte() % len(channels)].send(script.byte(), script.take(script.byte()))
    elif operation == 2 and channels:
        channels[script.byte() % len(channels)].close()
    elif operation == 3:
        _take(mux, limit=1 + script.byte())
    else:
        _receive(mux, script.take(script.byte()), channels, wants=operation & 1)


def _receive(mux: Protomux, frame: bytes, channels: list[Channel], *, wants: int) -> None:
    for event in mux.receive(frame):
        if isinstance(event, Messages):
            assert event.channel.is_open
            assert 0 < len(event.entries) <= 1024
            assert all(0 < start <= end <= len(frame) for _, start, end in event.entries)
        elif isinstance(event, OpenRequested):
            if wants:
                channels.append(mux.open(event.protocol, event.id, b""))
        else:
            assert event.channel in channels
            assert event.channel.is_open == isinstance(event, Opened)
    assert sum(channel.is_open for channel in channels) <= MAX_CHANNELS


def _take(mux: Protomux, limit: int) -> None:
    for frame in mux.take_frames(limit):
        assert list(split_frame(frame))
    assert mux.pending_bytes == 0
    assert mux.take_frames() == []


def _check_that_it_ended(mux: Protomux, error: RemoteProtocolError) -> None:
    with pytest.raises(RemoteProtocolError) as again:
        list(mux.receive(b"\x00\x03\x01"))
    assert again.value is error


class _Script:
    """Reads what to do from bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._pos = 0

    def __iter__(self) -> Iterator[int]:
        while self._pos < len(self._data):
            yield self.byte() % 6

    def byte(self) -> int:
        """Return the next byte, 0 at the end."""
        return (self.take(1) or b"\x00")[0]

    def name(self) -> str:
        """Return one of a few names."""
        return ("p", "q", "hypercore")[self.byte() % 3]

    def id(self) -> bytes | None:
        """Return one of a few ids."""
        return (None, b"1", b"22")[self.byte() % 3]

    def take(self, size: int) -> bytes:
        """Return the next bytes, as many as there are."""
        start, self._pos = self._pos, self._pos + size
        return self._data[start : self._pos]


TARGETS: dict[str, Callable[[bytes], None]] = {
    "secret_stream": secret_stream,
    "messages": messages,
    "protomux": protomux,
}
