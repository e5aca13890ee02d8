"""Arithmetic of the flat tree: a binary tree whose nodes are numbered in order, leaves on even indexes.

Block ``i`` is leaf ``2 * i``; odd indexes are parents. The depth of a node is the number of trailing 1 bits
of its index, its offset counts the nodes of that depth from the left.
"""

from __future__ import annotations


def index(depth: int, offset: int) -> int:
    """Return the index of the node ``offset`` places from the left at ``depth``."""
    return ((2 * offset + 1) << depth) - 1


def depth(index: int) -> int:
    """Return how many levels above the leaves the node stands."""
    return (~index & (index + 1)).bit_length() - 1


def offset(index: int) -> int:
    """Return how many nodes of the same depth stand left of the node."""
    return (index + 1) >> (depth(index) + 1)


def parent(index: int) -> int:
    """Return the index of the parent."""
    step = ~index & (index + 1)
    # The parent sits one step to the right of a left child and to the left of a right child.
    return index + step if not (index + 1) & (step << 1) else index - step


def sibling(index: int) -> int:
    """Return the index of the other child of the same parent."""
    step = (~index & (index + 1)) << 1
    return index + step if not (index + 1) & step else index - step


def children(index: int) -> tuple[int, int]:
    """Return the indexes of the left and the right child of a parent.

    Raises:
        ValueError: the node is a leaf.
    """
    if not index & 1:
        raise ValueError(f"node {index} is a leaf, it has no children")
    half = (~index & (index + 1)) >> 1
    return index - half, index + half


def spans(index: int) -> tuple[int, int]:
    """Return the indexes of the leftmost and the rightmost leaf below the node, both included."""
    reach = (~index & (index + 1)) - 1
    return index - reach, index + reach


def contains(index: int, other: int) -> bool:
    """Return whether a node is, or is below, the node ``index``."""
    reach = ~index & (index + 1)
    return index - reach < other < index + reach


def leaf_count(index: int) -> int:
    """Return how many leaves are below the node; 1 for a leaf."""
    return ~index & (index + 1)


def full_roots(length: int) -> list[int]:
    """Return the roots, left to right, of the perfect trees that cover the first ``length`` blocks."""
    return cover(0, length)


def cover(start: int, end: int) -> list[int]:
    """Return the roots, left to right, of the largest perfect trees that cover a range of blocks."""
    roots = []
    while start < end:
        size = 1 << (end - start).bit_length() - 1
        if start:
            size = min(size, start & -start)
        roots.append(2 * start + size - 1)
        start += size
    return roots
