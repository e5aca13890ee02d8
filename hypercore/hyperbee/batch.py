"""Batches: operations that are appended in one commit."""

from __future__ import annotations

from typing import Any

from hypercore.codecs import Codec
from hypercore.core import Commit
from hypercore.errors import Closed
from hypercore.hyperbee.sources import InBatch, Live
from hypercore.hyperbee.views import CompareAndSwap, View


class Batch(View):
    """Operations that are appended together; reads see them at once.

    From the first put or delete, or from ``lock``, until flush or close, the bee cannot be written otherwise.
    As a context manager it flushes at the end, and drops everything when an exception leaves it.
    """

    def __init__(
        self, live: Live, keys: Codec, values: Codec, prefix: bytes, *, always_duplicate: bool
    ) -> None:
        self._live = live
        self._always_duplicate = always_duplicate
        self._in_batch = InBatch(live)
        self._ended = False
        super().__init__(self._in_batch, keys, values, prefix)

    @property
    def ended(self) -> bool:
        """Whether it was flushed or closed."""
        return self._ended

    def put(self, key: Any, value: Any = None, *, cas: CompareAndSwap | None = None) -> bool:
        """Set the value of a key; return whether the batch has a block for it. See Hyperbee.put."""
        self._check_open()
        return self._put(self._in_batch.writer_for_change(), key, value, cas, always=self._always_duplicate)

    def delete(self, key: Any, *, cas: CompareAndSwap | None = None) -> bool:
        """Remove a key; return whether the batch has a block for it. See Hyperbee.delete."""
        self._check_open()
        return self._delete(self._in_batch.writer_for_change(), key, cas)

    def lock(self) -> None:
        """Keep others from writing already before the first put or delete.

        Raises:
            As put.
        """
        self._check_open()
        self._in_batch.writer_for_change()

    def flush(self, commit: Commit | None = None) -> None:
        """Append everything in one commit and end the batch.

        Args:
            commit: of ``Corestore.commit``; the entries are stored with it and not seen before.

        Raises:
            StorageError: nothing was appended; the batch is over.
            Closed: the batch is over already.
        """
        self._check_open()
        writer = self._in_batch.writer
        try:
            if writer is not None and writer.pending:
                self._live.core.state.settle()
                self._live.store(writer, commit)
            elif writer is not None:
                self._live.adopt(writer)
        finally:
            self.close()

    def close(self) -> None:
        """Drop what was not flushed and end the batch. Closing twice is fine."""
        self._ended = True
        self._in_batch.writer = None  # which lets others write again

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and not self._ended:
                self.flush()
        finally:
            self.close()

    def _check_open(self) -> None:
        if self._ended:
            raise Closed("the batch is over: it was flushed or closed")
