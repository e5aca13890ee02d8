"""Numbers and byte strings as bytes: compact-encoding (records) and index-encoder (ordered keys).

Writers append to a ``bytearray``; readers take a buffer and a position and return the value and the next
position. Readers raise DecodingError and nothing else, whatever the bytes.

    uint    = n                 n <= 0xfc: one byte
            | fd u16 | fe u32 | ff u64       little-endian
    buffer  = uint length, bytes
    index   = n                 n <= 0xfb: one byte
            | fc u16 | fd u32 | fe u64       big-endian: byte order is number order; ff sorts behind all
    string  = 00, bytes with every 00 as 00 02, 00 01       (in keys)
"""

from __future__ import annotations

from struct import Struct

from hypercore.errors import BadArgument, DecodingError

MAX_UINT = 2**53 - 1
"""The largest number of the formats: the last integer that JavaScript counts exactly."""

INDEX_END = b"\xff"
"""Sorts behind every encoded index: the end of a range of keys."""

_U16 = Struct("<BH").pack
_U32 = Struct("<BI").pack
_U64 = Struct("<BQ").pack
_INDEX16 = Struct(">BH").pack
_INDEX32 = Struct(">BI").pack
_INDEX64 = Struct(">BQ").pack
_ONE_BYTE = [bytes((n,)) for n in range(256)]


def encode_uint(n: int) -> bytes:
    """Return the bytes of an unsigned number.

    Raises:
        BadArgument: the number is negative or above MAX_UINT.
    """
    if n > 0xFC:
        if n <= 0xFFFF:
            return _U16(0xFD, n)
        if n <= 0xFFFFFFFF:
            return _U32(0xFE, n)
        if n <= MAX_UINT:
            return _U64(0xFF, n)
    elif n >= 0:
        return _ONE_BYTE[n]
    raise BadArgument(f"uint must be between 0 and {MAX_UINT}, found {n}")


def encode_uints(first: int, count: int) -> list[bytes]:
    """Return the bytes of consecutive numbers, which one by one take twice as long.

    Raises:
        BadArgument: as encode_uint.
    """
    last = first + count - 1
    if first > 0xFC and last <= 0xFFFF:
        return [_U16(0xFD, n) for n in range(first, last + 1)]
    if first > 0xFFFF and last <= 0xFFFFFFFF:
        return [_U32(0xFE, n) for n in range(first, last + 1)]
    return [encode_uint(n) for n in range(first, last + 1)]


def encode_buffer(data: bytes) -> bytes:
    """Return a byte string with its length in front."""
    return encode_uint(len(data)) + data


def get_uint(buf: bytes, pos: int) -> tuple[int, int]:
    """Read an unsigned number; longer forms than needed are accepted, as the format's other readers do."""
    try:
        first = buf[pos]
        if first <= 0xFC:
            return first, pos + 1
        if first == 0xFD:
            return buf[pos + 1] | buf[pos + 2] << 8, pos + 3
    except IndexError:
        raise DecodingError(f"a number is missing or cut off at byte {pos}") from None
    width = 1 << (first - 0xFC)
    end = pos + 1 + width
    if end > len(buf):
        raise DecodingError(f"the number at byte {pos} is cut off")
    n = int.from_bytes(buf[pos + 1 : end], "little")
    if n > MAX_UINT:
        raise DecodingError(f"the number at byte {pos} is {n}, above {MAX_UINT}")
    return n, end


def get_fixed(buf: bytes, pos: int, size: int) -> tuple[bytes, int]:
    """Read exactly ``size`` bytes."""
    end = pos + size
    if end > len(buf):
        raise DecodingError(f"{size} bytes wanted at byte {pos}, {max(len(buf) - pos, 0)} are left")
    return buf[pos:end], end


def get_buffer(buf: bytes, pos: int) -> tuple[bytes, int]:
    """Read a byte string that has its length in front."""
    size, pos = get_uint(buf, pos)
    return get_fixed(buf, pos, size)


def get_utf8(buf: bytes, pos: int) -> tuple[str, int]:
    """Read a text that has its byte length in front; bytes that are not UTF-8 become U+FFFD."""
    raw, pos = get_buffer(buf, pos)
    return raw.decode("utf-8", "replace"), pos


def get_count(buf: bytes, pos: int, item_size: int) -> tuple[int, int]:
    """Read the count of a list whose items take at least ``item_size`` bytes each.

    A count that the rest of the buffer cannot hold is refused here, before anybody allocates for it.
    """
    count, pos = get_uint(buf, pos)
    if count * item_size > len(buf) - pos:
        raise DecodingError(f"{count} items announced at byte {pos}, {len(buf) - pos} bytes are left")
    return count, pos


def encode_index(n: int) -> bytes:
    """Return the bytes of a number as part of a storage key.

    A number that no index can have sorts behind all of them.

    Raises:
        BadArgument: the number is negative.
    """
    if n > 0xFB:
        if n <= 0xFFFF:
            return _INDEX16(0xFC, n)
        if n <= 0xFFFFFFFF:
            return _INDEX32(0xFD, n)
        return _INDEX64(0xFE, n) if n <= MAX_UINT else INDEX_END
    if n < 0:
        raise BadArgument(f"an index is not negative, found {n}")
    return _ONE_BYTE[n]


def decode_index(buf: bytes, pos: int) -> tuple[int, int]:
    """Read a number that encode_index wrote."""
    if pos >= len(buf):
        raise DecodingError(f"an index is missing at byte {pos}")
    first = buf[pos]
    if first <= 0xFB:
        return first, pos + 1
    if first == 0xFF:
        raise DecodingError(f"an index was wanted at byte {pos}, found the end of a range")
    raw, pos = get_fixed(buf, pos + 1, 2 << (first - 0xFC))
    return int.from_bytes(raw, "big"), pos


def encode_name(name: str) -> bytes:
    """Return the bytes of a name that an application gives.

    Raises:
        BadArgument: it is not text, or has a lone surrogate, for which there is no UTF-8.
    """
    if not isinstance(name, str):
        raise BadArgument(f"a name is text, found {type(name).__name__}")
    try:
        return name.encode()
    except UnicodeEncodeError:
        raise BadArgument(f"a name is text in UTF-8, {name!r} cannot be that") from None


def decode_key_string(buf: bytes, pos: int) -> bytes:
    """Read a byte string that encode_key_string wrote, at the end of a key."""
    return buf[pos + 1 : -2].replace(b"\x00\x02", b"\x00")


def encode_key_string(data: bytes) -> bytes:
    """Return a byte string as part of a storage key, so that no string is a prefix of another."""
    return b"\x00" + data.replace(b"\x00", b"\x00\x02") + b"\x00\x01"
