"""Which blocks of a bee nothing needs any more."""

from __future__ import annotations

from collections.abc import Iterator

from hypercore.hyperbee.tree import Tree, TreeNode


def linked_blocks(tree: Tree) -> set[int]:
    """Return the seqs of all blocks that have a node of the tree or the operation of one of its keys.

    Raises:
        BlockNotAvailable, DecodingError: a node cannot be read.
    """
    if tree.root is None:
        return set()
    linked = {tree.root.seq}
    # Blocks from a stranger may lead to one node in many ways; an honest tree has one to each.
    seen: set[tuple[int, int]] = set()
    stack: list[TreeNode] = [tree.load(tree.root)]
    while stack:
        node = stack.pop()
        linked.update(node.seqs)
        for child in node.children:
            place = (child.seq, child.offset)
            if place in seen:
                continue
            seen.add(place)
            linked.add(child.seq)
            is_loaded = child.node is not None
            stack.append(tree.load(child))
            if not is_loaded:
                child.node = None  # the walk is not to hold the whole tree in memory
    return linked


def gaps(linked: set[int], end: int) -> Iterator[tuple[int, int]]:
    """Iterate over the ranges of blocks before ``end`` that are not linked; the header is."""
    start = 1
    for seq in sorted(seq for seq in linked if seq < end):
        if start < seq:
            yield start, seq
        start = seq + 1
    if start < end:
        yield start, end
