"""Reading the operations of a bee: the key and value of a block, remembered within bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypercore.errors import BlockNotAvailable, DecodingError
from hypercore.hyperbee import blocks

ReadBlock = Callable[[int], bytes]
HasBlock = Callable[[int], bool]
KeyAndValue = tuple[bytes, "bytes | None"]

# What an operation takes in memory beside the bytes of its key and value.
_OVERHEAD_BYTES = 250
_GENERATION_BYTES = 16 << 20


class OperationCache:
    """Operations of one fork of a core, by seq: at least the last 16 MiB that were used, at most twice that.

    Operations do not change; so a bee, its subs and its checkouts can share what they know.
    """

    __slots__ = ("_old", "_room", "_young")

    def __init__(self) -> None:
        # Two generations: what of the old one is not used until the young one is full is forgotten.
        self._young: dict[int, KeyAndValue] = {}
        self._old: dict[int, KeyAndValue] = {}
        self._room = _GENERATION_BYTES

    def get(self, seq: int) -> KeyAndValue | None:
        """Return an operation, None if it is not remembered."""
        found = self._young.get(seq)
        if found is None:
            found = self._old.get(seq)
            if found is not None:
                self.put(seq, found)
        return found

    def put(self, seq: int, operation: KeyAndValue) -> None:
        """Remember an operation."""
        key, value = operation
        self._room -= len(key) + len(value or b"") + _OVERHEAD_BYTES
        if self._room < 0:
            self._old, self._young = self._young, {}
            self._room = _GENERATION_BYTES
        self._young[seq] = operation


class Operations:
    """The operations in the blocks of a core.

    Args:
        read_block: returns a block; may raise BlockNotAvailable.
        has_block: whether a block is stored.
        cache: of the same fork.
    """

    __slots__ = ("_cache", "_has_block", "_read_block")

    def __init__(self, read_block: ReadBlock, has_block: HasBlock, cache: OperationCache) -> None:
        self._read_block = read_block
        self._has_block = has_block
        self._cache = cache

    def share(self, cache: OperationCache) -> None:
        """Use another cache from now on."""
        self._cache = cache

    def get(self, seq: int) -> KeyAndValue:
        """Return key and value of an operation.

        Raises:
            BlockNotAvailable: its block is not stored here.
            DecodingError: it is not the block of an operation.
        """
        return self._cache.get(seq) or self.decode(seq)[1]

    def decode(self, seq: int) -> tuple[bytes, KeyAndValue]:
        """Return the index of the tree nodes that an operation wrote, and its key and value.

        Raises:
            As get.
        """
        try:
            index, key, value = blocks.decode_block(self._read_block(seq))
        except DecodingError as error:
            raise DecodingError(f"block {seq}: {error}") from None
        operation = key, value
        self._cache.put(seq, operation)
        return index, operation

    def keys(self, seqs: Sequence[int]) -> list[bytes]:
        """Return the keys of several operations; an error's hints name all of their missing blocks.

        Raises:
            As get.
        """
        get = self.get
        try:
            return [get(seq)[0] for seq in seqs]
        except BlockNotAvailable as missing:
            missing.add_hints(self.missing(seqs))
            raise

    def missing(self, seqs: Sequence[int]) -> list[int]:
        """Return those of the blocks that are not stored here."""
        return [seq for seq in seqs if not self._has_block(seq)]
