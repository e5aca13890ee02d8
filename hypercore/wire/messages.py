"""The messages of the channel "hypercore/alpha": what two copies of a core tell each other.

    handshake  = uint flags (1: understands seeks), capability (32)             in the open of the channel
 0  sync       = uint flags, uint fork, uint length, uint remote length
                 1 can upgrade | 2 uploading | 4 downloading | 8 has manifest | 16 allows push
 1  request    = uint flags, uint id, uint fork                                 hypercore.wire.requests
 2  cancel     = uint request
 3  data       = uint flags, uint request, uint fork                            hypercore.wire.data
 4  no data    = uint request, [uint flags (1: a reason follows), [uint reason]]
 5  want       = uint start, uint length, [uint flags (1: any)]
 6  unwant     = like want
 7  bitfield   = uint start, uint count, count words of 32 bits
 8  range      = uint flags (1: drop | 2: of length 1), uint start, [uint length]
 9  extension  = string name (empty: that of the one before), the rest

A decoder reads ``buf[pos:end]``, ignores what stands behind, and raises DecodingError and nothing else. Flags
have no rest: bits that are not known are ignored. On the wire, do not renumber.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hypercore.crypto import KEY_SIZE
from hypercore.encoding import encode_buffer, encode_uint, get_fixed, get_uint, get_utf8
from hypercore.errors import BadArgument, DecodingError

SYNC: Final = 0
REQUEST: Final = 1
CANCEL: Final = 2
DATA: Final = 3
NO_DATA: Final = 4
WANT: Final = 5
UNWANT: Final = 6
BITFIELD: Final = 7
RANGE: Final = 8
EXTENSION: Final = 9

NO_REASON: Final = 0
"""The reason of a NoData that has none."""

NOT_AVAILABLE: Final = 1
"""The reason of a NoData: the block is not stored."""

INVALID_REQUEST: Final = 2
"""The reason of a NoData: no proof can show what was asked for."""

MAX_BITFIELD_WORDS: Final = 65_536
"""A Bitfield tells at most of 2,097,152 blocks."""

MAX_EXTENSION_NAME: Final = 1024
"""Bytes of the name of an extension: who receives one remembers it for the next message."""

_WORD_SIZE = 4


@dataclass(slots=True)
class Sync:
    """What a peer has and wants.

    Attributes:
        fork: the peer's fork.
        length: the peer's length.
        remote_length: our length as the peer knows it, 0 if the forks differ.
        can_upgrade: whether the peer can prove its tree from ours on.
        uploading: whether it answers requests.
        downloading: whether it will send some.
        has_manifest: whether it can send the manifest.
        allow_push: whether it takes data that it did not ask for.
    """

    fork: int
    length: int
    remote_length: int
    can_upgrade: bool
    uploading: bool
    downloading: bool
    has_manifest: bool
    allow_push: bool

    def encode(self) -> bytes:
        """Return the message."""
        flags = (
            (1 if self.can_upgrade else 0)
            | (2 if self.uploading else 0)
            | (4 if self.downloading else 0)
            | (8 if self.has_manifest else 0)
            | (16 if self.allow_push else 0)
        )
        numbers = (flags, self.fork, self.length, self.remote_length)
        return b"".join(map(encode_uint, numbers))


def decode_sync(buf: bytes, pos: int, end: int) -> Sync:
    """Read a Sync."""
    flags, pos = get_uint(buf, pos)
    fork, pos = get_uint(buf, pos)
    length, pos = get_uint(buf, pos)
    remote_length, pos = get_uint(buf, pos)
    check_end(pos, end)
    return Sync(
        fork,
        length,
        remote_length,
        bool(flags & 1),
        bool(flags & 2),
        bool(flags & 4),
        bool(flags & 8),
        bool(flags & 16),
    )


@dataclass(slots=True)
class Cancel:
    """A request that needs no answer any more."""

    request: int

    def encode(self) -> bytes:
        """Return the message."""
        return encode_uint(self.request)


def decode_cancel(buf: bytes, pos: int, end: int) -> Cancel:
    """Read a Cancel."""
    request, pos = get_uint(buf, pos)
    check_end(pos, end)
    return Cancel(request)


@dataclass(slots=True)
class NoData:
    """A request that is not answered; the reason is 0 if none is given."""

    request: int
    reason: int = 0

    def encode(self) -> bytes:
        """Return the message."""
        if not self.reason:
            return encode_uint(self.request) + b"\x00"
        return encode_uint(self.request) + b"\x01" + encode_uint(self.reason)


def decode_no_data(buf: bytes, pos: int, end: int) -> NoData:
    """Read a NoData."""
    request, pos = get_uint(buf, pos)
    flags, reason = 0, 0
    if pos < end:
        flags, pos = get_uint(buf, pos)
    if flags & 1:
        reason, pos = get_uint(buf, pos)
    check_end(pos, end)
    return NoData(request, reason)


@dataclass(slots=True)
class Want:
    """The blocks that a peer wants to be told of; ``any``: one of them is enough."""

    start: int
    length: int
    any: bool = False

    def encode(self) -> bytes:
        """Return the message."""
        return encode_uint(self.start) + encode_uint(self.length) + (b"\x01" if self.any else b"")


@dataclass(slots=True)
class Unwant(Want):
    """The blocks that a peer need not be told of any more."""


def decode_want(buf: bytes, pos: int, end: int) -> Want:
    """Read a Want."""
    return Want(*_get_span(buf, pos, end))


def decode_unwant(buf: bytes, pos: int, end: int) -> Unwant:
    """Read an Unwant."""
    return Unwant(*_get_span(buf, pos, end))


def _get_span(buf: bytes, pos: int, end: int) -> tuple[int, int, bool]:
    start, pos = get_uint(buf, pos)
    length, pos = get_uint(buf, pos)
    flags = 0
    if pos < end:
        flags, pos = get_uint(buf, pos)
    check_end(pos, end)
    return start, length, bool(flags & 1)


@dataclass(slots=True)
class Bitfield:
    """Which blocks from ``start`` on a peer has: bit i of byte b is block start + 8b + i.

    The words hold 32 bits each, in 4 bytes; there are at most MAX_BITFIELD_WORDS.
    """

    start: int
    words: bytes

    def encode(self) -> bytes:
        """Return the message.

        Raises:
            BadArgument: there are too many words, or the last is not whole.
        """
        count, rest = divmod(len(self.words), _WORD_SIZE)
        if rest or count > MAX_BITFIELD_WORDS:
            raise BadArgument(f"a bitfield has up to {MAX_BITFIELD_WORDS} words of {_WORD_SIZE} bytes")
        return encode_uint(self.start) + encode_uint(count) + self.words


def decode_bitfield(buf: bytes, pos: int, end: int) -> Bitfield:
    """Read a Bitfield."""
    start, pos = get_uint(buf, pos)
    count, pos = get_uint(buf, pos)
    if count > MAX_BITFIELD_WORDS:
        raise DecodingError(f"a bitfield has at most {MAX_BITFIELD_WORDS} words, found {count}")
    stop = pos + _WORD_SIZE * count
    check_end(stop, end)
    return Bitfield(start, buf[pos:stop])


@dataclass(slots=True)
class Range:
    """Blocks that a peer has, or (``drop``) has no more."""

    drop: bool
    start: int
    length: int

    def encode(self) -> bytes:
        """Return the message."""
        if self.length == 1:
            return (b"\x03" if self.drop else b"\x02") + encode_uint(self.start)
        return (b"\x01" if self.drop else b"\x00") + encode_uint(self.start) + encode_uint(self.length)


def decode_range(buf: bytes, pos: int, end: int) -> Range:
    """Read a Range."""
    flags, pos = get_uint(buf, pos)
    start, pos = get_uint(buf, pos)
    length = 1
    if not flags & 2:
        length, pos = get_uint(buf, pos)
    check_end(pos, end)
    return Range(bool(flags & 1), start, length)


@dataclass(slots=True)
class Extension:
    """A message of the application; an empty name means that of the sender's message before it."""

    name: str
    payload: bytes

    def encode(self) -> bytes:
        """Return the message.

        Raises:
            BadArgument: the name is longer than MAX_EXTENSION_NAME.
        """
        name = self.name.encode()
        if len(name) > MAX_EXTENSION_NAME:
            raise BadArgument(f"the name of an extension has at most {MAX_EXTENSION_NAME} bytes")
        return encode_buffer(name) + self.payload


def decode_extension(buf: bytes, pos: int, end: int) -> Extension:
    """Read an Extension; bytes of the name that are not UTF-8 become U+FFFD."""
    size, stop = get_uint(buf, pos)
    if size > MAX_EXTENSION_NAME:
        raise DecodingError(f"the name of an extension has at most {MAX_EXTENSION_NAME} bytes, found {size}")
    check_end(stop + size, end)
    name, stop = get_utf8(buf, pos)
    return Extension(name, buf[stop:end])


def encode_handshake(capability: bytes, seeks: bool = True) -> bytes:
    """Return what a side says when it opens the channel.

    Raises:
        BadArgument: the capability has not 32 bytes.
    """
    if len(capability) != KEY_SIZE:
        raise BadArgument(f"a capability has {KEY_SIZE} bytes, found {len(capability)}")
    return (b"\x01" if seeks else b"\x00") + capability


def decode_handshake(buf: bytes) -> tuple[bytes, bool]:
    """Read what the other side said when it opened the channel: its capability, and whether it knows seeks.

    Raises:
        DecodingError: it is cut off.
    """
    flags, pos = get_uint(buf, 0)
    capability, _ = get_fixed(buf, pos, KEY_SIZE)
    return capability, bool(flags & 1)


def check_end(pos: int, end: int) -> None:
    """Refuse a message that was read up to ``pos`` but ends before: what was read is the next one's.

    Raises:
        DecodingError: it is cut off.
    """
    if pos > end:
        raise DecodingError(f"a message that ends at byte {end} needs the bytes up to {pos}")
