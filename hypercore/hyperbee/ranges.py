"""Ranges of keys, and walking over them in order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from hypercore.errors import BlockNotAvailable
from hypercore.hyperbee.tree import MAX_KEYS, Tree, TreeNode


@dataclass(frozen=True, slots=True)
class Range:
    """Keys between two bounds, as stored bytes; None is unbounded. Empty bytes are a bound like any other."""

    lower: bytes | None = None
    lower_included: bool = False
    upper: bytes | None = None
    upper_included: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether the bounds leave no room for any key."""
        if self.lower is None or self.upper is None or self.lower < self.upper:
            return False
        return self.lower > self.upper or not (self.lower_included and self.upper_included)

    def after(self, key: bytes, *, reverse: bool, included: bool = False) -> Range:
        """Return what is left of the range for a walk in that direction behind, or from, ``key``."""
        if reverse:
            return Range(self.lower, self.lower_included, key, included)
        return Range(key, included, self.upper, self.upper_included)

    def first_place(self, keys: list[bytes]) -> int:
        """Return the place of the first of the sorted keys that is not below the range."""
        if self.lower is None:
            return 0
        return bisect_left(keys, self.lower) if self.lower_included else bisect_right(keys, self.lower)

    def end_place(self, keys: list[bytes]) -> int:
        """Return the place behind the last of the sorted keys that is not above the range."""
        if self.upper is None:
            return len(keys)
        return bisect_right(keys, self.upper) if self.upper_included else bisect_left(keys, self.upper)


def walk(tree: Tree, range_: Range, *, reverse: bool = False, limit: int = -1) -> Iterator[tuple[bytes, int]]:
    """Iterate over key and seq of all keys of a range, in key order. The tree must not change meanwhile.

    ``limit``, if it is not negative, says how many the caller is going to take: the hints of a missing block
    do not go further.
    """
    root = tree.root_node()
    if root is None or range_.is_empty:
        return
    # Per node on the way: the node, the next place of it, and the place where the range ends in it. Even
    # places are children, odd ones keys: place 2 * i is child i, 2 * i + 1 is key i.
    stack: list[tuple[TreeNode, int, int]] = []
    node: TreeNode | None = root
    while node is not None or stack:
        if node is not None:
            first, end = range_.first_place(node.keys), range_.end_place(node.keys)
            if not node.children:
                keys, seqs = node.keys[first:end], node.seqs[first:end]
                yield from (
                    zip(reversed(keys), reversed(seqs), strict=True)
                    if reverse
                    else zip(keys, seqs, strict=True)
                )
                node = None
                continue
            stack.append((node, 2 * end, 2 * first) if reverse else (node, 2 * first, 2 * end))
            node = None
        parent, place, last = stack.pop()
        if place != last:
            stack.append((parent, place - 1 if reverse else place + 1, last))
        if place & 1:
            yield parent.keys[place >> 1], parent.seqs[place >> 1]
        else:
            if tree.loaded > Tree.MAX_LOADED:
                tree.trim([parent, *(each for each, _, _ in stack)])
            node = _load(tree, parent, place >> 1, last >> 1, limit)


def _load(tree: Tree, parent: TreeNode, place: int, last: int, limit: int) -> TreeNode:
    """Return a child; where it is missing, the error names those that a walk to ``last`` needs, too."""
    try:
        return tree.load(parent.children[place])
    except BlockNotAvailable as missing:
        places = range(place, last + 1) if place <= last else range(place, last - 1, -1)
        if limit >= 0:
            places = places[: 1 + limit // (MAX_KEYS + 1)]
        missing.add_hints(tree.missing([parent.children[each].seq for each in places]))
        raise
