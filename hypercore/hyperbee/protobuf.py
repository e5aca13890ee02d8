"""The subset of protobuf that Hyperbee uses: fields of bytes and of numbers, and packed lists of numbers.

    message = field*
    field   = uv tag, uv number                 tag = 8 * field number
            | uv tag, uv length, bytes          tag = 8 * field number + 2

uv is an unsigned LEB128 number. Fields of other kinds are skipped.
"""

from __future__ import annotations

from collections.abc import Iterable

from hypercore.encoding import MAX_UINT
from hypercore.errors import DecodingError

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


def encode_bytes(number: int, data: bytes) -> bytes:
    """Return a field of bytes."""
    return encode_varint(number << 3 | 2) + encode_varint(len(data)) + data


def encode_number(number: int, value: int) -> bytes:
    """Return a field that is a number."""
    return encode_varint(number << 3) + encode_varint(value)


def encode_numbers(values: Iterable[int]) -> bytes:
    """Return a packed list of numbers, the bytes of a field."""
    out = bytearray()
    for n in values:  # encode_varint, without the calls
        while n >= 0x80:
            out.append(n & 0x7F | 0x80)
            n >>= 7
        out.append(n)
    return bytes(out)


def get_numbers(packed: bytes) -> list[int]:
    """Return the numbers of a packed list."""
    if packed.isascii():  # every number is below 128: the bytes are the numbers
        return list(packed)
    numbers = []
    pos = 0
    while pos < len(packed):
        n, pos = get_varint(packed, pos)
        numbers.append(n)
    return numbers


def get_fields(buf: bytes) -> dict[int, int | bytes]:
    """Return the fields of a message by number; of one that is there twice, the last.

    Raises:
        DecodingError: it is cut off, or has a field of an unknown kind.
    """
    fields = {}
    pos = 0
    while pos < len(buf):
        number, value, pos = get_field(buf, pos)
        if value is not None:
            fields[number] = value
    return fields


def get_byte_fields(buf: bytes) -> dict[int, bytes]:
    """Return only the fields of bytes.

    Raises:
        As get_fields.
    """
    return {number: value for number, value in get_fields(buf).items() if isinstance(value, bytes)}


def get_field(buf: bytes, pos: int) -> tuple[int, int | bytes | None, int]:
    """Return number, value and end of a field; None is a value of a kind that nobody uses.

    Raises:
        As get_fields.
    """
    tag, pos = get_varint(buf, pos)
    kind = tag & 7
    if kind == 0:
        value, pos = get_varint(buf, pos)
        return tag >> 3, value, pos
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
    return 0, None, pos
