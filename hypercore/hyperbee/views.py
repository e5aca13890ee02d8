"""Reading a bee: the same for a bee, a sub, a checkout and a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hypercore.codecs import Codec, RangeCodec
from hypercore.errors import BadArgument, BlockNotAvailable, DecodingError, InvalidOperation
from hypercore.hyperbee import extension
from hypercore.hyperbee.entries import Entry
from hypercore.hyperbee.ranges import Range, walk
from hypercore.hyperbee.sources import Source
from hypercore.hyperbee.tree import MayReplace
from hypercore.hyperbee.writer import Writer

CompareAndSwap = Callable[[Entry, Entry], bool]
"""Decides, given the entry that is there and the one that would replace it, whether that happens."""


class View:
    """Encodings and a prefix over a source."""

    def __init__(self, source: Source, keys: Codec, values: Codec, prefix: bytes) -> None:
        self._source = source
        self._keys = keys
        self._values = values
        self._prefix = prefix

    @property
    def version(self) -> int:
        """The number of operations so far, plus one: a bee without any has version 1."""
        return self._source.version

    def get(self, key: Any) -> Entry | None:
        """Return the entry of a key, None if there is none.

        Raises:
            BlockNotAvailable: a block on the way is not stored here.
            DecodingError: a block is not one of a Hyperbee.
        """
        raw = self._encode_key(key)
        found = self._find(raw)
        return None if found is None else self._entry(found[0], raw, found[1])

    def get_encoded(self, key: Any) -> tuple[int, bytes | None] | None:
        """Return seq and value of the entry of a key, the value as it is stored; None if there is none.

        Raises:
            As get.
        """
        return self._find(self._encode_key(key))

    def get_by_seq(self, seq: int) -> Entry:
        """Return key and value of the operation in a block, whatever became of the key later.

        Raises:
            BlockNotAvailable: the block is not stored here, or behind the version.
            BadArgument: block 0, the header, and negative numbers.
        """
        if seq < 1:
            raise BadArgument(f"operations start at seq 1, found {seq}")
        if seq >= self.version:
            raise BlockNotAvailable(seq, length=self.version)
        return self._entry(seq, *self._source.operation(seq))

    def items(
        self,
        *,
        gt: Any = None,
        gte: Any = None,
        lt: Any = None,
        lte: Any = None,
        reverse: bool = False,
        limit: int | None = None,
    ) -> Iterator[Entry]:
        """Iterate over the entries between bounds in key order, as they are when the iteration begins.

        ``gt`` wins over ``gte``, ``lt`` over ``lte``; None is no bound, an empty key is one. A negative limit
        is none.

        Raises:
            BlockNotAvailable: while iterating, a block is not stored here.
            InvalidOperation: while iterating over a batch, the batch was written to.
        """
        return self._items(self._range(gt, gte, lt, lte), reverse, -1 if limit is None else limit)

    def peek(self, **bounds: Any) -> Entry | None:
        """Return the first entry that ``items`` with the same arguments gives, None if there is none."""
        return next(self.items(**{"limit": 1, **bounds}), None)

    def __iter__(self) -> Iterator[Entry]:
        return self.items()

    def _find(self, raw: bytes) -> tuple[int, bytes | None] | None:
        source = self._source
        try:
            seq = source.tree().find(raw)
            return None if seq is None else (seq, source.operation(seq)[1])
        except BlockNotAvailable as missing:
            missing.request = extension.NAME, extension.Get(source.version, raw).encode()
            raise

    def _items(self, range_: Range, reverse: bool, limit: int) -> Iterator[Entry]:
        if limit == 0:
            return
        source = self._source
        version, fork, tree = source.version, source.core.fork, source.tree()
        writes = tree.writes
        last: bytes | None = None
        rest: Iterator[tuple[bytes, int]] | None = walk(tree, range_, reverse=reverse, limit=limit)
        try:
            while rest is not None:
                found, rest = rest, None
                for key, seq in found:
                    yield self._entry(seq, key, source.operation(seq)[1])
                    last = key
                    limit -= 1
                    if limit == 0:
                        return
                    if source.core.fork != fork:
                        raise InvalidOperation("the core was truncated while it was iterated over")
                    if tree.writes != writes:
                        # Somebody wrote: go on behind this key, in a tree of the version that the iteration
                        # began with.
                        tree = source.tree_at(version)
                        writes = tree.writes
                        left = range_.after(key, reverse=reverse)
                        rest = walk(tree, left, reverse=reverse, limit=limit)
                        break
        except BlockNotAvailable as missing:
            left = range_ if last is None else range_.after(last, reverse=reverse)
            request = extension.Iterate(version, left, max(limit, 0), reverse)
            missing.request = extension.NAME, request.encode()
            raise

    def _entry(self, seq: int, key: bytes, value: bytes | None) -> Entry:
        try:
            decoded = self._keys.decode(key[len(self._prefix) :])
            return Entry(seq, decoded, None if value is None else self._values.decode(value))
        except DecodingError as error:
            raise DecodingError(f"block {seq}: {error}") from None

    def _encode_key(self, key: Any) -> bytes:
        if key is None:
            raise BadArgument("a key is needed, found None")
        return self._prefix + self._keys.encode(key)

    def _encode_value(self, value: Any) -> bytes | None:
        return None if value is None else self._values.encode(value)

    def _range(self, gt: Any, gte: Any, lt: Any, lte: Any) -> Range:
        bounds = {"gt": gt, "gte": gte, "lt": lt, "lte": lte}
        if isinstance(self._keys, RangeCodec):
            encoded = self._keys.encode_range(bounds)
        else:
            encoded = {name: self._keys.encode(key) for name, key in bounds.items() if key is not None}
        lower, lower_included = encoded.get("gt"), False
        if lower is None:
            lower, lower_included = encoded.get("gte"), True
        upper, upper_included = encoded.get("lt"), False
        if upper is None:
            upper, upper_included = encoded.get("lte"), True
        prefix = self._prefix
        return Range(
            (prefix or None) if lower is None else prefix + lower,
            lower_included,
            _behind(prefix) if upper is None else prefix + upper,
            upper is not None and upper_included,
        )

    def _put(self, writer: Writer, key: Any, value: Any, cas: CompareAndSwap | None, *, always: bool) -> bool:
        raw_key, raw_value = self._encode_key(key), self._encode_value(value)
        may_replace: MayReplace | None = None
        if cas is not None or not always:

            def may_replace(seq: int) -> bool:
                stored_key, stored = self._source.operation(seq)
                if cas is not None and not cas(
                    self._entry(seq, stored_key, stored), Entry(writer.next_seq, key, value)
                ):
                    return False
                return always or stored != raw_value

        return writer.put(raw_key, raw_value, may_replace)

    def _delete(self, writer: Writer, key: Any, cas: CompareAndSwap | None) -> bool:
        may_delete: MayReplace | None = None
        if cas is not None:

            def may_delete(seq: int) -> bool:
                return cas(self._entry(seq, *self._source.operation(seq)), Entry(writer.next_seq, key, None))

        return writer.delete(self._encode_key(key), may_delete)


def _behind(prefix: bytes) -> bytes | None:
    """Return the smallest key behind all keys with a prefix, None if there is none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None
