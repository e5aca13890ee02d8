"""Which blocks a peer has said to have.

What is said costs a peer a few bytes and is believed without proof, so what is remembered of it is bounded:
beyond the bounds what was said first is forgotten.
"""

from __future__ import annotations

from hypercore.bitfield import PAGE_BITS, Bitfield

MAX_PAGES = 1024
"""So many pages of bits are remembered, those that were told of last."""

_MAX_RANGES = 64
# A range of more pages than this is kept as a range: to set their bits takes longer than to ask for it.
_PAGES_PER_RANGE = 4


class RemoteBlocks:
    """The blocks of one peer: a prefix, long ranges, and bits for the rest.

    Attributes:
        prefix: how many blocks from the first on it has all.
    """

    __slots__ = ("_bits", "_pages", "_ranges", "prefix")

    def __init__(self) -> None:
        self.prefix = 0
        self._bits = Bitfield()
        # The numbers of the pages that may exist, those that were told of last behind the others.
        self._pages: dict[int, None] = {}
        self._ranges: list[tuple[int, int]] = []

    def add(self, start: int, end: int) -> None:
        """Take note that it has the blocks from ``start`` up to, not including, ``end``."""
        if start <= self.prefix:
            self.prefix = max(self.prefix, end)
        elif end - start > _PAGES_PER_RANGE * PAGE_BITS:
            self._ranges.append((start, end))
            del self._ranges[:-_MAX_RANGES]
        else:
            self._bits.set_range(start, end, True)
            self._remember(start, end)

    def remove(self, start: int, end: int) -> None:
        """Take note that it has none of a range of blocks."""
        if start < self.prefix:
            if end < self.prefix:
                self._ranges.append((end, self.prefix))
            self.prefix = start
        rest = []
        for first, last in self._ranges:
            rest += [
                (low, high)
                for low, high in ((first, min(last, start)), (max(first, end), last))
                if low < high
            ]
        self._ranges = rest[-_MAX_RANGES:]
        for number in self._bits.forget_pages(-(-start // PAGE_BITS), end // PAGE_BITS):
            del self._pages[number]
        self._bits.set_range(start, end, False)

    def replace(self, start: int, words: bytes) -> None:
        """Take note of a stretch of bits; ``start`` is a multiple of 32, ``words`` are whole words."""
        end = start + 8 * len(words)
        self.remove(start, end)
        self._bits.replace(start, words)
        self._remember(start, end)

    def has(self, start: int, end: int) -> bool:
        """Return whether it has all of a range of blocks."""
        start = max(start, self.prefix)
        while start < end:
            beyond = next((last for first, last in self._ranges if first <= start < last), None)
            if beyond is None:
                beyond = self._bits.find_unset(start, end)
                if beyond == start:
                    return False
            start = beyond
        return True

    def bits(self, start: int, count: int) -> int:
        """Return ``count`` bits from ``start`` on as a number; see Bitfield.bits."""
        bits = (1 << min(max(self.prefix - start, 0), count)) - 1
        if bits == (1 << count) - 1:
            return bits
        for first, last in self._ranges:
            low, high = max(first - start, 0), min(last - start, count)
            if low < high:
                bits |= ((1 << (high - low)) - 1) << low
        return bits | self._bits.bits(start, count)

    def first(self, start: int, end: int) -> int:
        """Return the first block from ``start`` on that it has, ``end`` if there is none before it."""
        if start < self.prefix:
            return min(start, end)
        ranges = [max(first, start) for first, last in self._ranges if start < last]
        return min([self._bits.find_set(start, end), end, *ranges])

    def _remember(self, start: int, end: int) -> None:
        for number in range(start // PAGE_BITS, (end - 1) // PAGE_BITS + 1):
            self._pages.pop(number, None)
            self._pages[number] = None
        while len(self._pages) > MAX_PAGES:
            oldest = next(iter(self._pages))
            del self._pages[oldest]
            self._bits.forget_pages(oldest, oldest + 1)
