"""Walking over everything that is stored of a core, to say what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hypercore import crypto, flat_tree
from hypercore.core.state import CoreState
from hypercore.encoding import decode_index
from hypercore.errors import DecodingError, StorageCorrupt
from hypercore.merkle import Node, get_node

Progress = Callable[[int], None]
"""Called now and then with the number of blocks that were checked since the last call."""

_STEP = 1000


def audit_core(core: CoreState, progress: Progress = lambda blocks: None) -> Iterator[str]:
    """Iterate over what is wrong with a core, one sentence each; nothing when all is well.

    Every stored block is hashed and compared with its tree node, every tree node with its children, the roots
    with the signature, and what is said to be stored with what is. Nothing is changed, and memory does not
    grow with the core.

    Raises:
        StorageError: the storage cannot be read; the message names it.
    """
    if not core.verify():
        yield f"the signature does not hold for the tree of {core.tree.length} blocks"
    yield from _audit_nodes(core)
    yield from _audit_blocks(core, progress)


def _audit_nodes(core: CoreState) -> Iterator[str]:
    prefix = core.keys.node
    end = 2 * core.tree.length
    for key, value in core.store.items(prefix, prefix + b"\xff"):
        index = decode_index(key, len(prefix))[0]
        try:
            node = get_node(value, 0)[0]
        except DecodingError as error:
            yield f"tree node {index} is damaged: {error}"
            continue
        if node.index != index:
            yield f"tree node {index} says that it is node {node.index}"
        elif flat_tree.spans(index)[1] >= end:
            yield f"tree node {index} is not in a tree of {core.tree.length} blocks"
        elif index & 1:
            yield from _audit_parent(core, node)


def _audit_parent(core: CoreState, node: Node) -> Iterator[str]:
    try:
        left, right = (core.node(child) for child in flat_tree.children(node.index))
    except StorageCorrupt:
        return  # said where it is met itself
    if left is None or right is None:
        return  # what was never received, or was cleared, proves nothing
    size = left.size + right.size
    if node.size != size or node.hash != crypto.parent_hash(size, left.hash, right.hash):
        yield f"tree node {node.index} does not follow from nodes {left.index} and {right.index}"


def _audit_blocks(core: CoreState, progress: Progress) -> Iterator[str]:
    prefix = core.keys.block
    length = core.tree.length
    expected = 0  # the first block that has not been met
    since = 0
    for key, block in core.store.items(prefix, prefix + b"\xff"):
        index = decode_index(key, len(prefix))[0]
        if index >= length:
            yield f"block {index} is behind the end of the core, at {length}"
            continue
        yield from _audit_gap(core, expected, index)
        expected = index + 1
        if not core.has(index, index + 1):
            yield f"block {index} is stored, but said to be missing"
        try:
            node = core.node(2 * index)
        except StorageCorrupt:
            continue  # said where the nodes are met
        if node is None:
            yield f"block {index} is stored, but its tree node is not"
        elif node.size != len(block) or node.hash != crypto.leaf_hash(block):
            yield f"block {index} is not the one that was signed"
        since += 1
        if since == _STEP:
            progress(since)
            since = 0
    yield from _audit_gap(core, expected, length)
    progress(since)


def _audit_gap(core: CoreState, start: int, end: int) -> Iterator[str]:
    """Say which of the blocks between two that are stored should be stored, too."""
    known = max(start, min(core.contiguous_length, end))
    runs = [(start, known)] if start < known else []
    for first, stop in [*runs, *core.bitfield.runs(known, end)]:
        which = f"block {first}" if stop == first + 1 else f"blocks {first} to {stop - 1}"
        yield f"{which} should be stored, but {'is' if stop == first + 1 else 'are'} missing"
