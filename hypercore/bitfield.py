"""Which blocks of a sparse core are stored: one bit a block, in pages.

Only blocks at and above the contiguous length have their bits here; below it every block is there. A page
covers 32768 blocks in 4096 bytes, bit ``i`` in byte ``i >> 3`` under mask ``1 << (i & 7)``: on disk, do not
change. A page that does not exist is all 0, so what a search costs depends on the pages, not on the length
that somebody claims a core has.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator

PAGE_BYTES = 4096
PAGE_BITS = 8 * PAGE_BYTES

_EMPTY = bytes(PAGE_BYTES)
_FULL = b"\xff" * PAGE_BYTES

ReadPage = Callable[[int], "bytes | None"]


class Bitfield:
    """Bits that are 0 until they are set.

    Args:
        stored: the numbers of the pages that are stored, in ascending order.
        read_page: returns a stored page.
    """

    def __init__(self, stored: Iterable[int] = (), read_page: ReadPage = lambda number: None) -> None:
        self._numbers = list(stored)
        self._read_page = read_page
        self._pages: dict[int, bytearray] = {}
        self._changed: set[int] = set()

    @property
    def has_pages(self) -> bool:
        """Whether any bit was ever set."""
        return bool(self._numbers)

    def get(self, index: int) -> bool:
        """Return a bit."""
        number, place = divmod(index, PAGE_BITS)
        return self._exists(number) and bool(self._page(number)[place >> 3] >> (place & 7) & 1)

    def bits(self, start: int, count: int) -> int:
        """Return ``count`` bits from ``start`` on as a number: whole bytes of one page."""
        number, place = divmod(start, PAGE_BITS)
        if not self._exists(number):
            return 0
        return int.from_bytes(self._page(number)[place >> 3 : (place + count) >> 3], "little")

    def set_range(self, start: int, end: int, value: bool) -> None:
        """Set the bits from ``start`` up to, not including, ``end``."""
        while start < end:
            number = start // PAGE_BITS
            if not value:  # what does not exist is 0 already
                number = self._next_page(number)
                if number < 0 or number * PAGE_BITS >= end:
                    return
            first = max(start - number * PAGE_BITS, 0)
            _set_bits(self._page(number), first, min(end - number * PAGE_BITS, PAGE_BITS), value)
            self._changed.add(number)
            start = (number + 1) * PAGE_BITS

    def replace(self, start: int, data: bytes) -> None:
        """Set the bits from ``start`` on, a multiple of 8, to those of whole bytes."""
        while data:
            number, place = divmod(start, PAGE_BITS)
            piece = data[: (PAGE_BITS - place) >> 3]
            if self._exists(number) or piece.count(0) != len(piece):
                self._page(number)[place >> 3 : (place >> 3) + len(piece)] = piece
                self._changed.add(number)
            data = data[len(piece) :]
            start += 8 * len(piece)

    def forget_pages(self, first: int, last: int) -> list[int]:
        """Forget all bits of the pages from one on up to, not including, another; return which there were."""
        low, high = bisect_left(self._numbers, first), bisect_left(self._numbers, last)
        forgotten = self._numbers[low:high]
        del self._numbers[low:high]
        for number in forgotten:
            self._pages.pop(number, None)
            self._changed.discard(number)
        return forgotten

    def find_set(self, start: int, end: int) -> int:
        """Return the first bit from ``start`` on that is 1, ``end`` if there is none before it."""
        number = start // PAGE_BITS
        while (number := self._next_page(number)) >= 0 and number * PAGE_BITS < end:
            page = self._page(number)
            first = max(start - number * PAGE_BITS, 0)
            found = None if page == _EMPTY else _find_bit(page, first, True)
            if found is not None:
                return min(number * PAGE_BITS + found, end)
            number += 1
        return end

    def find_unset(self, start: int, end: int) -> int:
        """Return the first bit from ``start`` on that is 0, ``end`` if there is none before it."""
        while start < end:
            number, first = divmod(start, PAGE_BITS)
            if not self._exists(number):
                return start
            page = self._page(number)
            found = None if page == _FULL else _find_bit(page, first, False)
            if found is not None:
                return min(number * PAGE_BITS + found, end)
            start = (number + 1) * PAGE_BITS
        return end

    def runs(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Iterate over the ranges of bits that are 1 between two bits, each as first bit and bit behind."""
        while (start := self.find_set(start, end)) < end:
            stop = self.find_unset(start, end)
            yield start, stop
            start = stop

    def take_changed(self) -> list[tuple[int, bytes]]:
        """Return number and bytes of the pages that changed since the last call, to be stored."""
        changed = [(number, bytes(self._pages[number])) for number in sorted(self._changed)]
        self._changed.clear()
        return changed

    def _exists(self, number: int) -> bool:
        place = bisect_left(self._numbers, number)
        return place < len(self._numbers) and self._numbers[place] == number

    def _next_page(self, number: int) -> int:
        """Return the first page that exists from ``number`` on, -1 if there is none."""
        place = bisect_left(self._numbers, number)
        return self._numbers[place] if place < len(self._numbers) else -1

    def _page(self, number: int) -> bytearray:
        page = self._pages.get(number)
        if page is None:
            if self._exists(number):
                stored = self._read_page(number) or b""
            else:
                stored = b""
                insort(self._numbers, number)
            page = self._pages[number] = bytearray(stored[:PAGE_BYTES].ljust(PAGE_BYTES, b"\x00"))
        return page


def _set_bits(page: bytearray, first: int, last: int, value: bool) -> None:
    mask = ((1 << (last - first)) - 1) << (first & 7)
    low, high = first >> 3, (last + 7) >> 3
    bits = int.from_bytes(page[low:high], "little")
    bits = bits | mask if value else bits & ~mask
    page[low:high] = bits.to_bytes(high - low, "little")


def _find_bit(page: bytearray, first: int, value: bool) -> int | None:
    low = first >> 3
    bits = int.from_bytes(page[low:], "little")
    if not value:
        bits ^= (1 << 8 * (PAGE_BYTES - low)) - 1
    bits >>= first & 7
    return first + (bits & -bits).bit_length() - 1 if bits else None
