"""The messages of the extension "hyperbee": how a peer is asked for all that a read needs, at once.

    payload    = buffer message                                             in hypercore.encoding
    message    = 0a cache | 12 get | 1a iterator                            in hypercore.hyperbee.protobuf
    get        = 08 uv version, 12 key
    iterator   = 08 uv version, [12 gte], [1a gt], [22 lte], [2a lt], 30 uv limit, 38 reverse, [42 checkpoint]
    cache      = 08 uv start, 10 uv end, [1a blocks]
    checkpoint = (uv block of a node, uv its place there, uv position)*     even positions are children
    blocks     = (uv seq)*

Who gets a get or an iterator does that read and answers which blocks it took; a limit of 0 is none. All of
it is only a hint: who ignores a message loses time, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from hypercore.encoding import encode_buffer, get_buffer
from hypercore.errors import BlockNotAvailable, DecodingError
from hypercore.hyperbee import protobuf
from hypercore.hyperbee.operations import ReadBlock
from hypercore.hyperbee.protobuf import encode_bytes, encode_number, encode_numbers, get_byte_fields
from hypercore.hyperbee.ranges import Range, walk
from hypercore.hyperbee.tree import Child, Tree

NAME = "hyperbee"

_BLOCKS_PER_ANSWER = 128
_MAX_BLOCKS = 2048 + _BLOCKS_PER_ANSWER
# Blocks from a stranger may show the same few nodes again and again: the entries need an end of their own.
_MAX_ENTRIES = 20_000

MakeTree = Callable[[ReadBlock, int], Tree]
"""Returns the tree of a version, given how its blocks are read."""


@dataclass(frozen=True, slots=True)
class Get:
    """Asks for the blocks of a search for one key."""

    version: int
    key: bytes

    def encode(self) -> bytes:
        """Return the payload."""
        return encode_buffer(encode_bytes(2, encode_number(1, self.version) + encode_bytes(2, self.key)))


@dataclass(frozen=True, slots=True)
class Iterate:
    """Asks for the blocks of a walk over a range, from a checkpoint on if there is one."""

    version: int
    range: Range
    limit: int = 0
    reverse: bool = False
    checkpoint: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """Return the payload."""
        range_ = self.range
        bounds = (
            (2 if range_.lower_included else 3, range_.lower),
            (4 if range_.upper_included else 5, range_.upper),
        )
        fields = [encode_number(1, self.version)]
        fields += [encode_bytes(number, bound) for number, bound in bounds if bound is not None]
        fields += [encode_number(6, self.limit), encode_number(7, int(self.reverse))]
        if self.checkpoint:
            fields.append(encode_bytes(8, encode_numbers(self.checkpoint)))
        return encode_buffer(encode_bytes(3, b"".join(fields)))


@dataclass(frozen=True, slots=True)
class Cache:
    """Answers with blocks to fetch; all are at least ``start`` and below ``end``."""

    blocks: tuple[int, ...]
    start: int
    end: int

    def encode(self) -> bytes:
        """Return the payload."""
        fields = encode_number(1, self.start) + encode_number(2, self.end)
        if self.blocks:
            fields += encode_bytes(3, encode_numbers(self.blocks))
        return encode_buffer(encode_bytes(1, fields))


Message = Get | Iterate | Cache


def decode(buf: bytes) -> Message:
    """Read a payload.

    Raises:
        DecodingError: it is malformed, or of a kind that is not known.
    """
    for number, content in get_byte_fields(get_buffer(buf, 0)[0]).items():
        if number == 1:
            return _decode_cache(content)
        if number == 2:
            return Get(_number(content, 1), get_byte_fields(content).get(2, b""))
        if number == 3:
            return _decode_iterate(content)
    raise DecodingError("not a message of the extension hyperbee")


def answer(
    message: Get | Iterate, version: int, read_block: ReadBlock, make_tree: MakeTree
) -> Iterator[Cache]:
    """Do a read for a peer and iterate over the answers to it: none if the bee is not that far.

    Args:
        message: what the peer asks for.
        version: the newest of the bee.
        read_block: returns a stored block.
        make_tree: makes a tree that reads blocks with the function it is given.
    """
    if not 0 < message.version <= version:
        return
    visited: dict[int, None] = {}

    def visit(seq: int) -> bytes:
        block = read_block(seq)
        visited[seq] = None
        return block

    try:
        for _ in islice(_read(message, make_tree(visit, message.version)), _MAX_ENTRIES):
            if len(visited) >= _MAX_BLOCKS:
                break
    except (BlockNotAvailable, DecodingError):
        pass  # what was visited until then may still help
    seqs = islice(visited, _MAX_BLOCKS)
    while blocks := tuple(islice(seqs, _BLOCKS_PER_ANSWER)):
        yield Cache(blocks, min(blocks), max(blocks) + 1)


def _read(message: Get | Iterate, tree: Tree) -> Iterable[object]:
    if isinstance(message, Get):
        return (tree.find(message.key),)
    range_ = message.range
    if len(message.checkpoint) >= 3:
        range_ = _rest(tree, range_, message.checkpoint[-3:], reverse=message.reverse)
    found = walk(tree, range_, reverse=message.reverse)
    return islice(found, message.limit) if message.limit else found


def _rest(tree: Tree, range_: Range, checkpoint: tuple[int, ...], *, reverse: bool) -> Range:
    """Return what is left of a range for a walk that stands at a position of a node."""
    seq, offset, position = checkpoint
    keys = tree.load(Child(seq, offset)).keys
    is_key = bool(position & 1)
    # A child is behind the key that the walk has seen before it.
    place = (position >> 1) - (0 if is_key or reverse else 1)
    return range_.after(keys[place], reverse=reverse, included=is_key) if 0 <= place < len(keys) else range_


def _decode_cache(content: bytes) -> Cache:
    blocks = tuple(protobuf.get_numbers(get_byte_fields(content).get(3, b"")))
    return Cache(blocks, _number(content, 1), _number(content, 2))


def _decode_iterate(content: bytes) -> Iterate:
    fields = get_byte_fields(content)
    gt, lt = fields.get(3), fields.get(5)
    lower = fields.get(2) if gt is None else gt
    upper = fields.get(4) if lt is None else lt
    return Iterate(
        _number(content, 1),
        Range(lower, gt is None and lower is not None, upper, lt is None and upper is not None),
        _number(content, 6),
        bool(_number(content, 7)),
        tuple(protobuf.get_numbers(fields.get(8, b""))),
    )


def _number(content: bytes, number: int) -> int:
    value = protobuf.get_fields(content).get(number, 0)
    return value if isinstance(value, int) else 0
