"""``info``: what there is in a store, as a table or as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

from hypercore.cli.commands import FAILED, OK, Commands, add_path, byte_size, core_id, printable
from hypercore.cli.stores import StoredCore, open_database, stored_cores
from hypercore.core import CoreInfo
from hypercore.errors import HypercoreError
from hypercore.ids import encode_id


def add_to(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "info",
        run,
        summary="list the cores of a store",
        description="List the cores of a store, the oldest first.",
        epilog="columns:\n"
        "  ID          the core's key; --core of the other commands takes it\n"
        "  LENGTH      blocks that the core has\n"
        "  BYTES       of all these blocks, as they are stored\n"
        "  FORK        how often it was truncated\n"
        "  CONTIGUOUS  blocks from the first on that are all stored here\n"
        "  STORED      blocks that are stored here\n"
        "  WRITABLE    whether the secret key is here, so that 'append' works\n"
        "  ON DISK     about; blocks of a few bytes each take many times their own size\n"
        "  NAME        that a Corestore knows it by\n\n"
        "--json prints {'path', 'cores'} with exact numbers; a core that cannot be read has an 'error'.\n\n"
        "examples:\n"
        "  python -m hypercore info ./data\n"
        "  python -m hypercore info ./data --json | jq -r '.cores[] | select(.writable) | .id'",
    )
    add_path(parser)
    parser.add_argument("--core", type=core_id, metavar="ID", help="only that core")
    parser.add_argument("--json", action="store_true", help="for machines: one JSON object")


def run(options: argparse.Namespace) -> int:
    """Print what there is in a store; FAILED when a core of it cannot be read."""
    with closing(open_database(options.path)) as database:
        cores = [_describe(core) for core in stored_cores(database, options.core)]
    broken = [core for core in cores if "error" in core]
    if options.json:
        print(json.dumps({"path": str(options.path), "cores": cores}, indent=2))
    elif cores:
        rows = [_row(core) for core in cores if "error" not in core]
        print("\n".join(_aligned([_HEADER, *rows])))
    else:
        print(f"{options.path}: the store has no cores")
    for core in broken:
        print(f"error: {printable(core['error'])}", file=sys.stderr)
    return FAILED if broken else OK


def _describe(core: StoredCore) -> dict[str, Any]:
    about = {"name": core.name, "discoveryKey": core.discovery_key.hex()}
    try:
        state = core.open()
        info = CoreInfo.of(state, state.tree.byte_length, 0)
    except HypercoreError as error:
        return {**about, "error": f"{core.label}: {error}"}
    return {
        **about,
        "id": encode_id(info.key),
        "length": info.length,
        "byteLength": info.byte_length,
        "fork": info.fork,
        "contiguousLength": info.contiguous_length,
        "storedBlocks": info.stored_blocks,
        "writable": info.writable,
        "diskBytes": info.disk_bytes,
    }


_HEADER = ("ID", "LENGTH", "BYTES", "FORK", "CONTIGUOUS", "STORED", "WRITABLE", "ON DISK", "NAME")


def _row(core: dict[str, Any]) -> Sequence[str]:
    return (
        core["id"],
        str(core["length"]),
        byte_size(core["byteLength"]),
        str(core["fork"]),
        str(core["contiguousLength"]),
        str(core["storedBlocks"]),
        "yes" if core["writable"] else "no",
        byte_size(core["diskBytes"]),
        printable(core["name"] or ""),
    )


def _aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Lay out a table; its last column, which may have letters of any width, needs no filling up."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *middle, last in rows:
        cells = [text.rjust(width) for text, width in zip(middle, widths[1:-1], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *cells, last]).rstrip()
