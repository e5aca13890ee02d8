"""The blocks of a Hyperbee, in hypercore.hyperbee.protobuf.

    header = 0a string "hyperbee", [12 metadata]          block 0
    metadata = [0a content feed] [12 user data]
    block  = 0a index, 12 key, [1a value]                 every later block: one put or delete
    index  = (0a level)*                                  the tree nodes that it wrote, the root first
    level  = [0a keys] [12 children]                      one tree node
    keys   = uv seq of the block that holds the key, for each key
    children = uv seq of the block that holds the node, uv its place in the index there, for each child

On disk and on the wire, do not renumber.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypercore.errors import DecodingError
from hypercore.hyperbee.protobuf import (
    encode_bytes,
    encode_numbers,
    encode_varint,
    get_byte_fields,
    get_field,
    get_numbers,
    get_varint,
)

PROTOCOL = b"hyperbee"

_FIELD_1 = 0x0A
_FIELD_2 = 0x12
_FIELD_3 = 0x1A

# Tag and length of fields 1 and 2 with less than 128 bytes: nearly all that there are in an index.
_SHORT_HEADS_1 = [b"\x0a" + encode_varint(size) for size in range(0x80)]
_SHORT_HEADS_2 = [b"\x12" + encode_varint(size) for size in range(0x80)]


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
    block = encode_bytes(1, PROTOCOL)
    if metadata is None:
        return block
    feed = b"" if metadata.content_feed is None else encode_bytes(1, metadata.content_feed)
    data = b"" if metadata.user_data is None else encode_bytes(2, metadata.user_data)
    return block + encode_bytes(2, feed + data)


def decode_header(block: bytes) -> Metadata | None:
    """Return the metadata of a block 0.

    Raises:
        DecodingError: it is not the header of a Hyperbee.
    """
    fields = get_byte_fields(block)
    if fields.get(1) != PROTOCOL:
        raise DecodingError("block 0 is not the header of a Hyperbee")
    if 2 not in fields:
        return None
    metadata = get_byte_fields(fields[2])
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
    fields = get_byte_fields(block)
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
        number, data, pos = get_field(index, pos)
        if number == 1 and isinstance(data, bytes):
            if count == offset:
                return data
            count += 1
    raise DecodingError(f"tree node {offset} was wanted, there are {count}")


def holds(index: bytes, seq: int) -> bool:
    """Return whether a tree node of the index has the key of block ``seq``."""
    pos = 0
    while pos < len(index):
        number, level, pos = get_field(index, pos)
        if number == 1 and isinstance(level, bytes) and seq in decode_level(level)[0]:
            return True
    return False


def decode_level(level: bytes) -> tuple[list[int], list[int]]:
    """Return the seqs of the keys, and seq and place of each child in turn.

    Raises:
        DecodingError: the two do not fit together.
    """
    fields = get_byte_fields(level)
    keys = get_numbers(fields.get(1, b""))
    children = get_numbers(fields.get(2, b""))
    if children and len(children) != 2 * len(keys) + 2:
        raise DecodingError(f"a tree node has {len(keys)} keys and {len(children)} numbers for its children")
    return keys, children


def encode_keys(seqs: list[int]) -> bytes:
    """Return the keys field of a level."""
    if not seqs:
        return b""
    packed = encode_numbers(seqs)
    size = len(packed)
    return (_SHORT_HEADS_1[size] if size < 0x80 else b"\x0a" + encode_varint(size)) + packed


def encode_children(pieces: list[bytes]) -> bytes:
    """Return the children field of a level, given encode_child of each."""
    packed = b"".join(pieces)
    size = len(packed)
    return (_SHORT_HEADS_2[size] if size < 0x80 else b"\x12" + encode_varint(size)) + packed


def encode_child(seq: int, offset: int) -> bytes:
    """Return what one child contributes to its level."""
    return encode_varint(seq) + encode_varint(offset)


def encode_index(level_list: list[bytes]) -> bytes:
    """Return the index of the levels."""
    parts: list[bytes] = []
    for level in level_list:
        size = len(level)
        parts += (_SHORT_HEADS_1[size] if size < 0x80 else b"\x0a" + encode_varint(size), level)
    return b"".join(parts)
