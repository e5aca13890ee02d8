"""Turns accepted operations into blocks: the pending blocks of a batch, or of a single put or delete."""

from __future__ import annotations

from hypercore.errors import InvalidOperation
from hypercore.hyperbee import blocks
from hypercore.hyperbee.tree import Child, MayReplace, Tree


class Pending:
    """One operation that is not stored yet: key, value, and the places of the tree nodes it wrote."""

    __slots__ = ("key", "value", "written")

    def __init__(self, key: bytes, value: bytes | None, written: list[Child]) -> None:
        self.key = key
        self.value = value
        self.written = written

    def encode(self) -> bytes:
        """Return the block."""
        levels = [child.node.encode() for child in self.written if child.node is not None]
        return blocks.encode_block(blocks.encode_index(levels), self.key, self.value)


class Writer:
    """Collects operations on a tree.

    Args:
        tree: the tree of the version that the operations start from; it belongs to the writer.
        start: the length of the core, the seq of the first pending block.
        fork: of the core.

    Attributes:
        broken: an operation was interrupted in the middle; the tree is of no use any more.
    """

    __slots__ = ("broken", "fork", "pending", "start", "tree")

    def __init__(self, tree: Tree, start: int, fork: int) -> None:
        self.tree = tree
        self.start = start
        self.fork = fork
        self.pending: list[Pending] = []
        self.broken = False

    @property
    def next_seq(self) -> int:
        """The seq of the next block."""
        return self.start + len(self.pending)

    def continues(self, length: int, fork: int) -> bool:
        """Return whether the writer, with nothing pending, can go on from that length and fork."""
        return self.start == length and self.fork == fork and not self.broken and not self.pending

    def put(self, key: bytes, value: bytes | None, may_replace: MayReplace | None) -> bool:
        """Add or replace a key; return whether there is a block to write."""
        self.check()
        seq = self.next_seq
        try:
            if not self.tree.put(key, seq, may_replace):
                return False
            self.pending.append(Pending(key, value, self.tree.number(seq)))
        except BaseException as error:
            self.broken = not isinstance(error, Exception)
            raise
        return True

    def delete(self, key: bytes, may_delete: MayReplace | None) -> bool:
        """Remove a key; return whether there is a block to write."""
        self.check()
        try:
            if not self.tree.delete(key, may_delete):
                return False
            self.pending.append(Pending(key, None, self.tree.number(self.next_seq)))
        except BaseException as error:
            self.broken = not isinstance(error, Exception)
            raise
        return True

    def take_blocks(self) -> list[bytes]:
        """Return the pending blocks, no longer pending then: the caller appends them in one commit."""
        self.check()
        pending, self.pending = self.pending, []
        encoded = []
        seq = self.start
        last = len(pending) - 1
        for place, operation in enumerate(pending):
            written = operation.written
            if place != last:
                # Only then encode, block by block: parents in later blocks must see where their children
                # went.
                _compact(written, seq)
            encoded.append(operation.encode())
            seq += 1
        self.start = seq
        return encoded

    def check(self) -> None:
        """Make sure that an operation can begin.

        Raises:
            InvalidOperation: another one was interrupted, or has not ended yet.
        """
        if self.broken:
            raise InvalidOperation("an operation of this batch was interrupted; drop the batch")
        if self.tree.is_asking:
            raise InvalidOperation("a cas must not write to the bee that asks it")


def _compact(written: list[Child], seq: int) -> None:
    """Leave only the nodes that no later operation wrote again; holes are filled from the end."""
    place = 0
    is_hole = True  # the root: the block at the end of the batch has a newer one
    while place < len(written):
        if not is_hole and written[place].seq == seq:
            written[place].move(seq, place)
            place += 1
        elif place == len(written) - 1:
            written.pop()
        else:
            written[place] = written.pop()
        is_hole = False
