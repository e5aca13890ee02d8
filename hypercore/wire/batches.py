"""Frames of the channels: many messages, of one channel or several, packed into one plaintext.

    frame = uint channel, uint type, payload                one message
          | 00, 00, uint channel, entry*                    a batch
    entry = uint length (> 0), uint type, payload           a message of the channel in force
          | 00, uint channel                                puts another channel in force

Messages of channel 0 are control messages; one of type 0 is a batch, also inside of a batch. An entry that
claims more bytes than there are ends where the frame ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hypercore.encoding import encode_uint, get_uint
from hypercore.errors import DecodingError
from hypercore.wire.secret_stream import MAX_PLAINTEXT

Entry = tuple[int, int, int]
"""Type, start and end of a message's payload within its frame."""

Outgoing = tuple[int, int, int, Sequence[bytes]]
"""Channel, type, size of type and payload, and the pieces of the payload of a message to be sent."""

BATCH = 0

MAX_ENTRIES = 1024
"""So many entries are handed on at once: a frame of 16 MiB may hold eight million."""

_MAX_DEPTH = 8
# What an entry adds to type and payload at most: 00, uint channel (9), uint length (5).
_MAX_HEAD = 15

_SHORT = [encode_uint(n) for n in range(0xFD)]


def split_frame(frame: bytes) -> Iterator[tuple[int, list[Entry]]]:
    """Iterate over the messages of a frame: a channel and consecutive entries of it, MAX_ENTRIES or fewer.

    Raises:
        DecodingError: a number is cut off, or batches are nested too deep.
    """
    end = len(frame)
    channel, pos = get_uint(frame, 0)
    type_, pos = get_uint(frame, pos)
    if channel or type_ != BATCH:
        yield channel, [(type_, pos, end)]
    else:
        yield from _split_batch(frame, pos, end)


def _split_batch(frame: bytes, pos: int, end: int) -> Iterator[tuple[int, list[Entry]]]:
    channel, pos = get_uint(frame, pos)
    # One loop without calls for the usual entry: every message that is received passes through it.
    outer: list[tuple[int, int]] = []  # channels and ends of the batches around this one
    entries: list[Entry] = []
    while True:
        while pos < end:
            size = frame[pos]
            if size <= 0xFC:
                pos += 1
            elif size == 0xFD and pos + 3 <= end:
                size = frame[pos + 1] | frame[pos + 2] << 8
                pos += 3
            else:
                size, pos = get_uint(frame, pos)
            if not size:
                if entries:
                    yield channel, entries
                    entries = []
                channel, pos = get_uint(frame, pos)
                continue
            stop = pos + size
            if stop > end:
                stop = end
            type_, start = get_uint(frame, pos) if pos >= stop or frame[pos] > 0xFC else (frame[pos], pos + 1)
            if start > stop:
                raise DecodingError(f"the entry at byte {pos} of a batch ends within its type")
            if channel or type_ != BATCH:
                entries.append((type_, start, stop))
                pos = stop
                if len(entries) == MAX_ENTRIES:
                    yield channel, entries
                    entries = []
                continue
            # A batch inside of the batch: its entries stand here, then those behind it.
            if entries:
                yield channel, entries
                entries = []
            if len(outer) == _MAX_DEPTH:
                raise DecodingError(f"batches are nested more than {_MAX_DEPTH} deep")
            outer.append((channel, end))
            end = stop
            channel, pos = get_uint(frame, start)
        if pos > end:
            raise DecodingError(f"a number of a batch reaches beyond its end at byte {end}")
        if entries:
            yield channel, entries
            entries = []
        if not outer:
            return
        channel, end = outer.pop()


def pack_frames(queue: Iterable[Outgoing | None], limit: int) -> list[bytes]:
    """Return frames with all messages of the queue in their order; None ends a frame.

    A frame that has reached ``limit`` bytes takes no more; none has more than MAX_PLAINTEXT.
    """
    frames: list[bytes] = []
    pieces: list[bytes] = []
    size = count = channel = 0
    for outgoing in queue:
        if outgoing is None:
            if count:
                frames.append(_join(pieces, channel, count))
                pieces, size, count = [], 0, 0
            continue
        number, type_, length, payload = outgoing
        if count and (size >= limit or size + length + _MAX_HEAD > MAX_PLAINTEXT):
            frames.append(_join(pieces, channel, count))
            pieces, size, count = [], 0, 0
        if not count:
            channel = number
            pieces.append(b"\x00\x00" + encode_uint(number))
            size = len(pieces[0])
        elif number != channel:
            channel = number
            pieces.append(b"\x00" + encode_uint(number))
            size += len(pieces[-1])
        pieces.append(_SHORT[length] if length <= 0xFC else encode_uint(length))
        pieces.append(_SHORT[type_] if type_ <= 0xFC else encode_uint(type_))
        pieces += payload
        size += length + (1 if length <= 0xFC else 5)
        count += 1
    if count:
        frames.append(_join(pieces, channel, count))
    return frames


def _join(pieces: list[bytes], channel: int, count: int) -> bytes:
    if count == 1:
        # No batch: the channel stands alone in front, and the message needs no length.
        pieces[:2] = [encode_uint(channel)]
    return b"".join(pieces)
