"""Groups of 64 blocks: in what portions the blocks of a core are looked at and asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

BLOCKS_PER_GROUP: Final = 64


class Cursor:
    """How far the groups of a download were gone through for one peer; it begins anywhere and wraps around.

    Args:
        first: the first group of the download.
        count: how many groups it has.
        shift: the group that it begins with, counted from the first.
        key: what it depends on; another one needs another cursor.
    """

    __slots__ = ("_count", "_first", "_shift", "key", "step")

    def __init__(self, first: int, count: int, shift: int, key: tuple[int, int]) -> None:
        self._first = first
        self._count = count
        self._shift = shift
        self.key = key
        self.step = 0

    @property
    def group(self) -> int | None:
        """The group to look at; None when it has gone through all."""
        if self.step >= self._count:
            return None
        return self._first + (self.step + self._shift) % self._count

    def skip(self, first_from: Callable[[int, int], int]) -> None:
        """Go on to the next group that holds what is looked for.

        ``first_from`` returns the first group from one on, and before another one, that does; the other one
        if there is none.
        """
        while (group := self.group) is not None:
            end = self._first + (self._count if group >= self._first + self._shift else self._shift)
            found = first_from(group, end)
            self.step += found - group
            if found < end:
                return

    def go_back(self, group: int) -> None:
        """Look again at all groups from one on."""
        if self._shift:
            self.step = 0
        else:
            self.step = min(self.step, max(group - self._first, 0))


def first_subtree(bits: int, limit: int) -> tuple[int, int]:
    """Return place and size of the first perfect subtree, of up to ``limit`` blocks, that is all in ``bits``.

    ``bits`` are those of a group and not 0, ``limit`` is a power of two.
    """
    place = (bits & -bits).bit_length() - 1
    run = bits >> place
    ones = ((run + 1) & ~run).bit_length() - 1
    size = min(limit, 1 << ones.bit_length() - 1)
    return place, min(size, place & -place) if place else size
