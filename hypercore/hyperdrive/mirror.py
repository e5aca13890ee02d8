"""Mirroring: making a folder on disk equal to a drive, or a drive equal to a folder.

What a drive says may come from anybody. Everything that a mirror to a folder is going to write is looked at
before anything is written; a path that is not normal, or a link that leads out of the folder, ends it then.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from hypercore.errors import BadArgument
from hypercore.hyperdrive.entries import DriveEntry
from hypercore.hyperdrive.folders import (
    CHUNK_BYTES,
    MAX_PATH_BYTES,
    Folder,
    FolderEntry,
    NoFileAnyMore,
    check_path,
)
from hypercore.hyperdrive.mirrored import MirroredFiles, WritableMirroredFiles
from hypercore.hyperdrive.paths import is_normal


@dataclass(slots=True)
class MirrorStep:
    """What a mirror does with one path.

    Attributes:
        op: what happens to it in the target.
        path: from the top of what is mirrored.
        bytes_removed: the size of what was there before.
        bytes_added: the size of what is there afterwards.
    """

    op: Literal["add", "change", "remove", "equal"]
    path: str
    bytes_removed: int
    bytes_added: int


@dataclass(slots=True)
class MirrorSummary:
    """How many paths there are in the source, and what became of how many paths of the target."""

    files: int = 0
    add: int = 0
    change: int = 0
    remove: int = 0
    bytes_added: int = 0
    bytes_removed: int = 0

    def count(self, step: MirrorStep) -> None:
        """Count a step."""
        if step.op == "remove":
            self.remove += 1
        else:
            self.files += 1
        if step.op == "equal":
            return
        self.add += step.op == "add"
        self.change += step.op == "change"
        self.bytes_added += step.bytes_added
        self.bytes_removed += step.bytes_removed


Progress = Callable[[MirrorStep], None]
"""Called for every path, after what is done with it; in a dry run, instead of that."""


def mirror_to_folder(
    files: MirroredFiles, folder: Folder, *, prune: bool, dry_run: bool
) -> Iterator[MirrorStep]:
    """Make a folder equal to the files of a drive, step by step.

    Raises:
        BadArgument: an entry can be in no folder, or its link leads out of it; nothing was written then.
        InvalidOperation: something in the folder is in the way.
        OSError: something cannot be read or written.
    """
    _check_entries(files)
    if prune:
        for old in list(folder.walk()):
            if not _is_possible(old.path) or files.entry(old.path) is None:
                if not dry_run:
                    folder.remove(old.path)
                yield MirrorStep("remove", old.path, old.size, 0)
    for entry in files.list():
        yield _to_folder(files, entry, folder, dry_run=dry_run)


def mirror_from_folder(
    folder: Folder, files: WritableMirroredFiles, *, prune: bool, dry_run: bool
) -> Iterator[MirrorStep]:
    """Make the files of a drive equal to those of a folder, step by step.

    A file that goes while the others are stored is one that was not there.

    Raises:
        BadArgument: a name is none that a drive can have.
        OSError: something cannot be read.
    """
    wanted = sorted(_possible(folder.walk()), key=lambda each: each.path.encode())
    if prune:
        for old in list(files.list()):
            # What has no normal path cannot be deleted, either.
            if is_normal(old.path) and folder.entry(old.path) is None:
                size = files.size(old)
                if not dry_run:
                    files.remove(old.path)
                yield MirrorStep("remove", old.path, size, 0)
    for found in wanted:
        try:
            step = _from_folder(folder, found, files, dry_run=dry_run)
        except NoFileAnyMore:
            continue
        yield step
    if not dry_run:
        files.flush()


def _to_folder(files: MirroredFiles, entry: DriveEntry, folder: Folder, *, dry_run: bool) -> MirrorStep:
    old = folder.entry(entry.path)
    target = None if entry.linkname is None else _relative(files.prefix, entry.path, entry.linkname)
    size = 0 if target is not None else files.size(entry)
    op: Literal["add", "change"] = "add" if old is None else "change"
    step = MirrorStep(op, entry.path, 0 if old is None else old.size, size)
    if (
        old is not None
        and old.linkname == target
        and (target is not None or _same_data(files, entry, folder, old))
    ):
        if target is not None or old.executable == entry.executable:
            step.op = "equal"
        elif not dry_run:
            folder.set_executable(entry.path, entry.executable)
    elif not dry_run:
        if target is not None:
            folder.link(entry.path, target)
        else:
            like = None if old is None or old.linkname is not None else old
            folder.write(entry.path, files.read(entry), executable=entry.executable, like=like)
    return step


def _from_folder(
    folder: Folder, found: FolderEntry, files: WritableMirroredFiles, *, dry_run: bool
) -> MirrorStep:
    path, target = found.path, found.linkname
    old = files.entry(path)
    op: Literal["add", "change"] = "add" if old is None else "change"
    step = MirrorStep(op, path, 0 if old is None else files.size(old), found.size)
    if target is not None:
        if (
            old is not None
            and old.linkname is not None
            and target in (old.linkname, _in_folder(files.prefix, old))
        ):
            step.op = "equal"
        elif not dry_run:
            files.link(path, target)
    elif old is not None and old.linkname is None and _same_data(files, old, folder, found):
        if old.executable == found.executable:
            step.op = "equal"
        elif not dry_run:
            files.change(old, executable=found.executable)
    elif not dry_run:
        files.write(path, folder.read(path), executable=found.executable)
    return step


def _same_data(files: MirroredFiles, entry: DriveEntry, folder: Folder, found: FolderEntry) -> bool:
    if files.size(entry) != found.size:
        return False
    ours, theirs = _rechunked(files.read(entry)), folder.read(found.path)
    while True:
        chunk = next(ours, b"")
        if chunk != next(theirs, b""):
            return False
        if not chunk:
            return True


def _rechunked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Cut pieces of any size into those that a folder reads."""
    kept = bytearray()
    for piece in pieces:
        if not kept and len(piece) == CHUNK_BYTES:
            yield piece
            continue
        kept += piece
        while len(kept) >= CHUNK_BYTES:
            yield bytes(kept[:CHUNK_BYTES])
            del kept[:CHUNK_BYTES]
    if kept:
        yield bytes(kept)


def _check_entries(files: MirroredFiles) -> None:
    """Refuse what a folder must not get: paths come in order, so a file comes before what is below it."""
    above: list[str] = []
    for entry in files.list():
        path = entry.path
        if not is_normal(path):
            raise BadArgument(f"{path!r} is not a path of a drive: nothing is written")
        check_path(path)
        while above and not path.startswith(above[-1]):
            above.pop()
        if above and path[len(above[-1]) :].startswith("/"):
            raise BadArgument(f"{above[-1]!r} is a file, and a folder with {path!r}: no folder can have both")
        above.append(path)
        if entry.linkname is not None:
            _relative(files.prefix, path, entry.linkname)


def _relative(prefix: str, path: str, target: str) -> str:
    """Return the link of a folder that leads where one of a drive does: relative, and up only at its start.

    The folder is that of the prefix in the drive. Whatever other links it meets, a link of that form does not
    leave the folder unless one of them does.

    Raises:
        BadArgument: it leads out of the folder, or no link can be that.
    """
    if not _is_target(target):
        raise BadArgument(f"the link {path!r} points to {target[:80]!r}, which is no path on disk")
    folder = path.rpartition("/")[0]
    top = prefix.split("/")[1:]
    reached = [] if target.startswith("/") else (prefix + folder).split("/")[1:]
    for part in target.split("/"):
        if part == ".." and not reached:
            break
        if part == "..":
            reached.pop()
        elif part not in ("", "."):
            reached.append(part)
    else:
        if reached[: len(top)] == top:
            return posixpath.relpath("/" + "/".join(reached[len(top) :]), folder or "/")
    raise BadArgument(f"the link {path!r} points to {target!r}, out of the folder")


def _is_target(target: str) -> bool:
    """Return whether a link on disk can have that text."""
    try:
        return 0 < len(os.fsencode(target)) <= MAX_PATH_BYTES and "\0" not in target
    except UnicodeEncodeError:  # half of a character, as JSON can have it
        return False


def _possible(found: Iterable[FolderEntry]) -> Iterator[FolderEntry]:
    """Refuse paths that no drive can have.

    Raises:
        BadArgument: there is one.
    """
    for each in found:
        if not _is_possible(each.path):
            raise BadArgument(f"{each.path!r}: no drive has a path with a backslash, or that is not UTF-8")
        yield each


def _is_possible(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return is_normal(path)


def _in_folder(prefix: str, entry: DriveEntry) -> str | None:
    """Return what the link of an entry is in a folder, None if it can be in none."""
    try:
        return _relative(prefix, entry.path, entry.linkname or "")
    except BadArgument:
        return None


def run(steps: Iterator[MirrorStep], progress: Progress | None) -> MirrorSummary:
    """Do all steps and return what was done."""
    summary = MirrorSummary()
    for step in steps:
        summary.count(step)
        if progress is not None:
            progress(step)
    return summary
