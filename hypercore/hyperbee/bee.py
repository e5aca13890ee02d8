"""Hyperbee: a sorted key-value store on a Hypercore."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from hypercore.codecs import Codec, codec
from hypercore.core import Commit, Hypercore
from hypercore.errors import BadArgument, DecodingError, NotWritable
from hypercore.hyperbee import blocks, extension
from hypercore.hyperbee.batch import Batch
from hypercore.hyperbee.blocks import Metadata
from hypercore.hyperbee.clearing import gaps, linked_blocks
from hypercore.hyperbee.diff import diff
from hypercore.hyperbee.entries import Difference, Entry, HistoryEntry
from hypercore.hyperbee.operations import OperationCache, Operations, ReadBlock
from hypercore.hyperbee.sources import Fixed, Live, Source, tree_of
from hypercore.hyperbee.tree import Tree
from hypercore.hyperbee.views import CompareAndSwap, View
from hypercore.hyperbee.watching import Watcher
from hypercore.hyperbee.writer import Writer

_SEPARATOR = b"\x00"


class Hyperbee(View):
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
        self._live = Live(core, metadata, read_only=read_only)
        self._owns_core = True
        self._always_duplicate = always_duplicate
        super().__init__(self._live, codec(key_encoding), codec(value_encoding), b"")
        core.answer_messages(extension.NAME, self.answer)

    @property
    def core(self) -> Hypercore:
        """The log below."""
        return self._live.core

    @property
    def writable(self) -> bool:
        """Whether put and delete work here."""
        return self._source is self._live and not self._live.read_only and self.core.writable

    def put(
        self,
        key: Any,
        value: Any = None,
        *,
        cas: CompareAndSwap | None = None,
        commit: Commit | None = None,
    ) -> bool:
        """Set the value of a key and return whether a block was written.

        Args:
            key: not None; empty is a key like any other.
            value: None is stored as no value.
            cas: asked before an entry is replaced, with that entry and the new one; refusing writes nothing.
                It may read the bee, but not write to it.
            commit: of ``Corestore.commit``; the entry is stored with it and not seen before. The header of a
                new bee has a commit of its own.

        Raises:
            NotWritable: the bee cannot be written.
            InvalidOperation: a batch has begun to write, or a cas of this bee would.
            StorageError: nothing was written.
        """
        writer = self._writer()
        if not self._put(writer, key, value, cas, always=self._always_duplicate):
            return False
        self._live.store(writer, commit)
        return True

    def delete(self, key: Any, *, cas: CompareAndSwap | None = None) -> bool:
        """Remove a key and return whether a block was written; a key that is not there writes none.

        Raises:
            As put.
        """
        writer = self._writer()
        if not self._delete(writer, key, cas):
            return False
        self._live.store(writer)
        return True

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
        Unlike in the reference, ranges without bounds show all keys of the sub, also the empty one.
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
        fixed = Fixed(self._live, self._source.core, max(1, version))
        return self._derive(fixed, self._keys, self._values, self._prefix)

    def snapshot(self) -> Hyperbee:
        """Return the bee as it is now, to be read only."""
        return self.checkout(self.version)

    def with_encodings(
        self, *, key_encoding: str | Codec | None = None, value_encoding: str | Codec | None = None
    ) -> Hyperbee:
        """Return the same bee, or sub or checkout, with other encodings; None leaves one as it is."""
        return self._derive(
            self._source,
            self._keys if key_encoding is None else codec(key_encoding),
            self._values if value_encoding is None else codec(value_encoding),
            self._prefix,
        )

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

    def diff(
        self,
        other: int | Hyperbee,
        *,
        gt: Any = None,
        gte: Any = None,
        lt: Any = None,
        lte: Any = None,
        limit: int | None = None,
    ) -> Iterator[Difference]:
        """Iterate over the keys that were put or deleted between this version and another, in key order.

        An entry that was put again with the same value differs. What both versions share is not read.

        Args:
            other: a version, or a checkout of the same bee: what is right, where this bee is left.
            gt: a bound of the keys, as for items.
            gte: the same.
            lt: the same.
            lte: the same.
            limit: how many differences to show at most; a negative one is none.

        Raises:
            BadArgument: the other bee is on another core, or the version is negative.
            BlockNotAvailable: while iterating, a block is not stored here.
        """
        if isinstance(other, Hyperbee) and other.core.key != self.core.key:
            raise BadArgument("only versions of the same Hyperbee can be compared")
        right = self.checkout(other) if isinstance(other, int) else other.snapshot()
        left = self.snapshot()
        found = diff(
            left._source.tree(),
            right._source.tree(),
            self._range(gt, gte, lt, lte),
            left._source.core.shared_length(right._source.core),
        )
        differences = (self._difference(left, right, *each) for each in found)
        return differences if limit is None or limit < 0 else islice(differences, limit)

    def _difference(
        self, left: Hyperbee, right: Hyperbee, key: bytes, left_seq: int | None, right_seq: int | None
    ) -> Difference:
        return Difference(
            None if left_seq is None else self._entry(left_seq, key, left._source.operation(left_seq)[1]),
            None if right_seq is None else self._entry(right_seq, key, right._source.operation(right_seq)[1]),
        )

    def watch(self, *, gt: Any = None, gte: Any = None, lt: Any = None, lte: Any = None) -> Watcher[Hyperbee]:
        """Return what tells of changes of a range of keys, as snapshots before and after.

        Also a truncation of the core is one. Unlike in the reference, a sub can be watched, too.

        Raises:
            BadArgument: a checkout does not change.
        """
        bounds = {"gt": gt, "gte": gte, "lt": lt, "lte": lte}

        def differs(current: Hyperbee, previous: Hyperbee) -> bool:
            return (
                current._source.core.fork != previous._source.core.fork
                or next(current.diff(previous, limit=1, **bounds), None) is not None
            )

        self._check_live("watched")
        return Watcher(self.core, self.snapshot, differs)

    def watch_key(self, key: Any) -> Watcher[Entry | None]:
        """Return what tells of changes of the entry of one key: puts, also of the same value, and deletes.

        Raises:
            BadArgument: a checkout does not change.
            BlockNotAvailable: as get.
        """
        self._check_live("watched")
        return Watcher(self.core, lambda: self.get(key), _is_another)

    def clear_unlinked(self, version: int | None = None, *, prune: bool = False) -> None:
        """Forget the blocks that a version and later ones do not need.

        All entries stay, as do all versions from that one on; the history before it goes. What was cleared
        is gone here, not at other peers. ``core.compact()`` then gives the disk space back at once.

        Args:
            version: the oldest that can still be checked out; by default the newest.
            prune: also forget the tree nodes above the cleared blocks; see Hypercore.clear_ranges.

        Raises:
            BadArgument: there is no such version, or it is that of a checkout.
            BlockNotAvailable, DecodingError: its tree cannot be read; nothing was cleared.
            StorageError: only a part was cleared.
        """
        self._check_live("cleared")
        version = self.version if version is None else version
        if not 0 < version <= self.version:
            raise BadArgument(f"a version is between 1 and {self.version}, found {version}")
        linked = linked_blocks(self._live.tree_at(version))
        self.core.clear_ranges(gaps(linked, version - 1), prune=prune)

    def metadata(self) -> Metadata | None:
        """Return what the header carries, None if it carries nothing.

        Raises:
            BlockNotAvailable: the header is not stored here, or not written yet.
            DecodingError: the core is not a Hyperbee.
        """
        return blocks.decode_header(self.core.get(0))

    @staticmethod
    def is_hyperbee(core: Hypercore) -> bool:
        """Return whether a core begins with the header of a Hyperbee.

        Raises:
            BlockNotAvailable: its first block is not stored here.
        """
        try:
            blocks.decode_header(core.get(0))
        except DecodingError:
            return False
        return True

    def answer(self, message: bytes) -> list[bytes]:
        """Answer a message of the extension "hyperbee" from a peer: which blocks its read needs.

        A message that makes no sense has no answer. See hypercore.hyperbee.extension.
        """
        try:
            request = extension.decode(message)
        except DecodingError:
            return []
        if isinstance(request, extension.Cache):
            return []

        def make_tree(read_block: ReadBlock, version: int) -> Tree:
            return tree_of(Operations(read_block, self.core.has, OperationCache()), version)

        answers = extension.answer(request, self.version, self.core.get, make_tree)
        return [each.encode() for each in answers]

    def _history(self, seqs: Iterator[int], limit: int) -> Iterator[HistoryEntry]:
        for seq in seqs:
            if limit == 0:
                return
            try:
                index, key, value = blocks.decode_block(self._source.core.get(seq))
                is_delete = value is None and not blocks.holds(index, seq)
            except DecodingError as error:
                raise DecodingError(f"block {seq}: {error}") from None
            if key.startswith(self._prefix):
                entry = self._entry(seq, key, value)
                yield HistoryEntry("del" if is_delete else "put", seq, entry.key, entry.value)
                limit -= 1

    def close(self) -> None:
        """Close the core; a sub, a checkout and a snapshot leave it open."""
        if self._owns_core or self._source.core is not self.core:
            self._source.core.close()

    def __enter__(self) -> Hyperbee:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Hyperbee {self.core!r}>"

    def _derive(self, source: Source, keys: Codec, values: Codec, prefix: bytes) -> Hyperbee:
        bee = Hyperbee.__new__(Hyperbee)
        bee._live = self._live
        bee._owns_core = False
        bee._always_duplicate = True  # as the reference: the option does not pass on to subs
        View.__init__(bee, source, keys, values, prefix)
        return bee

    def _writer(self) -> Writer:
        if self._source is not self._live:
            raise NotWritable("a checkout of a Hyperbee can only be read")
        return self._live.writer_for_change()

    def _check_live(self, done: str) -> None:
        if self._source is not self._live:
            raise BadArgument(f"a checkout of a Hyperbee cannot be {done}: it does not change")


def _from_end(seq: int, version: int) -> int:
    return seq + version if seq < 0 else seq


def _is_another(current: Entry | None, previous: Entry | None) -> bool:
    return (current and current.seq) != (previous and previous.seq)
