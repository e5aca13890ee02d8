"""A folder on disk, and nothing outside of it: what a mirror reads and writes.

Every step from the folder to a file goes through descriptors of the folders between, and none of them is a
symbolic link. Files are written beside their place and moved there when they are complete.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from hypercore.errors import BadArgument, InvalidOperation

CHUNK_BYTES = 65536

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Not blocking: what was a file a moment ago may be a pipe now.
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 4000
"""What a path below a folder may have: systems end at 4096, and the folder has a path, too."""

_EXECUTABLE = stat.S_IXUSR
_READ_AND_WRITE = 0o666
_ELSEWHERE = frozenset(("", ".", ".."))


class NoFileAnyMore(InvalidOperation):
    """What was a file a moment ago is gone, or something else."""


@dataclass(slots=True)
class FolderEntry:
    """A file or symbolic link in a folder.

    Attributes:
        path: from the folder on, with a slash in front.
        size: in bytes; 0 for a link.
        executable: whether its owner may run it.
        linkname: what a link points to; None for a file.
        permissions: who may read and write a file, as chmod takes it.
    """

    path: str
    size: int
    executable: bool
    linkname: str | None
    permissions: int = _READ_AND_WRITE


class Folder:
    """A folder, which may be a link itself; all below is taken as it is, links are not followed.

    It is a context manager. Other kinds of files than regular ones and links are not seen.

    Args:
        path: of the folder.
        create: whether it is made, if it does not exist, when something is written to it.

    Raises:
        OSError: it cannot be opened, or is none.
    """

    def __init__(self, path: str | os.PathLike[str], *, create: bool = False) -> None:
        self._path = os.fspath(path)
        self._create = create
        self._root: int | None = None
        try:
            self._root = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            if not create:
                raise

    def close(self) -> None:
        """Close it. Closing twice is fine."""
        root, self._root = self._root, None
        if root is not None:
            os.close(root)

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- reading ----------------------------------------------------------------------------------

    def walk(self, folder: str = "") -> Iterator[FolderEntry]:
        """Iterate over all files and links below a folder, in no useful order.

        Raises:
            OSError: something cannot be read.
        """
        folders = [folder]
        while folders:
            folder = folders.pop()
            with self._folder(folder) as descriptor:
                if descriptor is None:
                    continue
                names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in _scan(descriptor)]
                for name, is_folder in names:
                    path = f"{folder}/{name}"
                    if is_folder:
                        folders.append(path)
                    elif (found := _entry(descriptor, name, path)) is not None:
                        yield found

    def entry(self, path: str) -> FolderEntry | None:
        """Return what is at a path, None if that is no file and no link, or no folder can have that path."""
        try:
            check_path(path)
        except BadArgument:
            return None
        folder, name = _split(path)
        with self._folder(folder) as descriptor:
            return None if descriptor is None else _entry(descriptor, name, path)

    def read(self, path: str) -> Iterator[bytes]:
        """Iterate over the bytes of a file, in pieces of 64 KiB but for the last.

        Raises:
            NoFileAnyMore: before the first piece.
            OSError: it cannot be read.
        """
        folder, name = _split(path)
        with self._folder(folder) as descriptor:
            file = self._open(descriptor, name, path)
        with open(file, "rb", buffering=CHUNK_BYTES) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk

    # --- writing ----------------------------------------------------------------------------------

    def write(
        self, path: str, data: Iterable[bytes], *, executable: bool, like: FolderEntry | None = None
    ) -> None:
        """Write a file, or replace what file or link is there; it is there as a whole or not at all.

        Those may read and write it who may do so with ``like``, by default as with any new file.

        Raises:
            InvalidOperation: a folder is there, or something else where a folder is needed.
            OSError: it cannot be written.
        """
        with self._place(path) as (descriptor, name, beside):
            mode = _READ_AND_WRITE if like is None else like.permissions
            if executable:
                mode |= _runnable(mode)
            file = os.open(beside, _WRITE_FLAGS, mode, dir_fd=descriptor)
            with open(file, "wb", buffering=0) as stream:
                if like is not None:
                    os.fchmod(file, mode)
                for piece in data:
                    view = memoryview(piece)
                    while view:
                        view = view[stream.write(view) :]
            self._move(descriptor, beside, name, path)

    def link(self, path: str, target: str) -> None:
        """Make a link, or replace what file or link is there.

        Raises:
            As write.
        """
        with self._place(path) as (descriptor, name, beside):
            os.symlink(target, beside, dir_fd=descriptor)
            self._move(descriptor, beside, name, path)

    def set_executable(self, path: str, executable: bool) -> None:
        """Change whether a file may be run, by those who may read it."""
        folder, name = _split(path)
        with self._folder(folder) as descriptor:
            file = self._open(descriptor, name, path)
            try:
                mode = stat.S_IMODE(os.fstat(file).st_mode)
                os.fchmod(file, mode & ~0o111 | _runnable(mode) if executable else mode & ~0o111)
            finally:
                os.close(file)

    def remove(self, path: str) -> None:
        """Remove a file or link, and the folders that are empty then; one that is not there is fine."""
        folder, name = _split(path)
        with self._folder(folder) as descriptor:
            if descriptor is None:
                return
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=descriptor)
        while folder:
            folder, name = _split(folder)
            with self._folder(folder) as descriptor:
                if descriptor is None:
                    return
                try:
                    os.rmdir(name, dir_fd=descriptor)
                except OSError:  # it is not empty
                    return

    # --- inside -----------------------------------------------------------------------------------

    @contextmanager
    def _folder(self, path: str, *, create: bool = False) -> Iterator[int | None]:
        """Open a folder for the block; None if it is not there, or not a folder."""
        if self._root is None:
            if not create:
                yield None
                return
            os.makedirs(self._path, exist_ok=True)
            self._root = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        descriptor = os.dup(self._root)
        try:
            for name in path.split("/")[1:]:
                below = _open_folder(descriptor, name, create=create)
                os.close(descriptor)
                descriptor = -1 if below is None else below
                if below is None:
                    break
            yield None if descriptor < 0 else descriptor
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    @contextmanager
    def _place(self, path: str) -> Iterator[tuple[int, str, str]]:
        """Give the open folder of a path, its name in there, and a name for what is not complete yet."""
        folder, name = _split(path)
        with self._folder(folder, create=True) as descriptor:
            if descriptor is None:
                raise InvalidOperation(f"{self._path}{path}: something on the way to it is no folder")
            beside = f".{token_hex(8)}.part"
            try:
                yield descriptor, name, beside
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(beside, dir_fd=descriptor)

    def _move(self, descriptor: int, beside: str, name: str, path: str) -> None:
        """Move what is complete to its place; an empty folder makes room for it."""
        try:
            with suppress(IsADirectoryError):
                os.replace(beside, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
                return
            os.rmdir(name, dir_fd=descriptor)
            os.replace(beside, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            raise InvalidOperation(f"{self._path}{path}: a folder is in its place") from None

    def _open(self, descriptor: int | None, name: str, path: str) -> int:
        """Open a file for reading; a descriptor of None would be the working directory."""
        if descriptor is not None:
            try:
                file = os.open(name, _READ_FLAGS, dir_fd=descriptor)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ELOOP):  # gone, or a link
                    raise
            else:
                if stat.S_ISREG(os.fstat(file).st_mode):
                    return file
                os.close(file)
        raise NoFileAnyMore(f"{self._path}{path}: it is no file any more")


def check_apart(folder: str | os.PathLike[str], database: Path | None) -> None:
    """Make sure that a folder has nothing to do with the directory of the database that a drive is stored in.

    A mirror would remove the database as something that the drive does not have, or take it into the drive.

    Raises:
        BadArgument: the database lies in the folder, or the folder in the database.
    """
    if database is None:
        return
    real = os.path.realpath(folder)
    inside = os.path.realpath(database)
    for place in (inside, os.path.realpath(database.parent)):
        if os.path.commonpath((place, real)) == real:
            raise BadArgument(
                f"{folder}: the store {database.parent} lies in it, and would be mirrored itself"
            )
    if os.path.commonpath((inside, real)) == inside:
        raise BadArgument(f"{folder}: it is part of the store {database.parent}")


def check_path(path: str) -> None:
    """Refuse a path of a drive that a folder cannot have.

    Raises:
        BadArgument: it, or a name in it, is too long, or has a zero byte, or leads elsewhere.
    """
    _split(path)
    if "\0" in path:
        raise BadArgument(f"{path!r}: no path on disk has a zero byte")
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise BadArgument(f"{path[:80]!r}...: a path on disk has at most {MAX_PATH_BYTES} bytes")
    if any(len(os.fsencode(name)) > _MAX_NAME_BYTES for name in path.split("/")):
        raise BadArgument(f"{path!r}: a name on disk has at most {_MAX_NAME_BYTES} bytes")


def _split(path: str) -> tuple[str, str]:
    """Return the folder and the name of a path; whoever opens a part of a path has it from here.

    Raises:
        BadArgument: it could lead out of the folder.
    """
    if not path.startswith("/") or not _ELSEWHERE.isdisjoint(path[1:].split("/")):
        raise BadArgument(f"{path!r} is not a path below a folder")
    folder, _, name = path.rpartition("/")
    return folder, name


def _runnable(mode: int) -> int:
    """Return the bits that let those run a file who may read it."""
    return (mode & 0o444) >> 2


def _scan(descriptor: int) -> Iterator[os.DirEntry[str]]:
    with os.scandir(descriptor) as entries:
        yield from entries


def _entry(descriptor: int, name: str, path: str) -> FolderEntry | None:
    try:
        status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            return FolderEntry(path, 0, False, os.readlink(name, dir_fd=descriptor))
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    mode = status.st_mode
    return FolderEntry(path, status.st_size, bool(mode & _EXECUTABLE), None, mode & _READ_AND_WRITE)


def _open_folder(descriptor: int, name: str, *, create: bool) -> int | None:
    """Open a folder in another one; None if it is not there, or not a folder."""
    if create:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=descriptor)
    try:
        return os.open(name, _FOLDER_FLAGS, dir_fd=descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link
            return None
        raise
