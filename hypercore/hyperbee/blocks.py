"""The blocks of a Hyperbee, a small subset of protobuf.

    header = 0a string "hyperbee", [12 metadata]          block 0
    metadata = [0a content feed] [12 user data]
    block  = 0a index, 12 key, [1a value]                 every later block: one put or delete
    index  = (0a level)*                                  the tree nodes that it wrote, the root first
    level  = [0a keys] [12 children]                      one tree node
    keys   = uv seq of the block that holds the key, for each key
    children = uv seq of the block that holds the node, uv its place in the index there, for each child

Every field is: tag, uv length, bytes. uv is an unsigned LEB128 number. On disk and on the wire, do not
renumber.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypercore.encoding import MAX_UINT
from hypercore.errors import DecodingError

PROTOCOL = b"hyperbee"

_FIELD_1 = 0x0A
_FIELD_2 = 0x12
_FIELD_3 = 0x1A

_ONE_BYTE = [bytes((n,)) for n in range(128)]
_MAX_VARINT_BYTES = 8  # 2 ** 53 has 54 bits


def encode_varint(n: int) -> bytes:
    """Return an unsigned LEB128 number."""
    if n < 0x80:
        return _ONE_BYTE[n]
    if n < 0x4000:
        return bytes((n & 0x7F | 0x80, n >> 7))
    if n < 0x200000:
        return bytes((n & 0x7F | 0x80, n >> 7 & 0x7F | 0x80, n >> 14))
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def get_varint(buf: bytes, pos: int) -> tuple[int, int]:
    """Read an unsigned LEB128 number.

    Raises:
        DecodingError: it is cut off or above 2 ** 53 - 1.
    """
    n = shift = 0
    for byte in buf[pos : pos + _MAX_VARINT_BYTES]:
        pos += 1
        n |= (byte & 0x7F) << shift
        if byte < 0x80:
            if n > MAX_UINT:
                break
            return n, pos
        shift += 7
    raise DecodingError(f"the number before byte {pos} is cut off or too large")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a header may carry.

    Attributes:
        content_feed: the key of a core that belongs to the bee, as Hyperdrive uses it.
        user_data: bytes of the application.
    """

    content_feed: bytes | None = None
    user_data: bytes | None = None


def encode_header(metadata: Metadata | None) -> bytes:
    """Return block 0; metadata without content is not the same as none."""
    block = _field(_FIELD_1, PROTOCOL)
    if metadata is None:
        return block
    feed = b"" if metadata.content_feed is None else _field(_FIELD_1, metadata.content_feed)
    data = b"" if metadata.user_data is None else _field(_FIELD_2, metadata.user_data)
    return block + _field(_FIELD_2, feed + data)


def decode_header(block: bytes) -> Metadata | None:
    """Return the metadata of a block 0.

    Raises:
        DecodingError: it is not the header of a Hyperbee.
    """
    fields = _fields(block)
    if fields.get(1) != PROTOCOL:
        raise DecodingError("block 0 is not the header of a Hyperbee")
    if 2 not in fields:
        return None
    metadata = _fields(fields[2])
    return Metadata(metadata.get(1), metadata.get(2))


def encode_block(index: bytes, key: bytes, value: bytes | None) -> bytes:
    """Return the block of one operation; ``value`` is None for a delete, and for a put without a value."""
    head = b"\x0a" + encode_varint(len(index)) + index + b"\x12" + encode_varint(len(key)) + key
    return head if value is None else head + b"\x1a" + encode_varint(len(value)) + value


def decode_block(block: bytes) -> tuple[bytes, bytes, bytes | None]:
    """Return index, key and value of a block.

    Raises:
        DecodingError: it is not a block of a Hyperbee.
    """
    # The usual form, without a loop over fields: all three in order, and nothing behind.
    try:
        if block[0] == _FIELD_1:
            size = block[1]
            pos = 2
            if size >= 0x80:
                size, pos = get_varint(block, 1)
            end = pos + size
            if block[end] == _FIELD_2:
                index = block[pos:end]
                size = block[end + 1]
                pos = end + 2
                if size >= 0x80:
                    size, pos = get_varint(block, end + 1)
                end = pos + size
                total = len(block)
                if end == total:
                    return index, block[pos:], None
                if end < total and block[end] == _FIELD_3:
                    size = block[end + 1]
                    start = end + 2
                    if size >= 0x80:
                        size, start = get_varint(block, end + 1)
                    if start + size == total:
                        return index, block[pos:end], block[start:]
    except IndexError:
        pass
    fields = _fields(block)
    if 1 not in fields or 2 not in fields:
        raise DecodingError("a block of a Hyperbee has an index and a key")
    return fields[1], fields[2], fields.get(3)


def get_level(index: bytes, offset: int) -> bytes:
    """Return the encoded tree node at a place of an index.

    Raises:
        DecodingError: the index has no such place, or is malformed.
    """
    pos = count = 0
    while pos < len(index):
        number, data, pos = _get_field(index, pos)
        if number == 1:
            if count == offset:
                return data
            count += 1
    raise DecodingError(f"tree node {offset} was wanted, there are {count}")


def holds(index: bytes, seq: int) -> bool:
    """Return whether a tree node of the index has the key of block ``seq``."""
    pos = 0
    while pos < len(index):
        number, level, pos = _get_field(index, pos)
        if number == 1 and seq in decode_level(level)[0]:
            return True
    return False


def decode_level(level: bytes) -> tuple[list[int], list[int]]:
    """Return the seqs of the keys, and seq and place of each child in turn.

    Raises:
        DecodingError: the two do not fit together.
    """
    fields = _fields(level)
    keys = _numbers(fields.get(1, b""))
    children = _numbers(fields.get(2, b""))
    if children and len(children) != 2 * len(keys) + 2:
        raise DecodingError(f"a tree node has {len(keys)} keys and {len(children)} numbers for its children")
    return keys, children


def encode_keys(seqs: list[int]) -> bytes:
    """Return the keys field of a level."""
    if not seqs:
        return b""
    packed = b"".join(map(encode_varint, seqs))
    return b"\x0a" + encode_varint(len(packed)) + packed


def encode_children(pieces: list[bytes]) -> bytes:
    """Return the children field of a level, given encode_child of each."""
    packed = b"".join(pieces)
    return b"\x12" + encode_varint(len(packed)) + packed


def encode_child(seq: int, offset: int) -> bytes:
    """Return what one child contributes to its level."""
    return encode_varint(seq) + encode_varint(offset)


def encode_index(level_list: list[bytes]) -> bytes:
    """Return the index of the levels."""
    return b"".join([b"\x0a" + encode_varint(len(level)) + level for level in level_list])


def _field(tag: int, data: bytes) -> bytes:
    return bytes((tag,)) + encode_varint(len(data)) + data


def _numbers(packed: bytes) -> list[int]:
    if packed.isascii():  # every number is below 128: the bytes are the numbers
        return list(packed)
    numbers = []
    pos = 0
    while pos < len(packed):
        n, pos = get_varint(packed, pos)
        numbers.append(n)
    return numbers


def _fields(buf: bytes) -> dict[int, bytes]:
    """Return the byte fields of a message; of one that is there twice, the last."""
    fields = {}
    pos = 0
    while pos < len(buf):
        number, data, pos = _get_field(buf, pos)
        if number:
            fields[number] = data
    return fields


def _get_field(buf: bytes, pos: int) -> tuple[int, bytes, int]:
    """Return number, bytes and end of a field; fields that hold no bytes are skipped, with number 0."""
    tag, pos = get_varint(buf, pos)
    kind = tag & 7
    if kind == 0:
        _, pos = get_varint(buf, pos)
        return 0, b"", pos
    if kind in (1, 5):
        pos += 8 if kind == 1 else 4
    elif kind == 2:
        size, pos = get_varint(buf, pos)
        end = pos + size
        if end <= len(buf):
            return tag >> 3, buf[pos:end], end
        pos = end
    else:
        raise DecodingError(f"a field of kind {kind} is not known, before byte {pos}")
    if pos > len(buf):
        raise DecodingError(f"the field that ends at byte {pos} is cut off, there are {len(buf)} bytes")
    return 0, b"", pos
