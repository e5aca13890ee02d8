"""Servers in a thread beside the command line under test."""

import asyncio
import threading
from contextlib import asynccontextmanager, contextmanager, suppress

from hypercore import aio

HOST = "127.0.0.1"


@contextmanager
def in_thread(manager):
    """Enter an asynchronous context manager in a thread of its own, for as long as this one lasts."""
    entered = threading.Event()
    given = []

    async def main():
        stop = asyncio.Event()
        async with manager as value:
            given.append((asyncio.get_running_loop(), stop, value))
            entered.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    try:
        assert entered.wait(30)
        yield given[0][2]
    finally:
        loop, stop, _ = given[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join()


@contextmanager
def serving(source):
    """Serve a store or core that nobody else uses meanwhile, and give the address."""
    with in_thread(server_of(source)) as server:
        yield f"{HOST}:{server.port}"


@asynccontextmanager
async def server_of(source):
    """Serve a store or core."""
    async with await aio.serve(source, HOST) as server:
        yield server


@contextmanager
def passing_on(address, limit):
    """Give the address of somebody who passes on so many bytes of a server's, and then hangs up."""
    with in_thread(_proxy(address, limit)) as address:
        yield address


@asynccontextmanager
async def _proxy(address, limit):
    port = int(address.rpartition(":")[2])
    async with listening(lambda reader, writer: _pass_on(reader, writer, port, limit)) as address:
        yield address


@asynccontextmanager
async def listening(accept):
    """Let a coroutine function talk to whoever connects; give the address."""
    tasks: list[asyncio.Future] = []

    async def accept_and_close(reader, writer):
        task = asyncio.current_task()
        assert task
        tasks.append(task)
        try:
            await accept(reader, writer)
        finally:
            await close(writer)

    async with await asyncio.start_server(accept_and_close, HOST, 0) as server:
        try:
            yield f"{HOST}:{server.sockets[0].getsockname()[1]}"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def close(writer):
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


async def _pass_on(reader, writer, port, limit):
    there, here = await asyncio.open_connection(HOST, port)
    asking = asyncio.ensure_future(_copy(reader, here))
    try:
        await _copy(there, writer, limit)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await close(here)


async def _copy(reader, writer, limit=1 << 60):
    while limit and (data := await reader.read(min(limit, 4096))):
        limit -= len(data)
        writer.write(data)
        await writer.drain()
