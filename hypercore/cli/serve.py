"""``serve``: the cores of a store, to whoever connects and knows their keys."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from hypercore import aio
from hypercore.cli.address import LARGEST_PORT, Address
from hypercore.cli.commands import OK, Commands, add_core_choice, add_path, printable, some, whole_number
from hypercore.cli.stores import StoredCore, open_all, open_core, open_database, stored_cores
from hypercore.core import Hypercore
from hypercore.corestore import Corestore
from hypercore.errors import StorageError
from hypercore.ids import encode_id


def add_to(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "serve",
        run,
        summary="let others copy the cores of a store",
        description="Serve the cores of a store over TCP, until Ctrl-C or SIGTERM. Prints id, length and\n"
        "name of each core, and then, as soon as it listens, the address.",
        epilog="Whoever connects and knows the id of a core gets all of it, and learns nothing of others.\n"
        "Nobody else can open the store meanwhile.\n\n"
        "examples:\n"
        "  python -m hypercore serve ./data\n"
        "  python -m hypercore serve ./data --name log --host 0.0.0.0 --port 4977\n"
        "and on another machine:\n"
        "  python -m hypercore clone ID HOST:4977 ./copy",
    )
    add_path(parser)
    add_core_choice(parser, default="all cores")
    parser.add_argument(
        "--host",
        type=some("a host"),  # at an empty one asyncio would listen at all addresses
        default="127.0.0.1",
        help="address to listen at, 0.0.0.0 for all that this machine has (default: 127.0.0.1)",
    )
    parser.add_argument(
        "--port",
        type=whole_number(0, LARGEST_PORT),
        default=0,
        metavar="N",
        help="TCP port to listen at (default: any that is free)",
    )
    parser.add_argument(
        "--max-clients",
        type=whole_number(1, 2**31 - 1),
        default=aio.MAX_CONNECTIONS,
        metavar="N",
        help="how many may be connected at once; others are hung up on (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Print the cores and serve them until a signal."""
    if options.core is not None or options.name is not None:
        core = open_core(options.path, key=options.core, name=options.name)
        print(core.id, core.length)
        source: Corestore | Hypercore = core
    else:
        _print_all(options.path)
        source = open_all(options.path)
    with source:
        asyncio.run(_serve(source, Address(options.host, options.port), options.max_clients))
    return OK


def _print_all(path: Path) -> None:
    with closing(open_database(path)) as database:
        for stored in stored_cores(database):
            _print(stored)


def _print(stored: StoredCore) -> None:
    """Print a line for a core; one that cannot be read does not hide the others."""
    try:
        core = stored.open()
    except StorageError as error:
        _report(error)
    else:
        print(f"{encode_id(core.key)} {core.tree.length} {printable(stored.name or '')}".rstrip())


async def _serve(source: Corestore | Hypercore, address: Address, max_clients: int) -> None:
    serving = await aio.serve(source, address.host, address.port, max_connections=max_clients, report=_report)
    async with serving as server:
        with _stopping() as stopped:
            print(f"listening at {Address(address.host, server.port)}", flush=True)
            await stopped.wait()


@contextmanager
def _stopping() -> Iterator[asyncio.Event]:
    """Give an event that Ctrl-C and SIGTERM set."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _report(error: Exception) -> None:
    print(f"error: {printable(str(error))}", file=sys.stderr, flush=True)
