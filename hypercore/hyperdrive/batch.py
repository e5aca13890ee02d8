"""Batches: files that are stored together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypercore.core import Commit
from hypercore.hyperbee import Batch
from hypercore.hyperblobs import BlobBatch, BlobId, BlobReader, Hyperblobs
from hypercore.hyperdrive.entries import encode_entry
from hypercore.hyperdrive.paths import normalize_path
from hypercore.hyperdrive.views import DriveView


class DriveBatch(DriveView):
    """Operations that are stored in one commit; reads see them at once.

    The data of more than 16 MiB is stored as it comes; the files are there with the last commit. From the
    first change until flush or close, the drive cannot be written otherwise. As a context manager it flushes
    at the end, and drops everything when an exception leaves it.
    """

    def __init__(self, files: Batch, blobs: Hyperblobs, new_commit: Callable[[], Commit]) -> None:
        super().__init__(files)
        self._batch = files
        self._blobs = blobs
        self._blob_batch: BlobBatch = blobs.batch()
        self._new_commit = new_commit

    @property
    def blobs(self) -> Hyperblobs:
        """What holds the data of the files that are stored."""
        return self._blobs

    def put(self, path: str, data: bytes, *, executable: bool = False, metadata: Any = None) -> None:
        """Add or replace a file. See Hyperdrive.put."""
        path = normalize_path(path)
        if metadata is not None:
            encode_entry(executable, None, None, metadata)  # refused before there is data of it
        self._batch.lock()
        blob = self._blob_batch.put(data)
        self._batch.put(path, encode_entry(executable, None, blob, metadata))

    def symlink(self, path: str, target: str, *, metadata: Any = None) -> None:
        """Add or replace a link. See Hyperdrive.symlink."""
        self._batch.put(normalize_path(path), encode_entry(False, target, None, metadata))

    def put_entry(
        self,
        path: str,
        *,
        executable: bool = False,
        linkname: str | None = None,
        blob: BlobId | Mapping[str, Any] | None = None,
        metadata: Any = None,
    ) -> None:
        """Add or replace an entry as it is. See Hyperdrive.put_entry."""
        self._batch.put(normalize_path(path), encode_entry(executable, linkname, blob, metadata))

    def delete(self, path: str) -> bool:
        """Remove a file or link. See Hyperdrive.delete."""
        return self._batch.delete(normalize_path(path))

    def flush(self) -> None:
        """Store everything and end the batch.

        Raises:
            StorageError: none of the files is there; the batch is over.
            Closed: the batch is over already.
        """
        try:
            with self._new_commit() as commit:
                self._blob_batch.flush(commit)
                self._batch.flush(commit)
        finally:
            self.close()

    def close(self) -> None:
        """Drop what was not flushed and end the batch. Closing twice is fine."""
        self._blob_batch.close()
        self._batch.close()

    def __enter__(self) -> DriveBatch:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and not self._batch.ended:
                self.flush()
        finally:
            self.close()

    def _get_blob(self, blob: BlobId, start: int, length: int | None) -> bytes:
        return self._blob_batch.get(blob, start, length)

    def _reader(self, blob: BlobId) -> BlobReader:
        return self._blob_batch.reader(blob)
