"""Reading blobs: where each byte is, for blobs in a row of blocks and for those with a map.

An id may come from anybody: what it says is compared with what the core has, and nothing is allocated for it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from hypercore.core import Hypercore
from hypercore.errors import BadArgument, BlockNotAvailable, DecodingError
from hypercore.hyperblobs.ids import BlobId
from hypercore.hyperblobs.maps import MAX_MAP_BLOCKS, Piece, decode_map

# How many blocks an error names, so that they can be fetched together with the one that is missing.
_HINTED_BLOCKS = 64


class BlobReader:
    """A blob as its blocks, read when they are needed.

    Args:
        core: where it is.
        blob: its id.

    Attributes:
        byte_length: of the data.

    Raises:
        BlockNotAvailable: it has a map, and a block of that is not stored here.
        DecodingError: the map is none.
    """

    def __init__(self, core: Hypercore, blob: BlobId) -> None:
        self._core = core
        self._blob = blob
        self._pieces: list[Piece] | None = None
        self._ends: list[int] = []
        if blob.block_map:
            self._pieces = read_map(core, blob)
            self._ends = list(accumulate(size for _, size in self._pieces))
            self.byte_length = self._ends[-1] if self._ends else 0
            self._count = len(self._pieces)
        else:
            self.byte_length = blob.byte_length
            self._count = blob.block_length

    def check(self, start: int, length: int | None) -> int:
        """Return the length of a range that ends with the blob when no length is given.

        Raises:
            BadArgument: the range is not in the blob.
        """
        total = self.byte_length
        rest = total - start if length is None else length
        if start < 0 or rest < 0 or start + rest > total:
            raise BadArgument(f"bytes {start} to {start + rest} are not in a blob of {total} bytes")
        return rest

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        """Iterate over the bytes of a range that was checked, in pieces of at most a block.

        Raises:
            BlockNotAvailable: while iterating, a block is not stored here.
            DecodingError: the blocks have fewer bytes than the blob is said to have.
        """
        if not length:
            return
        number, skip = self.find(start)
        while length:
            block = self.block(number)
            piece = block[skip : skip + length]
            if piece:
                yield piece
                length -= len(piece)
            number, skip = number + 1, 0

    def find(self, position: int) -> tuple[int, int]:
        """Return which block of the blob has a byte, counted from 0, and where in it the byte is.

        Raises:
            BlockNotAvailable: a tree node that shows it is not stored here.
            DecodingError: the core has that byte elsewhere.
        """
        if position == 0:
            return 0, 0
        if self._pieces is not None:
            number = bisect_right(self._ends, position)
            return number, position - (self._ends[number - 1] if number else 0)
        blob = self._blob
        offset = blob.byte_offset + position
        if offset > self._core.byte_length:
            last = blob.block_offset + blob.block_length - 1
            if last < self._core.length:
                # No block that could come would help: whoever waits for one would ask again for ever.
                raise DecodingError(f"byte {position} of {self._name} is behind the end of the core")
            raise BlockNotAvailable(last, length=self._core.length, key=self._core.key)
        index, skip = self._core.seek(offset)
        number = index - blob.block_offset
        if not 0 <= number < blob.block_length:
            raise DecodingError(f"byte {position} of {self._name} is in block {index}")
        return number, skip

    def block(self, number: int) -> bytes:
        """Return a block of the blob, counted from 0.

        Raises:
            BlockNotAvailable: it is not stored here.
            DecodingError: the blob has no such block, or another one than its map says.
        """
        if number >= self._count:
            raise DecodingError(f"{self._name} has fewer bytes than it says, {self.byte_length}")
        try:
            if self._pieces is None:
                return self._core.get(self._blob.block_offset + number)
            index, size = self._pieces[number]
            block = self._core.get(index)
        except BlockNotAvailable as missing:
            missing.add_hints(self._missing(number))
            raise
        if len(block) != size:
            raise DecodingError(f"block {index} of {self._name} has {len(block)} bytes, its map says {size}")
        return block

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Iterate over the ranges of blocks of the core that hold the data or the map, in ascending order."""
        blob = self._blob
        own = blob.block_offset, blob.block_offset + blob.block_length
        pieces = {(index, index + 1) for index, _ in self._pieces or ()}
        yield from sorted(pieces | {own})

    def data_blocks(self) -> Iterator[tuple[int, bytes]]:
        """Iterate over the blocks with the data, each with its index in the core."""
        for number in range(self._count):
            index = self._blob.block_offset + number if self._pieces is None else self._pieces[number][0]
            yield index, self.block(number)

    def _missing(self, number: int) -> list[int]:
        """Return which of the next blocks are not stored here."""
        end = min(number + _HINTED_BLOCKS, self._count)
        if self._pieces is None:
            wanted = [self._blob.block_offset + each for each in range(number, end)]
        else:
            wanted = [index for index, _ in self._pieces[number:end]]
        return [index for index in wanted if not self._core.has(index)]

    @property
    def _name(self) -> str:
        return f"the blob at block {self._blob.block_offset}"


def read_map(core: Hypercore, blob: BlobId) -> list[Piece]:
    """Return the pieces of a blob that has a map.

    Raises:
        BlockNotAvailable: a block of the map is not stored here.
        DecodingError: it is not a map.
    """
    if blob.block_length > MAX_MAP_BLOCKS:
        raise DecodingError(f"a block map has at most {MAX_MAP_BLOCKS} blocks, found {blob.block_length}")
    indexes = range(blob.block_offset, blob.block_offset + blob.block_length)
    try:
        return decode_map([core.get(index) for index in indexes])
    except DecodingError as error:
        raise DecodingError(f"the block map at block {blob.block_offset}: {error}") from None
    except BlockNotAvailable as missing:
        missing.add_hints(index for index in indexes if not core.has(index))
        raise
