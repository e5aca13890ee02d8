"""Block maps: lists of the blocks that make up a blob, so that equal pieces are stored only once.

    map   = uint 0 (version), uint count, piece*        at most 8192 pieces; longer lists take several blocks
    piece = uint block, uint its size in bytes

On disk and on the wire, do not renumber.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hypercore.encoding import encode_uint, get_count, get_uint
from hypercore.errors import BadArgument, DecodingError

Piece = tuple[int, int]
"""A block and its size."""

MAX_MAP_BLOCKS = 64
_MAX_PIECES = 8192
_VERSION = 0
_MIN_PIECE_BYTES = 2


def encode_map(pieces: Sequence[Piece]) -> list[bytes]:
    """Return the blocks of a map.

    Raises:
        BadArgument: it has more pieces than a map can list.
    """
    if len(pieces) > MAX_MAP_BLOCKS * _MAX_PIECES:
        raise BadArgument(f"a block map lists at most {MAX_MAP_BLOCKS * _MAX_PIECES} pieces")
    return [_encode(pieces[start : start + _MAX_PIECES]) for start in range(0, len(pieces), _MAX_PIECES)]


def decode_map(blocks: Iterable[bytes]) -> list[Piece]:
    """Return the pieces that the blocks of a map list; what follows them in a block is ignored.

    Raises:
        DecodingError: it is not a map.
    """
    pieces: list[Piece] = []
    for block in blocks:
        version, pos = get_uint(block, 0)
        if version != _VERSION:
            raise DecodingError(f"version {version} of block maps is not known, {_VERSION} is")
        count, pos = get_count(block, pos, _MIN_PIECE_BYTES)
        if count > _MAX_PIECES:
            # In memory a piece takes far more than its two bytes here.
            raise DecodingError(f"a block of a map lists at most {_MAX_PIECES} pieces, found {count}")
        for _ in range(count):
            index, pos = get_uint(block, pos)
            size, pos = get_uint(block, pos)
            pieces.append((index, size))
    return pieces


def _encode(pieces: Sequence[Piece]) -> bytes:
    numbers = [encode_uint(number) for piece in pieces for number in piece]
    return encode_uint(_VERSION) + encode_uint(len(pieces)) + b"".join(numbers)
