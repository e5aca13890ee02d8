"""``clone``: all blocks of a core, from a server."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hypercore import aio
from hypercore.cli.address import Address, address
from hypercore.cli.commands import OK, Commands, byte_size, core_id, disk_path, whole_number
from hypercore.cli.progress import progress
from hypercore.cli.stores import has_core, open_copy
from hypercore.core import Hypercore
from hypercore.errors import ConnectionLost, HypercoreError, RequestTimeout

_TIMEOUT_S = 30


def add_to(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "clone",
        run,
        summary="copy a core from a server",
        description="Copy all blocks of a core from a server, such as 'serve', each checked against the\n"
        "signature of the core's owner. Prints the core's id and length.",
        epilog="PATH may have a store, to which the core is added; else the core is stored there by itself.\n"
        "What has come stays when something goes wrong, or with Ctrl-C: the same command goes on there,\n"
        "and brings a complete copy up to date.\n\n"
        "examples:\n"
        "  python -m hypercore clone ID 127.0.0.1:4977 ./copy\n"
        "  python -m hypercore clone ID example.org:4977 ./copy --timeout 5 && echo complete",
    )
    parser.add_argument("key", type=core_id, metavar="KEY", help="id or key of the core")
    parser.add_argument("address", type=address, metavar="HOST:PORT", help="where the server listens")
    parser.add_argument(
        "path", type=disk_path, metavar="PATH", help="directory to copy to, made if it does not exist"
    )
    parser.add_argument(
        "--timeout",
        type=whole_number(1),
        default=_TIMEOUT_S,
        metavar="SECONDS",
        help=f"to wait for a server that says nothing new (default: {_TIMEOUT_S})",
    )


def run(options: argparse.Namespace) -> int:
    """Copy the core and print id and length."""
    if not has_core(options.path, options.key):
        # Nothing is stored before it is known that there is something to store.
        with Hypercore(key=options.key) as core:
            asyncio.run(_check(core, options.address, options.timeout))
    with open_copy(options.path, options.key) as core:
        asyncio.run(_clone(core, options.address, options.timeout))
        print(core.id, core.length)
    return OK


async def _check(core: Hypercore, server: Address, timeout: int) -> None:
    async with _connected(core, server, timeout):
        pass


async def _clone(core: Hypercore, server: Address, timeout: int) -> None:
    async with _connected(core, server, timeout) as connection:
        try:
            await connection.during(_fetch(core, connection, timeout))
        except (ConnectionLost, RequestTimeout) as error:
            stored = core.info().stored_blocks
            here = f"{stored} of {core.length} blocks are here, the same command goes on"
            raise type(error)(f"{server}: {error}; {here}") from error


async def _fetch(core: Hypercore, connection: aio.PeerConnection, timeout: int) -> None:
    await aio.update(core, timeout=timeout)
    length, blocks = core.length, core.info().stored_blocks
    with progress("block", lambda: length, done=blocks, keep=True) as bar:

        def show(now: aio.Progress) -> None:
            nonlocal blocks
            bar.note(byte_size(connection.bytes_received))
            bar.advance(now.blocks - blocks)
            blocks = now.blocks

        await aio.download(core, 0, length, progress=show, timeout=timeout)


@asynccontextmanager
async def _connected(core: Hypercore, server: Address, timeout: int) -> AsyncIterator[aio.PeerConnection]:
    """Give a connection to a server that has the core.

    Raises:
        ConnectionLost, RemoteProtocolError, RequestTimeout: there is no such server.
        HypercoreError: it does not have the core.
    """
    try:
        connection = await asyncio.wait_for(_connect(core, server), timeout)
    except asyncio.TimeoutError:
        raise RequestTimeout(f"{server}: no answer in {timeout} s") from None
    async with connection:
        yield connection


async def _connect(core: Hypercore, server: Address) -> aio.PeerConnection:
    connection = await aio.connect(core, server.host, server.port)
    try:
        if not await connection.has(core):
            raise HypercoreError(f"{server} does not have core {core.id}")
    except BaseException:
        await connection.close()
        raise
    return connection
