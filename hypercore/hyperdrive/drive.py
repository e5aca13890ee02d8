"""Hyperdrive: files in two Hypercores, one with a Hyperbee of their paths, one with their data."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal, overload

from hypercore.core import Hypercore
from hypercore.corestore import Corestore
from hypercore.errors import (
    BadArgument,
    BlockNotAvailable,
    DecodingError,
    InvalidOperation,
    NotWritable,
)
from hypercore.hyperbee import Hyperbee, Watcher
from hypercore.hyperblobs import BlobId, BlobWriter, Hyperblobs
from hypercore.hyperdrive.batch import DriveBatch
from hypercore.hyperdrive.checkouts import DriveCheckout
from hypercore.hyperdrive.cores import open_blobs, open_db
from hypercore.hyperdrive.entries import DriveDifference, encode_entry, entry_of
from hypercore.hyperdrive.files import FileWriter
from hypercore.hyperdrive.folders import Folder, check_apart
from hypercore.hyperdrive.listing import PathCodec
from hypercore.hyperdrive.mirror import MirrorSummary, Progress, mirror_from_folder, run
from hypercore.hyperdrive.mirrored import WritableMirroredFiles
from hypercore.hyperdrive.paths import normalize_folder, normalize_path
from hypercore.hyperdrive.views import DriveView, PathOrEntry

_FILES = "files"
"""The part of the bee that has the paths; the rest belongs to the application."""


class Hyperdrive(DriveView):
    """A drive of files. It is a context manager; closing it closes its two cores, not the store.

    What is written is one commit over both cores: after a crash an entry never lacks its data.

    Args:
        store: where the cores are.
        key: of the drive, bytes or id; by default the drive of this store, or of this namespace of it.
        encryption_key: 32 secret bytes; both cores are stored encrypted.
        compat: whether a new drive is made as old versions made it.

    Attributes:
        store: the one that was given.
        core: the core of the entries.
        db: the Hyperbee on it; what is written to it besides is not part of the drive's files.

    Raises:
        BadArgument: the key is none.
        BlockNotAvailable, DecodingError: as ``blobs``, where the core is writable or its first block is here.
        StorageError: the store failed.
    """

    def __init__(
        self,
        store: Corestore,
        key: bytes | str | None = None,
        *,
        encryption_key: bytes | None = None,
        compat: bool = False,
    ) -> None:
        self.store = store
        self._encryption_key = encryption_key
        self._blobs: Hyperblobs | None = None
        self.core = open_db(store, key, encryption_key, compat=compat)
        metadata = None
        if self.core.writable or self.core.has(0):
            try:
                blobs, metadata = open_blobs(store, self.core, encryption_key)
            except BaseException:
                self.core.close()  # nobody else could
                raise
            self._blobs = Hyperblobs(blobs)
        self.db = Hyperbee(self.core, key_encoding="utf-8", value_encoding="json", metadata=metadata)
        self._bee = self.db.sub(_FILES, key_encoding=PathCodec(), value_encoding="binary")
        super().__init__(self._bee)

    @property
    def key(self) -> bytes:
        """The key of the drive: whoever knows it can read it."""
        return self.core.key

    @property
    def id(self) -> str:
        """The key as z-base-32 text."""
        return self.core.id

    @property
    def discovery_key(self) -> bytes:
        """32 bytes by which peers find each other without telling the key."""
        return self.core.discovery_key

    @property
    def content_key(self) -> bytes:
        """The key of the core with the data.

        Raises:
            BlockNotAvailable, DecodingError: as ``blobs``.
        """
        return self.blobs.key

    @property
    def writable(self) -> bool:
        """Whether files can be written here."""
        return self.core.writable

    @property
    def blobs(self) -> Hyperblobs:
        """What holds the data of the files.

        Raises:
            BlockNotAvailable: the first block of the drive is not stored here, which says where it is.
            DecodingError: the drive is none, or does not say where it is.
        """
        if self._blobs is None:
            core, _ = open_blobs(self.store, self.core, self._encryption_key)
            self._blobs = Hyperblobs(core)
        return self._blobs

    # --- writing ----------------------------------------------------------------------------------

    def put(self, path: str, data: bytes, *, executable: bool = False, metadata: Any = None) -> None:
        """Add or replace a file.

        Up to 64 MiB are one commit; of more the last one makes it the file.

        Args:
            path: of the file; folders need not be made.
            data: what is in it.
            executable: whether it is a program.
            metadata: any JSON value.

        Raises:
            BadArgument: the path or the metadata is none, or the data is not bytes.
            InvalidOperation: a batch has begun to write, or a file is open for writing.
            NotWritable: the secret key is not here.
            StorageError: the store failed.

        After an error nothing was written, but for parts of more than 64 MiB that nothing refers to.
        """
        path = normalize_path(path)
        blobs = self._blobs or self._writable_blobs()
        with self.store.commit() as commit:
            blob = blobs.put(data, commit=commit)
            self._bee.put(path, encode_entry(executable, None, blob, metadata), commit=commit)

    def symlink(self, path: str, target: str, *, metadata: Any = None) -> None:
        """Add or replace a link to a path, which is stored as it is given.

        Raises:
            As put.
        """
        self._bee.put(normalize_path(path), encode_entry(False, target, None, metadata))

    def put_entry(
        self,
        path: str,
        *,
        executable: bool = False,
        linkname: str | None = None,
        blob: BlobId | Mapping[str, Any] | None = None,
        metadata: Any = None,
    ) -> None:
        """Add or replace an entry as it is, such as a second one for data that is there already.

        Raises:
            As put.
        """
        self._bee.put(normalize_path(path), encode_entry(executable, linkname, blob, metadata))

    def delete(self, path: str) -> bool:
        """Remove a file or link and return whether there was one; its data stays, see ``clear``.

        Raises:
            As put.
        """
        return self._bee.delete(normalize_path(path))

    def batch(self) -> DriveBatch:
        """Return a batch: its operations are stored in one commit.

        As a context manager it flushes at the end.
        """
        return DriveBatch(self._bee.batch(), self._writable_blobs(), self.store.commit)

    @overload  # type: ignore[override]
    def open(
        self, path: PathOrEntry, mode: Literal["rb"] = "rb", *, follow: bool = False
    ) -> io.BufferedReader: ...

    @overload
    def open(
        self,
        path: str,
        mode: Literal["wb"],
        *,
        executable: bool = False,
        metadata: Any = None,
        dedup: bool = False,
    ) -> FileWriter: ...

    def open(
        self,
        path: PathOrEntry,
        mode: str = "rb",
        *,
        follow: bool = False,
        executable: bool = False,
        metadata: Any = None,
        dedup: bool = False,
    ) -> io.BufferedReader | FileWriter:
        """Return a file object, whose memory does not grow with the file.

        A file that is written is there when it is closed, not before, and not at all when an exception leaves
        its ``with``. Until then no other data can be written to the drive.

        Args:
            path: of the file.
            mode: "rb" or "wb".
            follow: to read: go where links lead.
            executable: as in put.
            metadata: as in put.
            dedup: to write: store equal blocks once, those of the file that is replaced included.

        Raises:
            BadArgument: another mode, or as put.
            NoSuchFile: to read: there is no file, or it is a link that is not followed.
            InvalidOperation: to write: a batch has begun, or another file is open for writing.
        """
        if mode == "rb":
            return super().open(path, follow=follow)
        if mode != "wb" or not isinstance(path, str):
            raise BadArgument(f"a path is opened with the mode 'rb' or 'wb', found {mode!r}")
        return self._open_for_writing(path, executable=executable, metadata=metadata, dedup=dedup)

    def _open_for_writing(
        self, path: str, *, executable: bool = False, metadata: Any = None, dedup: bool = False
    ) -> FileWriter:
        path = normalize_path(path)
        encode_entry(executable, None, None, metadata)  # what cannot be stored is refused now
        blobs = self._writable_blobs()
        known = self.entry(path) if dedup else None
        writer = blobs.writer(dedup=dedup, known=None if known is None else known.blob)

        def store(writer: BlobWriter) -> None:
            with self.store.commit() as commit:
                blob = writer.finish(commit)
                self._bee.put(path, encode_entry(executable, None, blob, metadata), commit=commit)

        return FileWriter(writer, store)

    def _writable_blobs(self) -> Hyperblobs:
        if self._blobs is None and not self.core.writable:
            raise NotWritable(f"drive {self.id} cannot be written: its secret key is not here")
        return self.blobs

    # --- versions ---------------------------------------------------------------------------------

    def checkout(self, version: int) -> DriveCheckout:
        """Return the drive as it was at a version, to be read only.

        Raises:
            BadArgument: the version is negative.
        """
        return DriveCheckout(self._bee.checkout(version), self._bee, lambda: self.blobs)

    def snapshot(self) -> DriveCheckout:
        """Return the drive as it is now, to be read only."""
        return self.checkout(self.version)

    def diff(self, other: int | DriveCheckout, folder: str = "/") -> Iterator[DriveDifference]:
        """Iterate over the paths that were written or deleted between this version and another.

        They come in the order of their paths; what both versions share is not read.

        Args:
            other: a version, or a checkout: what is right, where this drive is left.
            folder: only below it.
        """
        return self.snapshot().diff(other, folder)

    def blobs_length(self, version: int | None = None) -> int:
        """Return how many blocks of the blobs a version, by default this one, needs."""
        return self.checkout(self.version if version is None else version).blobs_length()

    def truncate(self, version: int, *, blobs: int | None = None) -> None:
        """Cut the drive to a version, its entries and its data in one commit.

        Args:
            version: the one that becomes the newest.
            blobs: how many blocks of the data stay, by default those that the version needs.

        Raises:
            BadArgument: there is no such version, or not as much data.
            BlockNotAvailable: an entry that says which data is needed is not stored here.
            InvalidOperation: a batch has begun to write, or a file is open for writing.
            NotWritable: the secret key is not here.
            StorageError: nothing was cut.
        """
        data = self._writable_blobs()
        if data.locked:
            raise InvalidOperation("a drive is not truncated while a batch or a file of it is being written")
        if not 0 <= version <= self.core.length:
            raise BadArgument(f"the drive has version {self.version}, it cannot be truncated to {version}")
        kept = self.blobs_length(version) if blobs is None else blobs
        if not 0 <= kept <= data.core.length:
            raise BadArgument(f"the drive has {data.core.length} blocks of data, {kept} cannot stay")
        with self.store.commit() as commit:
            commit.truncate(self.core.state, version)
            commit.truncate(data.core.state, kept)

    def watch(self, folder: str = "/") -> Watcher[DriveCheckout]:
        """Return what tells of changes below a folder, as checkouts before and after. See Hyperbee.watch."""
        folder = normalize_folder(folder)

        def differs(current: DriveCheckout, previous: DriveCheckout) -> bool:
            return (
                current.fork != previous.fork or next(current.diff(previous, folder or "/"), None) is not None
            )

        return Watcher(self.core, self.snapshot, differs)

    # --- folders on disk --------------------------------------------------------------------------

    def mirror(
        self,
        folder: str | os.PathLike[str],
        *,
        prefix: str = "/",
        prune: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> MirrorSummary:
        """Make a folder on disk equal to the drive as it is now, and return what was done.

        Nothing is written outside of the folder, whatever the drive has. Links stay links; those from the top
        of the drive become relative ones, to what they point to in the folder. Metadata is not kept.

        Args:
            folder: made if it does not exist.
            prefix: only what is below that folder of the drive.
            prune: also remove the files of the folder that the drive does not have.
            dry_run: write nothing, say what would be done.
            progress: called for every path.

        Raises:
            BadArgument: the drive has a path that a folder cannot have, or a link that leads out of it; or
                its store lies in the folder. Nothing was written.
            InvalidOperation: something in the folder is in the way, such as a link where a folder has to be.
            OSError: something cannot be read or written.

        After the last two a part may be written; no file is incomplete.
        """
        return self.snapshot().mirror(folder, prefix=prefix, prune=prune, dry_run=dry_run, progress=progress)

    def mirror_from(
        self,
        folder: str | os.PathLike[str],
        *,
        prefix: str = "/",
        prune: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> MirrorSummary:
        """Make the drive equal to a folder on disk, and return what was done.

        Links are not followed. Metadata of files whose data changes is dropped. A file that goes meanwhile is
        left out.

        Args:
            folder: the source.
            prefix: the folder of the drive that becomes equal to it.
            prune: also delete the files of the drive that the folder does not have.
            dry_run: write nothing, say what would be done.
            progress: called for every path.

        Raises:
            BadArgument: a name in the folder is none that a drive can have, or the store lies in the folder;
                nothing was written.
            NotWritable, InvalidOperation, StorageError: as put; a part may be written.
            OSError: something cannot be read; a part may be written.
        """
        check_apart(folder, self.core.state.database.directory)
        with (
            Folder(folder) as source,
            WritableMirroredFiles(self, prefix, self.batch, self._open_for_writing) as files,
        ):
            return run(mirror_from_folder(source, files, prune=prune, dry_run=dry_run), progress)

    # --- what is stored here ------------------------------------------------------------------------

    def has(self, path: str) -> bool:
        """Return whether the data of a file is stored here, or that of all files below a folder."""
        folder = normalize_folder(path)
        entry = entry_of(self._bee.get(folder)) if folder and not path.endswith("/") else None
        if entry is not None:
            return entry.blob is not None and self.blobs.has(entry.blob)
        blobs = (each.blob for each in self.list(path))
        return all(self.blobs.has(blob) for blob in blobs if blob is not None)

    def clear(self, path: str) -> None:
        """Forget the data of a file here; the entry stays, and peers may have the data.

        Raises:
            StorageError: only a part was forgotten.
        """
        entry = self.entry(path)
        if entry is not None and entry.blob is not None:
            self.blobs.clear(entry.blob)

    def clear_all(self) -> None:
        """Forget the data of all files here."""
        core = self.blobs.core
        core.clear(0, core.length)

    def purge(self) -> None:
        """Delete the drive with all its records and close it.

        As long as nothing says where its data is, as before its first block has come, only the entries go.

        Raises:
            StorageError: only a part was deleted: what is left is at most data, never entries without it.
        """
        blobs: Hypercore | None = None
        with suppress(BlockNotAvailable, DecodingError):
            blobs = self.blobs.core
        self.core.purge()
        if blobs is not None:
            blobs.purge()

    # --- closing ----------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether close was called."""
        return self.core.closed

    def close(self) -> None:
        """Close the two cores. Closing twice is fine."""
        self.db.close()
        if self._blobs is not None:
            self._blobs.close()

    def __enter__(self) -> Hyperdrive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Hyperdrive {self.core!r}>"
