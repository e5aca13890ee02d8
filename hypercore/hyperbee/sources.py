"""Where a bee reads: the newest version, a fixed one, or a batch on top of the newest."""

from __future__ import annotations

from typing import Protocol
from weakref import ref

from hypercore.core import Commit, Hypercore
from hypercore.errors import InvalidOperation, NotWritable
from hypercore.hyperbee import blocks
from hypercore.hyperbee.blocks import Metadata
from hypercore.hyperbee.operations import KeyAndValue, OperationCache, Operations
from hypercore.hyperbee.tree import Child, Tree
from hypercore.hyperbee.writer import Writer


class Source(Protocol):
    """A version of a bee, or one that grows.

    Attributes:
        core: the log as it is for that version.
    """

    @property
    def core(self) -> Hypercore:
        """The log, as far as that version goes."""

    @property
    def version(self) -> int:
        """The number of operations, plus one."""

    def tree(self) -> Tree:
        """Return the tree; it must not be kept until the next operation."""

    def tree_at(self, version: int) -> Tree:
        """Return a new tree of an earlier version."""

    def operation(self, seq: int) -> KeyAndValue:
        """Return the key and value of a block."""


class Live:
    """The newest version, shared by a bee and its subs; its tree stays in memory between operations."""

    def __init__(self, core: Hypercore, metadata: Metadata | None, *, read_only: bool) -> None:
        self.core = core
        self.metadata = metadata
        self.read_only = read_only
        # Which batch has begun to write, or did last. No interrupt leaves the bee locked: the lock is a state
        # of that object, and goes with it.
        self._batch: ref[InBatch] | None = None
        self._writer: Writer | None = None
        self._cache = OperationCache()
        self._cached_fork = core.fork
        self._operations = Operations(core.get, core.has, self._cache)

    @property
    def version(self) -> int:
        """The number of operations, plus one."""
        return max(1, self.core.length)

    def writer(self) -> Writer:
        """Return the writer on the tree of the newest version."""
        writer = self._writer
        core = self.core
        if writer is None or not writer.continues(core.length, core.fork):
            writer = self._writer = Writer(self.tree_at(core.length), core.length, core.fork)
        elif writer.tree.loaded > Tree.MAX_LOADED:
            writer.tree.trim()
        return writer

    def tree(self) -> Tree:
        """Return the tree; see Source."""
        return self.writer().tree

    def tree_at(self, version: int) -> Tree:
        """Return a new tree of an earlier version."""
        return tree_of(self.operations(self.core), version)

    def operation(self, seq: int) -> KeyAndValue:
        """Return the key and value of a block."""
        if self._cached_fork == self.core.fork:
            return self._operations.get(seq)
        return self.operations(self.core).get(seq)

    def operations(self, core: Hypercore) -> Operations:
        """Return the operations of the core, or of a view of it; all of one fork share what they remember."""
        if self._cached_fork != self.core.fork:
            # Whoever still reads through the old ones must not put blocks of this fork into their cache,
            # which checkouts of that fork go on with.
            self._operations.share(OperationCache())
            self._cache = OperationCache()
            self._cached_fork = self.core.fork
            self._operations = Operations(self.core.get, self.core.has, self._cache)
        if core is self.core:
            return self._operations
        cache = self._cache if core.fork == self._cached_fork else OperationCache()
        return Operations(core.get, core.has, cache)

    def writer_for_change(self) -> Writer:
        """Return the writer, after making sure that the bee may be written and has its header.

        Raises:
            NotWritable: the core or the bee is not writable.
            InvalidOperation: a batch has begun to write, or a cas of this bee would.
        """
        if self.read_only:
            raise NotWritable("this Hyperbee was opened as read-only")
        if self._batch is not None and self._has_begun(self._batch()):
            raise InvalidOperation("a batch of this Hyperbee has begun to write: flush or close it first")
        core = self.core
        core.state.settle()
        if not core.writable:
            raise NotWritable(f"core {core.id} cannot be written: its secret key is not here")
        if not core.length:
            core.append(blocks.encode_header(self.metadata))
        writer = self.writer()
        writer.check()
        return writer

    def take_writer(self, batch: InBatch) -> Writer:
        """Return the writer for a batch: what reads the newest version meanwhile loads a tree of its own.

        Nobody else can write as long as the batch has it.
        """
        writer = self.writer_for_change()
        self._writer = None
        writer.tree.keep_marks = True
        self._batch = ref(batch)
        return writer

    @staticmethod
    def _has_begun(batch: InBatch | None) -> bool:
        return batch is not None and batch.writer is not None

    def store(self, writer: Writer, commit: Commit | None = None) -> None:
        """Append what a writer has pending, in the given commit, which is written later, or in its own."""
        if (self.core.length, self.core.fork) != (writer.start, writer.fork):
            raise InvalidOperation("the core was changed by somebody else since the batch began to write")
        # The tree is ahead of the core until the blocks are written. If they never are, it is of no use.
        self._writer = None
        self.core.append(writer.take_blocks(), commit=commit)
        if commit is None:
            self.adopt(writer)
        else:
            commit.when_written(lambda: self.adopt(writer))

    def adopt(self, writer: Writer) -> None:
        """Go on with a writer that has nothing pending, as that of the newest version."""
        if not writer.tree.has_stale_marks:
            writer.tree.keep_marks = False
            self._writer = writer


class Fixed:
    """A version that does not change any more, whatever becomes of the core.

    Args:
        live: of the bee.
        core: where the version is read. One that is still to come is read from the core as it grows, others
            from a snapshot.
        version: at least 1.
    """

    def __init__(self, live: Live, core: Hypercore, version: int) -> None:
        self.version = version
        self.core = core.snapshot() if version <= core.length else core
        self._operations = live.operations(self.core)
        self._tree = self.tree_at(version)

    def tree(self) -> Tree:
        """Return the tree; see Source."""
        if self._tree.loaded > Tree.MAX_LOADED:
            self._tree.trim()
        return self._tree

    def tree_at(self, version: int) -> Tree:
        """Return a new tree of an earlier version."""
        return tree_of(self._operations, version)

    def operation(self, seq: int) -> KeyAndValue:
        """Return the key and value of a block."""
        return self._operations.get(seq)


class InBatch:
    """The newest version and what a batch has pending on top of it."""

    def __init__(self, live: Live) -> None:
        self.core = live.core
        self._live = live
        self.writer: Writer | None = None

    @property
    def version(self) -> int:
        """The number of operations, plus one."""
        return self._live.version if self.writer is None else max(1, self.writer.next_seq)

    def tree(self) -> Tree:
        """Return the tree; see Source."""
        return self._live.tree() if self.writer is None else self.writer.tree

    def tree_at(self, version: int) -> Tree:
        """Return a new tree of an earlier version."""
        raise InvalidOperation("the batch was written to while it was iterated over")

    def operation(self, seq: int) -> KeyAndValue:
        """Return the key and value of a block."""
        writer = self.writer
        if writer is None or seq < writer.start:
            return self._live.operation(seq)
        pending = writer.pending[seq - writer.start]
        return pending.key, pending.value

    def writer_for_change(self) -> Writer:
        """Return the writer of the batch; the first call keeps others from writing."""
        if self.writer is None:
            self.writer = self._live.take_writer(self)
        return self.writer


def tree_of(operations: Operations, version: int) -> Tree:
    """Return a new tree of a version."""
    return Tree(operations, Child(version - 1, 0) if version > 1 else None)
