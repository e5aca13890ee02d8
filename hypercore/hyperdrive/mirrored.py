"""The drive's side of a mirror: the files below a folder of it, with paths relative to that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Protocol

from hypercore.hyperdrive.batch import DriveBatch
from hypercore.hyperdrive.entries import DriveEntry
from hypercore.hyperdrive.files import FileWriter
from hypercore.hyperdrive.paths import normalize_folder
from hypercore.hyperdrive.views import DriveView

# Small files are stored together, so many at a time; larger ones as streams.
_BATCH_OPERATIONS = 1000
_SMALL_FILE_BYTES = 1 << 20


class MirroredFiles:
    """The files below a folder of a drive, to be read.

    Args:
        view: the drive.
        prefix: the folder.

    Attributes:
        prefix: the normal path of that folder.
    """

    def __init__(self, view: DriveView, prefix: str) -> None:
        self._view = view
        self.prefix = normalize_folder(prefix)

    def list(self) -> Iterator[DriveEntry]:
        """Iterate over all entries."""
        for entry in self._view.list(self.prefix or "/"):
            yield self._relative(entry)

    def entry(self, path: str) -> DriveEntry | None:
        """Return an entry, None if there is none."""
        entry = self._view.entry(self.prefix + path)
        return None if entry is None else self._relative(entry)

    def size(self, entry: DriveEntry) -> int:
        """Return the size of its data, 0 if it has none."""
        return 0 if entry.blob is None else self._view.blobs.byte_length(entry.blob)

    def read(self, entry: DriveEntry) -> Iterator[bytes]:
        """Iterate over its data."""
        return iter(()) if entry.blob is None else self._view.blobs.read_stream(entry.blob)

    def _relative(self, entry: DriveEntry) -> DriveEntry:
        if self.prefix:
            entry.path = entry.path[len(self.prefix) :]
        return entry


class _Open(Protocol):
    def __call__(self, path: str, /, *, executable: bool) -> FileWriter:
        """Open a file for writing."""


class WritableMirroredFiles(MirroredFiles):
    """The same, to be written; what was not flushed at the end of the block is dropped.

    Args:
        view: the drive.
        prefix: the folder.
        new_batch: makes a batch of the drive.
        open_file: opens a file of the drive for writing.
    """

    def __init__(
        self, view: DriveView, prefix: str, new_batch: Callable[[], DriveBatch], open_file: _Open
    ) -> None:
        super().__init__(view, prefix)
        self._new_batch = new_batch
        self._open_file = open_file
        self._batch: DriveBatch | None = None
        self._operations = 0

    def write(self, path: str, data: Iterable[bytes], *, executable: bool) -> None:
        """Put a file."""
        rest = iter(data)
        first, size = [], 0
        for piece in rest:
            first.append(piece)
            size += len(piece)
            if size > _SMALL_FILE_BYTES:
                break
        else:
            self._operation().put(self.prefix + path, b"".join(first), executable=executable)
            return
        self.flush()
        with self._open_file(self.prefix + path, executable=executable) as file:
            for piece in chain(first, rest):
                file.write(piece)

    def change(self, entry: DriveEntry, *, executable: bool) -> None:
        """Put an entry with the same data."""
        self._operation().put_entry(
            self.prefix + entry.path, executable=executable, blob=entry.blob, metadata=entry.metadata
        )

    def link(self, path: str, target: str) -> None:
        """Put a link."""
        self._operation().symlink(self.prefix + path, target)

    def remove(self, path: str) -> None:
        """Delete a path."""
        self._operation().delete(self.prefix + path)

    def flush(self) -> None:
        """Store what was done so far."""
        batch, self._batch = self._batch, None
        if batch is not None:
            batch.flush()

    def __enter__(self) -> WritableMirroredFiles:
        return self

    def __exit__(self, *_: Any) -> None:
        if self._batch is not None:
            self._batch.close()

    def _operation(self) -> DriveBatch:
        """Return the batch for one more operation."""
        self._operations += 1
        if self._operations % _BATCH_OPERATIONS == 0:
            self.flush()
        if self._batch is None:
            self._batch = self._new_batch()
        return self._batch
