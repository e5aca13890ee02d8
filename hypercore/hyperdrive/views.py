"""Reading a drive: the same for a drive, a checkout and a batch."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice

from hypercore.errors import BadArgument, InvalidOperation, NoSuchFile
from hypercore.hyperbee import Batch, Hyperbee
from hypercore.hyperblobs import BlobId, BlobReader, Hyperblobs
from hypercore.hyperdrive import listing
from hypercore.hyperdrive.entries import DriveEntry, decode_entry, entry_of
from hypercore.hyperdrive.files import BUFFER_BYTES, FileReader
from hypercore.hyperdrive.listing import Ignore
from hypercore.hyperdrive.paths import normalize_folder, normalize_path, resolve

# The longest chain of links that is followed, as in the reference.
_MAX_LINKS = 16

PathOrEntry = str | DriveEntry
"""A file by its path, or by an entry that was read before."""


class DriveView:
    """The files of a drive at some version. Paths need no slash at the beginning.

    Every method that reads may raise BlockNotAvailable (a block that it needs is not stored here) and
    DecodingError (what is stored is no drive); every one that takes a path raises BadArgument for one that
    leads above the drive.
    """

    def __init__(self, files: Hyperbee | Batch) -> None:
        self._files = files

    @property
    def blobs(self) -> Hyperblobs:
        """What holds the data of the files."""
        raise NotImplementedError

    @property
    def version(self) -> int:
        """The number of operations so far, plus one: a drive without any has version 1."""
        return self._files.version

    def entry(self, path: PathOrEntry, *, follow: bool = False) -> DriveEntry | None:
        """Return what is known of a file or link, None if there is none.

        Args:
            path: an entry is returned as it is, unless it is a link to follow.
            follow: go where links lead. As in the reference, a relative link starts at the link itself, as if
                that were a folder.

        Raises:
            InvalidOperation: more than 15 links one behind the other.
        """
        if isinstance(path, DriveEntry):
            entry: DriveEntry | None = path
        else:
            path = normalize_path(path)
            found = self._files.get_encoded(path)
            entry = None if found is None else decode_entry(found[0], path, found[1])
        return self._follow(entry) if follow else entry

    def exists(self, path: str) -> bool:
        """Return whether there is a file or link; folders as such do not exist."""
        return self._files.get(normalize_path(path)) is not None

    def get(
        self, path: PathOrEntry, *, follow: bool = False, start: int = 0, length: int | None = None
    ) -> bytes | None:
        """Return the data of a file, or ``length`` bytes of it from ``start`` on.

        None if there is no file, or a link that is not followed.

        Raises:
            BadArgument: the range is not in the file.
        """
        entry = self.entry(path, follow=follow)
        if entry is None or entry.blob is None:
            return None
        return self._get_blob(entry.blob, start, length)

    def read_stream(
        self, path: PathOrEntry, *, follow: bool = False, start: int = 0, length: int | None = None
    ) -> Iterator[bytes]:
        """Iterate over the same bytes in pieces.

        Raises:
            NoSuchFile: there is no file, or it is a link that is not followed.
            BadArgument: the range is not in the file.
        """
        reader = self._reader(self._need_blob(path, follow=follow))
        return reader.stream(start, reader.check(start, length))

    def open(self, path: PathOrEntry, mode: str = "rb", *, follow: bool = False) -> io.BufferedReader:
        """Return a file object for reading, whose memory does not grow with the file.

        Raises:
            NoSuchFile: there is no file, or it is a link that is not followed.
            BadArgument: another mode than "rb".
        """
        if mode != "rb":
            raise BadArgument(f"what can only be read is opened with the mode 'rb', found {mode!r}")
        reader = self._reader(self._need_blob(path, follow=follow))
        return io.BufferedReader(FileReader(reader), BUFFER_BYTES)

    # --- folders ----------------------------------------------------------------------------------

    def list(
        self,
        folder: str = "/",
        *,
        recursive: bool = True,
        ignore: Ignore = (),
        reverse: bool = False,
        limit: int | None = None,
    ) -> Iterator[DriveEntry]:
        """Iterate over the entries below a folder in the order of their paths.

        Args:
            folder: its path; one that does not exist has no entries.
            recursive: whether folders in it are entered; if not, the first entry below stands for each.
            ignore: paths to leave out, with all below them; or a function that says so of a path.
            reverse: from the last one to the first.
            limit: how many to show at most; a negative one is none.
        """
        is_ignored = listing.ignoring(ignore)
        folder = normalize_folder(folder)
        if recursive:
            entries = listing.walk(self._files.items, folder, is_ignored, reverse=reverse)
        else:
            shown = listing.children(self._files.items, folder, is_ignored)
            entries = (entry for _, entry in (reversed(list(shown)) if reverse else shown))
        return entries if limit is None or limit < 0 else islice(entries, limit)

    def readdir(self, folder: str = "/") -> Iterator[str]:
        """Iterate over the names in a folder, of files, links and folders, each once."""
        return (name for name, _ in listing.children(self._files.items, normalize_folder(folder)))

    def entries(
        self,
        *,
        gt: str | None = None,
        gte: str | None = None,
        lt: str | None = None,
        lte: str | None = None,
        reverse: bool = False,
        limit: int | None = None,
    ) -> Iterator[DriveEntry]:
        """Iterate over the entries between bounds, which are paths as they are stored."""
        found = self._files.items(gt=gt, gte=gte, lt=lt, lte=lte, reverse=reverse, limit=limit)
        return (decode_entry(each.seq, each.key, each.value) for each in found)

    def __iter__(self) -> Iterator[DriveEntry]:
        return self.entries()

    # --- inside -----------------------------------------------------------------------------------

    def _get_blob(self, blob: BlobId, start: int, length: int | None) -> bytes:
        return self.blobs.get(blob, start, length)

    def _reader(self, blob: BlobId) -> BlobReader:
        return self.blobs.reader(blob)

    def _need_blob(self, path: PathOrEntry, *, follow: bool) -> BlobId:
        entry = self.entry(path, follow=follow)
        if entry is None:
            raise NoSuchFile(f"there is no file {path if isinstance(path, str) else path.path!r}")
        if entry.blob is None:
            raise NoSuchFile(f"{entry.path!r} is no file: it has no data")
        return entry.blob

    def _follow(self, entry: DriveEntry | None) -> DriveEntry | None:
        for _ in range(_MAX_LINKS):
            if entry is None or not entry.linkname:
                return entry
            target = normalize_path(resolve(entry.path, entry.linkname))
            entry = entry_of(self._files.get(target))
        raise InvalidOperation(
            f"more than {_MAX_LINKS - 1} links one behind the other: they lead in a circle"
        )
