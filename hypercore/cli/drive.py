"""``drive``: the files of a Hyperdrive, and folders of the disk."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from hypercore.cli.commands import (
    OK,
    Commands,
    add_core_choice,
    add_path,
    disk_path,
    printable,
    utf8,
    whole_number,
)
from hypercore.cli.progress import progress
from hypercore.cli.stores import open_core, open_first
from hypercore.core import Hypercore
from hypercore.corestore import Corestore
from hypercore.errors import BadArgument, BlockNotAvailable, DecodingError, StorageEmpty
from hypercore.hyperbee import decode_header
from hypercore.hyperdrive import DriveCheckout, DriveEntry, Hyperdrive, MirrorStep

_SIGNS = {"add": "+", "change": "~", "remove": "-"}


def add_to(commands: Commands) -> None:
    """Add the commands."""
    group = commands.add_group(
        "drive",
        summary="read and write the files of a Hyperdrive",
        description="Read and write the files of a Hyperdrive: one at a time, or as a folder.",
        epilog="examples:\n"
        "  python -m hypercore drive ls ./data\n"
        "  python -m hypercore drive mirror ./data --to ./folder",
    )
    _add_ls(group)
    _add_cat(group)
    _add_put(group)
    _add_mirror(group)


def _add_ls(group: Commands) -> None:
    parser = group.add(
        "ls",
        _run_ls,
        summary="print the files in a folder of the drive",
        description="Print the files below a folder in the order of their paths: seq, bytes, x (a program),\n"
        "l (a link) or - (any other file), and path; behind a link what it points to.",
        epilog="examples:\n"
        "  python -m hypercore drive ls ./data\n"
        "  python -m hypercore drive ls ./data /photos --names\n"
        "  python -m hypercore drive ls ./data --version 12 --json",
    )
    _add_common(parser)
    parser.add_argument(
        "folder", type=utf8, nargs="?", default="/", metavar="FOLDER", help="of the drive (default: /)"
    )
    parser.add_argument(
        "--names", action="store_true", help="only the names in the folder itself, also those of folders"
    )
    _add_version(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object for each line")


def _add_cat(group: Commands) -> None:
    parser = group.add(
        "cat",
        _run_cat,
        summary="write a file of the drive to stdout",
        description="Write the data of a file to stdout. Links are followed.",
        epilog="example:\n  python -m hypercore drive cat ./data /film.mp4 > film.mp4",
    )
    _add_common(parser)
    parser.add_argument("file", type=utf8, metavar="FILE", help="path in the drive")
    _add_version(parser)


def _add_put(group: Commands) -> None:
    parser = group.add(
        "put",
        _run_put,
        summary="write stdin, or a file of the disk, to a file of the drive",
        description="Write stdin, or a file of the disk, to a file of the drive; it is there as a whole or\n"
        "not at all. A drive that does not exist yet is made. Prints the drive's id and its version.",
        epilog="examples:\n"
        "  python -m hypercore drive put ./data /hello.txt < hello.txt\n"
        "  python -m hypercore drive put ./data /bin/run ./run.sh --executable",
    )
    _add_common(parser)
    parser.add_argument("file", type=utf8, metavar="FILE", help="path in the drive")
    parser.add_argument(
        "source", nargs="?", type=disk_path, metavar="SOURCE", help="on disk (default: stdin)"
    )
    parser.add_argument("--executable", action="store_true", help="it is a program")


def _add_mirror(group: Commands) -> None:
    parser = group.add(
        "mirror",
        _run_mirror,
        summary="make a folder equal to the drive, or the drive to a folder",
        description="Make a folder of the disk equal to the drive, or the drive equal to a folder. Prints\n"
        "what changes: + for a new path, ~ for a changed one, - for one that is removed.",
        epilog="Without --prune nothing is removed. Nothing is ever written outside of the folder, and the\n"
        "store itself cannot lie in it.\n\n"
        "examples:\n"
        "  python -m hypercore drive mirror ./data --to ./folder --dry-run\n"
        "  python -m hypercore drive mirror ./data --from ./folder --prune\n"
        "  python -m hypercore drive mirror ./data --to ./photos --prefix /photos",
    )
    _add_common(parser)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--to", type=disk_path, metavar="FOLDER", help="make that folder equal to the drive")
    way.add_argument("--from", dest="source", type=disk_path, metavar="FOLDER", help="the other way round")
    parser.add_argument(
        "--prefix", type=utf8, default="/", metavar="FOLDER", help="of the drive (default: /)"
    )
    parser.add_argument("--prune", action="store_true", help="remove what the other side does not have")
    parser.add_argument("--dry-run", action="store_true", help="only print what would change")


def _add_common(parser: argparse.ArgumentParser) -> None:
    add_path(parser)
    add_core_choice(parser, "the oldest drive")


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--version", type=whole_number(1), metavar="N", help="the drive as it was then (default: as it is)"
    )


# --- running ------------------------------------------------------------------------------------------------


def _run_ls(options: argparse.Namespace) -> int:
    with _opened(options) as drive:
        view = _checkout(options, drive)
        if options.names:
            for name in view.readdir(options.folder):
                print(json.dumps(name) if options.json else printable(name))
            return OK
        for entry in view.list(options.folder):
            print(_json(view, entry) if options.json else _line(view, entry))
    return OK


def _run_cat(options: argparse.Namespace) -> int:
    with _opened(options) as drive:
        for piece in _checkout(options, drive).read_stream(options.file, follow=True):
            sys.stdout.buffer.write(piece)
    return OK


def _run_put(options: argparse.Namespace) -> int:
    if options.source is None and sys.stdin is None:
        options.usage_error("there is nothing to put: stdin is closed")
    with _opened(options, create=True) as drive:
        with (
            nullcontext(sys.stdin.buffer) if options.source is None else options.source.open("rb") as source,
            drive.open(options.file, "wb", executable=options.executable) as file,
        ):
            shutil.copyfileobj(source, file)
        print(drive.id, drive.version)
    return OK


def _run_mirror(options: argparse.Namespace) -> int:
    how = {"prefix": options.prefix, "prune": options.prune, "dry_run": options.dry_run}
    is_reading = options.to is not None
    with (
        _opened(options, create=not is_reading and not options.dry_run) as drive,
        progress("file", lambda: None) as bar,
    ):

        def done(step: MirrorStep) -> None:
            bar.advance(1)
            if step.op in _SIGNS:
                bar.say(f"{_SIGNS[step.op]} {printable(step.path)}")

        if is_reading:
            summary = drive.mirror(options.to, progress=done, **how)
        else:
            summary = drive.mirror_from(options.source, progress=done, **how)
    would = "would be " if options.dry_run else ""
    print(
        f"{summary.add} {would}added, {summary.change} {would}changed, {summary.remove} {would}removed, "
        f"{summary.files - summary.add - summary.change} as they were",
        file=sys.stderr,
    )
    return OK


@contextmanager
def _opened(options: argparse.Namespace, *, create: bool = False) -> Iterator[Hyperdrive]:
    """Open the drive that the options choose; ``create`` makes one that does not exist."""
    try:
        key = _find(options)
    except StorageEmpty:
        if not create or options.core is not None:
            raise
        key = None
    with Corestore(options.path) as store:
        if key is None and options.name is not None:
            key = store.get(name=options.name).key
        with Hyperdrive(store, key) as drive:
            yield drive


def _find(options: argparse.Namespace) -> bytes:
    """Return the key of the drive."""
    if options.core is None and options.name is None:
        with open_first(options.path, _is_drive, "Hyperdrive") as core:
            return core.key
    with open_core(options.path, key=options.core, name=options.name) as core:
        if core.has(0) and not _is_drive(core):
            raise BadArgument(f"{options.path}: core {core.id} is not a Hyperdrive")
        return core.key


def _is_drive(core: Hypercore) -> bool:
    """Return whether a core begins with the header of a drive's bee, which always has metadata."""
    try:
        return decode_header(core.get(0)) is not None
    except (BlockNotAvailable, DecodingError):
        return False


def _checkout(options: argparse.Namespace, drive: Hyperdrive) -> DriveCheckout:
    if options.version is None:
        return drive.snapshot()
    if options.version > drive.version:
        options.usage_error(f"the newest version of the drive is {drive.version}, not {options.version}")
    return drive.checkout(options.version)


def _size(view: DriveCheckout, entry: DriveEntry) -> int:
    """Return how many bytes a file has; only for one with a block map that has to be read."""
    blob = entry.blob
    if blob is None:
        return 0
    return view.blobs.byte_length(blob) if blob.block_map else blob.byte_length


def _line(view: DriveCheckout, entry: DriveEntry) -> str:
    kind = "l" if entry.linkname is not None else "x" if entry.executable else "-"
    target = "" if entry.linkname is None else f" -> {printable(entry.linkname)}"
    return f"{entry.seq}\t{_size(view, entry)}\t{kind}\t{printable(entry.path)}{target}"


def _json(view: DriveCheckout, entry: DriveEntry) -> str:
    fields = {
        "seq": entry.seq,
        "path": entry.path,
        "size": _size(view, entry),
        "executable": entry.executable,
        "linkname": entry.linkname,
        "metadata": entry.metadata,
    }
    return json.dumps(fields)
