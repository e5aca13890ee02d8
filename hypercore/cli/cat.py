"""``cat``: the blocks of a core to stdout."""

from __future__ import annotations

import argparse
import sys

from hypercore.cli.commands import OK, Commands, add_core_choice, add_path, whole_number
from hypercore.cli.stores import open_core


def add_to(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "cat",
        run,
        summary="write blocks of a core to stdout",
        description="Write blocks of a core to stdout as they are stored, one right behind the other.\n"
        "It ends with an error at the first block that is not here.",
        epilog="examples:\n"
        "  python -m hypercore cat ./data --name log --lines | head\n"
        "  python -m hypercore cat ./data --start 7 --end 8 > block",
    )
    add_path(parser)
    add_core_choice(parser)
    parser.add_argument(
        "--start", type=whole_number(0), default=0, metavar="N", help="first block (default: 0)"
    )
    parser.add_argument(
        "--end", type=whole_number(0), metavar="N", help="block to stop in front of (default: the length)"
    )
    parser.add_argument("--lines", action="store_true", help="put a newline behind each block")


def run(options: argparse.Namespace) -> int:
    """Write the blocks."""
    ending = b"\n" if options.lines else b""
    write = sys.stdout.buffer.write
    with open_core(options.path, key=options.core, name=options.name) as core:
        for block in core.read_stream(options.start, options.end):
            write(block + ending)
    return OK
