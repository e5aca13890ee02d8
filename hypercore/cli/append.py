"""``append``: blocks from the command line or stdin to the end of a core."""

from __future__ import annotations

import argparse
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import BinaryIO, cast

from hypercore.cli.commands import OK, Commands, add_core_choice, add_path, whole_number
from hypercore.cli.progress import Progress, progress
from hypercore.cli.stores import open_core
from hypercore.core import MAX_BLOCK_BYTES, Hypercore
from hypercore.corestore import Corestore
from hypercore.errors import BadArgument, NotWritable, StorageEmpty

# What is appended in one commit, and so held in memory.
_LINES_BYTES = 64 * 1024
_BATCH_BYTES = 1024 * 1024
_BATCH_BLOCKS = 4096

Read = Callable[[int], bytes]
"""Returns bytes from stdin, at most as many as it is told; none at the end."""


def add_to(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "append",
        run,
        summary="append blocks to a core",
        description="Append each TEXT as a block; without TEXT each line of stdin, without its newline.\n"
        "Prints the core's id and its new length. A core --name that does not exist yet is made;\n"
        "where there is no store, a Hypercore by itself is.",
        epilog="Lines are appended as they come in. When something goes wrong in the middle, what was\n"
        "appended before stays; the length that is printed says how much that is.\n\n"
        "examples:\n"
        "  python -m hypercore append ./data --name log hello world\n"
        "  python -m hypercore append ./data --name log -- --a-text-with-dashes\n"
        "  journalctl -f | python -m hypercore append ./data --name journal\n"
        "  python -m hypercore append ./data --name film --block-size 65536 < film.mp4",
    )
    add_path(parser)
    add_core_choice(parser)
    parser.add_argument("text", nargs="*", metavar="TEXT", help="a block (default: the lines of stdin)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--binary", action="store_true", help="all of stdin is one block")
    form.add_argument(
        "--block-size",
        type=whole_number(1),
        metavar="N",
        help=f"stdin as it is, in blocks of N bytes, at most {MAX_BLOCK_BYTES}",
    )


def run(options: argparse.Namespace) -> int:
    """Append the blocks and print id and length."""
    if options.text and (options.binary or options.block_size):
        options.usage_error("TEXT and stdin, with --binary or --block-size, do not go together")
    if options.block_size is not None and options.block_size > MAX_BLOCK_BYTES:
        options.usage_error(f"argument --block-size: a block has at most {MAX_BLOCK_BYTES} bytes")
    with ExitStack() as stack:
        core = _open(options, stack)
        if not core.writable:
            raise NotWritable(f"core {core.id} cannot be written: its secret key is not here")
        try:
            if options.text:
                core.append([os.fsencode(text) for text in options.text])
            else:
                _append_input(core, options)
        finally:
            print(core.id, core.length)
    return OK


def _open(options: argparse.Namespace, stack: ExitStack) -> Hypercore:
    if options.name is not None:
        return stack.enter_context(Corestore(options.path)).get(name=options.name)
    try:
        return stack.enter_context(open_core(options.path, key=options.core))
    except StorageEmpty:
        if options.core is not None:
            raise
        return stack.enter_context(Hypercore(options.path))


def _append_input(core: Hypercore, options: argparse.Namespace) -> None:
    if sys.stdin is None:
        raise BadArgument("there is nothing to append: stdin is closed")
    source = cast(io.BufferedReader, sys.stdin.buffer)  # sys says only that it is binary
    if sys.stdin.isatty():
        print("reading stdin until Ctrl-D", file=sys.stderr)
        shown: AbstractContextManager[Progress] = nullcontext(Progress())
    else:
        shown = progress("B", lambda: _size(source))
    with shown as bar:

        def counted(chunk: bytes) -> bytes:
            bar.advance(len(chunk))
            return chunk

        if options.binary:
            batches = _whole(lambda size: counted(source.read(size)))
        elif options.block_size is not None:
            batches = _pieces(lambda size: counted(source.read(size)), options.block_size)
        else:
            batches = _lines(lambda size: counted(source.read1(size)))
        for blocks in batches:
            core.append(blocks)


def _whole(read: Read) -> Iterator[list[bytes]]:
    block = read(MAX_BLOCK_BYTES + 1)
    if len(block) > MAX_BLOCK_BYTES:
        raise BadArgument(
            f"stdin is too large for one block: at most {MAX_BLOCK_BYTES} bytes; --block-size N cuts it up"
        )
    yield [block]


def _pieces(read: Read, size: int) -> Iterator[list[bytes]]:
    while chunk := read(size * max(1, min(_BATCH_BLOCKS, _BATCH_BYTES // size))):
        yield [chunk[start : start + size] for start in range(0, len(chunk), size)]


def _lines(read: Read) -> Iterator[list[bytes]]:
    """Iterate over the lines that are there at a time, so that those of a slow pipe do not wait for more."""
    number = 1
    line = bytearray()
    while chunk := read(_LINES_BYTES):
        first, *others = chunk.split(b"\n")
        line += first
        if len(line) > MAX_BLOCK_BYTES:  # the others are as short as a chunk
            raise BadArgument(f"line {number} is too large for a block: at most {MAX_BLOCK_BYTES} bytes")
        if others:
            *whole, begun = others
            yield [bytes(line), *whole]
            number += len(others)
            line = bytearray(begun)
    if line:
        yield [bytes(line)]


def _size(source: BinaryIO) -> int | None:
    """Return how many bytes are to come, None if nobody knows."""
    try:
        status = os.fstat(source.fileno())
        return status.st_size - source.tell() if stat.S_ISREG(status.st_mode) else None
    except OSError:
        return None
