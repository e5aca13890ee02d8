"""Hyperbee: a sorted key-value store on a Hypercore."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from hypercore.codecs import Codec, codec
from hypercore.core import Hypercore
from hypercore.errors import (
    BadArgument,
    BlockNotAvailable,
    Closed,
    DecodingError,
    InvalidOperation,
    NotWritable,
)
from hypercore.hyperbee import blocks
from hypercore.hyperbee.blocks import Metadata
from hypercore.hyperbee.entries import Entry, HistoryEntry
from hypercore.hyperbee.ranges import Range, walk
from hypercore.hyperbee.tree import Child, MayReplace, Tree
from hypercore.hyperbee.writer import Writer

CompareAndSwap = Callable[[Entry, Entry], bool]
"""Decides, given the entry that is there and the one that would replace it, whether that happens."""

_SEPARATOR = b"\x00"

# Above that many loaded nodes (some 60 MB) a tree forgets what it has loaded, between two operations.
_MAX_LOADED_NODES = 65536


class _Source(Protocol):
    """Where a view reads: the newest version, a fixed one, or a batch."""

    @property
    def version(self) -> int: ...

    def tree(self) -> Tree: ...

    def tree_at(self, version: int) -> Tree: ...

    def block(self, seq: int) -> tuple[bytes, bytes | None]: ...


class _Live:
    """The newest version, shared by a bee and its subs; its tree stays in memory between operations."""

    def __init__(self, core: Hypercore, metadata: Metadata | None, *, read_only: bool) -> None:
        self.core = core
        self.metadata = metadata
        self.read_only = read_only
        self.batch_is_open = False
        self._writer: Writer | None = None

    @property
    def version(self) -> int:
        return max(1, self.core.length)

    def writer(self) -> Writer:
        """Return the writer on the tree of the newest version."""
        writer = self._writer
        core = self.core
        if writer is None or not writer.continues(core.length, core.fork):
            writer = self._writer = Writer(self.tree_at(core.length), core.length, core.fork)
        elif writer.tree.loaded > _MAX_LOADED_NODES:
            writer.tree.shrink()
        return writer

    def tree(self) -> Tree:
        return self.writer().tree

    def tree_at(self, version: int) -> Tree:
        return Tree(self.core.get, Child(version - 1, 0) if version > 1 else None)

    def block(self, seq: int) -> tuple[bytes, bytes | None]:
        try:
            _, key, value = blocks.decode_block(self.core.get(seq))
        except DecodingError as error:
            raise DecodingError(f"block {seq}: {error}") from None
        return key, value

    def writer_for_change(self) -> Writer:
        """Return the writer, after making sure that the bee may be written and has its header.

        Raises:
            NotWritable: the core or the bee is not writable.
            InvalidOperation: a batch has begun to write.
        """
        if self.read_only:
            raise NotWritable("this Hyperbee was opened as read-only")
        if self.batch_is_open:
            raise InvalidOperation("a batch of this Hyperbee has begun to write: flush or close it first")
        core = self.core
        if not core.length:
            if not core.writable:
                raise NotWritable(f"core {core.id} cannot be written: its secret key is not here")
            core.append(blocks.encode_header(self.metadata))
        return self.writer()

    def take_writer(self) -> Writer:
        """Return the writer for a batch: what reads the newest version meanwhile loads a tree of its own."""
        writer = self.writer_for_change()
        self._writer = None
        self.batch_is_open = True
        writer.tree.keep_marks = True
        return writer

    def give_back(self, writer: Writer | None) -> None:
        """End a batch; its writer, if everything was stored, goes on as that of the newest version."""
        self.batch_is_open = False
        if writer is not None and not writer.tree.has_stale_marks:
            writer.tree.keep_marks = False
            self._writer = writer

    def store(self, writer: Writer) -> None:
        """Append what a writer has pending, in one commit."""
        if (self.core.length, self.core.fork) != (writer.start, writer.fork):
            raise InvalidOperation("the core was changed by somebody else since the batch began to write")
        try:
            self.core.append(writer.take_blocks())
        except BaseException:
            self._writer = None
            raise


class _Fixed:
    """A version that does not change any more."""

    def __init__(self, live: _Live, version: int) -> None:
        self.version = version
        self._live = live
        self._tree = live.tree_at(version)

    def tree(self) -> Tree:
        if self._tree.loaded > _MAX_LOADED_NODES:
            self._tree.shrink()
        return self._tree

    def tree_at(self, version: int) -> Tree:
        return self._live.tree_at(version)

    def block(self, seq: int) -> tuple[bytes, bytes | None]:
        return self._live.block(seq)


class _InBatch:
    """The newest version and what a batch has pending on top of it."""

    def __init__(self, live: _Live) -> None:
        self._live = live
        self.writer: Writer | None = None

    @property
    def version(self) -> int:
        return self._live.version if self.writer is None else max(1, self.writer.next_seq)

    def tree(self) -> Tree:
        return self._live.tree() if self.writer is None else self.writer.tree

    def tree_at(self, version: int) -> Tree:
        raise InvalidOperation("the batch was written to while it was iterated over")

    def block(self, seq: int) -> tuple[bytes, bytes | None]:
        writer = self.writer
        if writer is None or seq < writer.start:
            return self._live.block(seq)
        pending = writer.pending[seq - writer.start]
        return pending.key, pending.value

    def writer_for_change(self) -> Writer:
        if self.writer is None:
            self.writer = self._live.take_writer()
        return self.writer


class _View:
    """Reading, the same for a bee, a sub, a checkout and a batch: encodings and a prefix over a source."""

    def __init__(self, source: _Source, keys: Codec, values: Codec, prefix: bytes) -> None:
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
        source = self._source
        seq = source.tree().find(self._encode_key(key))
        return None if seq is None else self._entry(seq, *source.block(seq))

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
        return self._entry(seq, *self._source.block(seq))

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

        ``gt`` wins over ``gte``, ``lt`` over ``lte``; None is no bound, an empty key is one.

        Raises:
            BlockNotAvailable: while iterating, a block is not stored here.
            InvalidOperation: while iterating over a batch, the batch was written to.
        """
        return self._items(self._range(gt, gte, lt, lte), reverse, -1 if limit is None else limit)

    def peek(self, **bounds: Any) -> Entry | None:
        """Return the first entry that ``items`` with the same arguments gives, None if there is none."""
        return next(self.items(**bounds), None)

    def __iter__(self) -> Iterator[Entry]:
        return self.items()

    def _items(self, range_: Range, reverse: bool, limit: int) -> Iterator[Entry]:
        if limit == 0:
            return
        source = self._source
        version, tree = source.version, source.tree()
        writes = tree.writes
        rest: Iterator[tuple[bytes, int]] | None = walk(tree, range_, reverse=reverse)
        while rest is not None:
            found, rest = rest, None
            for key, seq in found:
                yield self._entry(seq, key, source.block(seq)[1])
                limit -= 1
                if limit == 0:
                    return
                if tree.writes != writes:
                    # Somebody wrote: go on behind this key, in a tree of the version that the iteration began
                    # with.
                    tree = source.tree_at(version)
                    writes = tree.writes
                    range_ = range_.after(key, reverse=reverse)
                    rest = walk(tree, range_, reverse=reverse)
                    break

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
        lower, lower_included = (gte, True) if gt is None else (gt, False)
        upper, upper_included = (lte, True) if lt is None else (lt, False)
        return Range(
            (self._prefix or None) if lower is None else self._encode_key(lower),
            lower is None or lower_included,
            _behind(self._prefix) if upper is None else self._encode_key(upper),
            upper is not None and upper_included,
        )

    def _put(self, writer: Writer, key: Any, value: Any, cas: CompareAndSwap | None, *, always: bool) -> bool:
        raw_key, raw_value = self._encode_key(key), self._encode_value(value)
        may_replace: MayReplace | None = None
        if cas is not None or not always:

            def may_replace(seq: int) -> bool:
                stored_key, stored = self._source.block(seq)
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
                return cas(self._entry(seq, *self._source.block(seq)), Entry(writer.next_seq, key, None))

        return writer.delete(self._encode_key(key), may_delete)


class Hyperbee(_View):
    """A sorted key-value store; every put and delete is one block of the core.

    A sub, a checkout and a snapshot are Hyperbees, too. It is a context manager: the bee itself closes its
    core.

    Args:
        core: the log. A bee on a core that is not a Hyperbee gives DecodingErrors.
        key_encoding: "binary", "utf-8", "json", ... or a codec; keys are sorted by their bytes.
        value_encoding: the same for values.
        metadata: what the header of a new bee carries.
        always_duplicate: whether putting the value that is there already writes a block; in a sub it always
            does, as in the reference.
        read_only: refuse to write, also where the core could be written.
    """

    def __init__(
        self,
        core: Hypercore,
        *,
        key_encoding: str | Codec = "binary",
        value_encoding: str | Codec = "binary",
        metadata: Metadata | None = None,
        always_duplicate: bool = True,
        read_only: bool = False,
    ) -> None:
        self._live = _Live(core, metadata, read_only=read_only)
        self._owns_core = True
        self._always_duplicate = always_duplicate
        super().__init__(self._live, codec(key_encoding), codec(value_encoding), b"")

    @property
    def core(self) -> Hypercore:
        """The log below."""
        return self._live.core

    @property
    def writable(self) -> bool:
        """Whether put and delete work here."""
        return self._source is self._live and not self._live.read_only and self.core.writable

    def put(self, key: Any, value: Any = None, *, cas: CompareAndSwap | None = None) -> bool:
        """Set the value of a key and return whether a block was written.

        Args:
            key: not None; empty is a key like any other.
            value: None is stored as no value.
            cas: asked before an entry is replaced, with that entry and the new one; refusing writes nothing.

        Raises:
            NotWritable: the bee cannot be written.
            InvalidOperation: a batch has begun to write.
            StorageError: nothing was written.
        """
        writer = self._writer()
        return self._put(writer, key, value, cas, always=self._always_duplicate) and self._store(writer)

    def delete(self, key: Any, *, cas: CompareAndSwap | None = None) -> bool:
        """Remove a key and return whether a block was written; a key that is not there writes none.

        Raises:
            As put.
        """
        writer = self._writer()
        return self._delete(writer, key, cas) and self._store(writer)

    def batch(self) -> Batch:
        """Return a batch: its operations are appended in one commit.

        As a context manager it flushes at the end.
        """
        if self._source is not self._live:
            raise NotWritable("a checkout of a Hyperbee can only be read")
        return Batch(
            self._live, self._keys, self._values, self._prefix, always_duplicate=self._always_duplicate
        )

    def sub(
        self,
        prefix: str | bytes,
        *,
        separator: bytes = _SEPARATOR,
        key_encoding: str | Codec | None = None,
        value_encoding: str | Codec | None = None,
    ) -> Hyperbee:
        """Return the part of the bee whose keys begin with a prefix, as a bee that does not show the prefix.

        The encodings default to those of this bee. Core and version are shared; closing a sub does nothing.
        """
        raw = prefix.encode() if isinstance(prefix, str) else prefix
        return self._derive(
            self._source,
            self._keys if key_encoding is None else codec(key_encoding),
            self._values if value_encoding is None else codec(value_encoding),
            self._prefix + raw + separator,
        )

    def checkout(self, version: int) -> Hyperbee:
        """Return the bee as it was at a version, to be read only.

        A version in the middle of a flushed batch is not one that can be read.

        Raises:
            BadArgument: the version is negative.
        """
        if version < 0:
            raise BadArgument(f"a version is not negative, found {version}")
        return self._derive(_Fixed(self._live, max(1, version)), self._keys, self._values, self._prefix)

    def snapshot(self) -> Hyperbee:
        """Return the bee as it is now, to be read only."""
        return self.checkout(self.version)

    def history(
        self,
        *,
        gt: int | None = None,
        gte: int | None = None,
        lt: int | None = None,
        lte: int | None = None,
        reverse: bool = False,
        limit: int | None = None,
    ) -> Iterator[HistoryEntry]:
        """Iterate over the operations in the order they were done, on a sub over those of its keys.

        Bounds are seqs; negative ones count from the end. A put of None in a batch may look like a delete:
        nothing that is stored tells them apart once a later operation of the batch has rewritten its tree
        node.

        Raises:
            BlockNotAvailable: while iterating, a block is not stored here.
        """
        version = self.version
        first = max(
            1, _from_end(1 if gte is None else gte, version) if gt is None else _from_end(gt, version) + 1
        )
        if lt is not None:
            end = _from_end(lt, version)
        else:
            end = version if lte is None else _from_end(lte, version) + 1
        seqs = range(first, min(end, version))
        return self._history(reversed(seqs) if reverse else iter(seqs), -1 if limit is None else limit)

    def _history(self, seqs: Iterator[int], limit: int) -> Iterator[HistoryEntry]:
        for seq in seqs:
            if limit == 0:
                return
            try:
                index, key, value = blocks.decode_block(self.core.get(seq))
                is_delete = value is None and not blocks.holds(index, seq)
            except DecodingError as error:
                raise DecodingError(f"block {seq}: {error}") from None
            if key.startswith(self._prefix):
                entry = self._entry(seq, key, value)
                yield HistoryEntry("del" if is_delete else "put", seq, entry.key, entry.value)
                limit -= 1

    def close(self) -> None:
        """Close the core; a sub, a checkout and a snapshot leave it open."""
        if self._owns_core:
            self.core.close()

    def __enter__(self) -> Hyperbee:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Hyperbee {self.core!r}>"

    def _derive(self, source: _Source, keys: Codec, values: Codec, prefix: bytes) -> Hyperbee:
        bee = Hyperbee.__new__(Hyperbee)
        bee._live = self._live
        bee._owns_core = False
        bee._always_duplicate = True  # as the reference: the option does not pass on to subs
        _View.__init__(bee, source, keys, values, prefix)
        return bee

    def _writer(self) -> Writer:
        if self._source is not self._live:
            raise NotWritable("a checkout of a Hyperbee can only be read")
        return self._live.writer_for_change()

    def _store(self, writer: Writer) -> bool:
        self._live.store(writer)
        return True


class Batch(_View):
    """Operations that are appended together; reads see them at once.

    From the first put or delete until flush or close, the bee cannot be written otherwise. As a context
    manager it flushes at the end, and drops everything when an exception leaves it.
    """

    def __init__(
        self, live: _Live, keys: Codec, values: Codec, prefix: bytes, *, always_duplicate: bool
    ) -> None:
        self._live = live
        self._always_duplicate = always_duplicate
        self._in_batch = _InBatch(live)
        self._ended = False
        super().__init__(self._in_batch, keys, values, prefix)

    def put(self, key: Any, value: Any = None, *, cas: CompareAndSwap | None = None) -> bool:
        """Set the value of a key; return whether the batch has a block for it. See Hyperbee.put."""
        self._check_open()
        return self._put(self._in_batch.writer_for_change(), key, value, cas, always=self._always_duplicate)

    def delete(self, key: Any, *, cas: CompareAndSwap | None = None) -> bool:
        """Remove a key; return whether the batch has a block for it. See Hyperbee.delete."""
        self._check_open()
        return self._delete(self._in_batch.writer_for_change(), key, cas)

    def flush(self) -> None:
        """Append everything in one commit and end the batch.

        Raises:
            StorageError: nothing was appended; the batch is over.
            Closed: the batch is over already.
        """
        self._check_open()
        writer = self._in_batch.writer
        if writer is not None and writer.pending:
            try:
                self._live.store(writer)
            except BaseException:
                self.close()
                raise
        self._end(writer)

    def close(self) -> None:
        """Drop what was not flushed and end the batch. Closing twice is fine."""
        if not self._ended:
            self._end(None)

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and not self._ended:
            self.flush()
        else:
            self.close()

    def _check_open(self) -> None:
        if self._ended:
            raise Closed("the batch is over: it was flushed or closed")

    def _end(self, stored: Writer | None) -> None:
        self._ended = True
        if self._in_batch.writer is not None:
            self._in_batch.writer = None
            self._live.give_back(stored)


def _from_end(seq: int, version: int) -> int:
    return seq + version if seq < 0 else seq


def _behind(prefix: bytes) -> bytes | None:
    """Return the smallest key behind all keys with a prefix, None if there is none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None
