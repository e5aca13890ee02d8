"""What differs between two versions of a tree, without walking over what they have in common."""

from __future__ import annotations

from collections.abc import Iterator

from hypercore.hyperbee.ranges import Range
from hypercore.hyperbee.tree import Child, Tree, TreeNode

Difference = tuple[bytes, "int | None", "int | None"]


class _Cursor:
    """Stands on a child or a key of a tree, in key order, or behind the last."""

    def __init__(self, tree: Tree, range_: Range) -> None:
        self._tree = tree
        self._range = range_
        # As in ranges.walk: node, place, and the place behind the range; even places are children. The root
        # is the only child of a node that does not exist.
        self._stack: list[tuple[TreeNode, int, int]] = []
        if tree.root is not None and not range_.is_empty:
            self._stack.append((TreeNode([], [], [tree.root]), 0, 1))

    @property
    def at(self) -> Child | tuple[bytes, int] | None:
        """The child, or the key with its seq, that it stands on; None behind the last."""
        if not self._stack:
            return None
        node, place, _ = self._stack[-1]
        half = place >> 1
        return (node.keys[half], node.seqs[half]) if place & 1 else node.children[half]

    @property
    def following_key(self) -> bytes | None:
        """The first key behind all keys of the child it stands on, None if there is none."""
        for node, place, _ in reversed(self._stack):
            if place >> 1 < len(node.keys):
                return node.keys[place >> 1]
        return None

    def step_over(self) -> None:
        """Go on behind what it stands on."""
        while self._stack:
            node, place, end = self._stack.pop()
            place += 1 if node.children else 2
            if place < end:
                self._stack.append((node, place, end))
                return

    def open(self) -> None:
        """Go to the first place in the child it stands on."""
        parent, place, _ = self._stack[-1]
        if self._tree.loaded > Tree.MAX_LOADED:
            self._tree.trim(node for node, _, _ in self._stack)
        node = self._tree.load(parent.children[place >> 1])
        first, end = self._range.first_place(node.keys), self._range.end_place(node.keys)
        if node.children:
            self._stack.append((node, 2 * first, 2 * end + 1))
        elif first < end:
            self._stack.append((node, 2 * first + 1, 2 * end))
        else:
            self.step_over()


def diff(left: Tree, right: Tree, range_: Range, shared_length: int) -> Iterator[Difference]:
    """Iterate over the keys of a range that are not the same in both trees, in key order.

    Each comes with the seq that it has on the left and on the right, None where it is not.

    Args:
        left: a version of a bee; it must not change meanwhile.
        right: another one.
        range_: of the keys.
        shared_length: how many blocks the cores below them have in common.
    """
    ours, theirs = _Cursor(left, range_), _Cursor(right, range_)
    while True:
        at_left, at_right = ours.at, theirs.at
        if isinstance(at_left, Child) and isinstance(at_right, Child):
            is_same = (at_left.seq, at_left.offset) == (at_right.seq, at_right.offset)
            _pass_children(ours, theirs, is_same=is_same and at_left.seq < shared_length)
        elif isinstance(at_left, Child):
            ours.open()
        elif isinstance(at_right, Child):
            theirs.open()
        elif at_left is None:
            if at_right is None:
                return
            yield at_right[0], None, at_right[1]
            theirs.step_over()
        elif at_right is None or at_left[0] < at_right[0]:
            yield *at_left, None
            ours.step_over()
        elif at_right[0] < at_left[0]:
            yield at_right[0], None, at_right[1]
            theirs.step_over()
        else:
            key, seq = at_left
            if seq != at_right[1] or seq >= shared_length:
                yield key, seq, at_right[1]
            ours.step_over()
            theirs.step_over()


def _pass_children(ours: _Cursor, theirs: _Cursor, *, is_same: bool) -> None:
    """Step over a child that both have, or open the one that reaches further, or both."""
    if is_same:
        ours.step_over()
        theirs.step_over()
        return
    our_end, their_end = ours.following_key, theirs.following_key
    if our_end == their_end:
        ours.open()
        theirs.open()
    elif our_end is None or (their_end is not None and our_end > their_end):
        ours.open()
    else:
        theirs.open()
