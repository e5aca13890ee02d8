"""Batches: blocks that are collected and appended in one commit, with one signature."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypercore.errors import BadArgument, BlockNotAvailable, Closed, InvalidOperation


class CoreBatch:
    """Blocks to be appended together; reads see them at once.

    As a context manager it flushes at the end, and drops everything when an exception leaves it.

    Args:
        length: of the core, when the batch began.
        read: returns a block of the core.
        append: appends blocks to the core, if it still has the given length; returns the new length.
    """

    def __init__(
        self, length: int, read: Callable[[int], bytes], append: Callable[[Sequence[bytes], int], int]
    ) -> None:
        self._start = length
        self._read = read
        self._append = append
        self._blocks: list[bytes] = []
        self._ended = False

    @property
    def length(self) -> int:
        """The number of blocks the core is going to have."""
        return self._start + len(self._blocks)

    def append(self, blocks: bytes | Sequence[bytes]) -> int:
        """Add a block, or a list of blocks, and return the length the core is going to have.

        Raises:
            BadArgument: something else than bytes.
            Closed: the batch is over.
        """
        self._check_open()
        added = [blocks] if isinstance(blocks, bytes) else list(blocks)
        for block in added:
            if not isinstance(block, bytes):
                raise BadArgument(f"a block is bytes, found {type(block).__name__}")
        self._blocks += added
        return self.length

    def get(self, index: int) -> bytes:
        """Return a block of the core or of the batch.

        Raises:
            BlockNotAvailable: it is in neither.
            BadArgument: the index is negative.
        """
        if index < self._start:
            return self._read(index)
        if index >= self.length:
            raise BlockNotAvailable(index, length=self.length)
        return self._blocks[index - self._start]

    def flush(self) -> int:
        """Append everything in one commit, end the batch, and return the new length of the core.

        Raises:
            InvalidOperation: the core was changed since the batch began; nothing was appended.
            BadArgument, NotWritable, StorageError: as Hypercore.append; nothing was appended.
        """
        self._check_open()
        self._ended = True
        blocks, self._blocks = self._blocks, []
        return self._append(blocks, self._start)

    def close(self) -> None:
        """Drop what was not flushed and end the batch. Closing twice is fine."""
        self._ended = True
        self._blocks = []

    def __enter__(self) -> CoreBatch:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and not self._ended:
            self.flush()
        else:
            self.close()

    def _check_open(self) -> None:
        if self._ended:
            raise Closed("the batch is over: it was flushed or closed")


def check_length(length: int, expected: int) -> None:
    """Refuse to append behind blocks that the batch did not know.

    Raises:
        InvalidOperation: the core has another length.
    """
    if length != expected:
        raise InvalidOperation(f"the core had {expected} blocks when the batch began, now it has {length}")
