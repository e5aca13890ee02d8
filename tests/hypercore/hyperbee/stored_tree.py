"""An independent reader of stored Hyperbee blocks: slow, literal, and strict about the rules of the tree."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypercore import Hypercore

ReadBlock = Callable[[int], bytes]


@dataclass
class StoredNode:
    keys: list[bytes]
    seqs: list[int]
    children: list["StoredNode"] = field(default_factory=list)


def read_varint(buf: bytes, pos: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (buf[pos] & 127) << shift
        shift += 7
        pos += 1
        if buf[pos - 1] < 128:
            return value, pos


def read_numbers(buf: bytes) -> list[int]:
    numbers, pos = [], 0
    while pos < len(buf):
        number, pos = read_varint(buf, pos)
        numbers.append(number)
    return numbers


def read_fields(buf: bytes) -> list[tuple[int, bytes]]:
    """Return number and bytes of each field of a message; all fields are byte strings."""
    fields, pos = [], 0
    while pos < len(buf):
        tag, pos = read_varint(buf, pos)
        assert tag & 7 == 2, f"a field of kind {tag & 7}"
        size, pos = read_varint(buf, pos)
        assert pos + size <= len(buf), "a field that is cut off"
        fields.append((tag >> 3, buf[pos : pos + size]))
        pos += size
    return fields


def read_node(read_block: ReadBlock, seq: int, offset: int) -> StoredNode:
    """Return a stored tree node with all that is below it."""
    index = dict(read_fields(read_block(seq)))[1]
    level = dict(read_fields([data for number, data in read_fields(index) if number == 1][offset]))
    seqs = read_numbers(level.get(1, b""))
    places = read_numbers(level.get(2, b""))
    keys = [dict(read_fields(read_block(key_seq)))[2] for key_seq in seqs]
    children = [read_node(read_block, *place) for place in zip(places[::2], places[1::2], strict=True)]
    return StoredNode(keys, seqs, children)


def read_tree(core: Hypercore, version: int | None = None) -> StoredNode:
    """Return the tree of a version, by default the newest."""
    version = max(1, core.length) if version is None else version
    return StoredNode([], []) if version == 1 else read_node(core.get, version - 1, 0)


def check_tree(root: StoredNode) -> None:
    """Fail unless the tree keeps the rules: 4 to 8 keys a node but the root, sorted, of equal depth."""
    _check_node(root, 0 if not root.children else 1)
    keys = keys_of(root)
    assert keys == sorted(set(keys))


def keys_of(node: StoredNode) -> list[bytes]:
    """Return all keys in the order of the tree."""
    if not node.children:
        return node.keys
    keys = [*keys_of(node.children[0])]
    for key, child in zip(node.keys, node.children[1:], strict=True):
        keys += [key, *keys_of(child)]
    return keys


def entries_of(core: Hypercore, version: int | None = None) -> dict[bytes, bytes | None]:
    """Return all keys of a version with their values."""
    return dict(_entries(core, read_tree(core, version)))


def _entries(core: Hypercore, node: StoredNode) -> list[tuple[bytes, bytes | None]]:
    entries = [
        (key, dict(read_fields(core.get(seq))).get(3)) for key, seq in zip(node.keys, node.seqs, strict=True)
    ]
    for child in node.children:
        entries += _entries(core, child)
    return entries


def _check_node(node: StoredNode, fewest: int) -> int:
    assert fewest <= len(node.keys) <= 8
    if not node.children:
        return 1
    assert len(node.children) == len(node.keys) + 1
    depths = {_check_node(child, 4) for child in node.children}
    assert len(depths) == 1
    return depths.pop() + 1
