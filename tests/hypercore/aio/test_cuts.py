"""Connections over sockets that are cut at random moments."""

import asyncio
import signal
import sys
from contextlib import suppress
from random import Random

import pytest

from hypercore import Corestore, aio
from tests.loops import in_loop

HOST = "127.0.0.1"
CUTS = 100
SIZE = 1000


@pytest.fixture
def core():
    with Corestore() as store:
        core = store.get(name="core")
        core.append([index.to_bytes(4, "big") * (SIZE // 4) for index in range(12_000)])
        yield core


async def one_change(core):
    """Wait until a core changes."""
    changed = asyncio.Event()
    stop = core.on_change(changed.set)
    await changed.wait()
    stop()


@in_loop
async def test_a_download_that_is_cut_a_hundred_times_brings_each_block_about_once(core, tmp_path):
    random = Random(5)
    received = cuts = 0
    with Corestore(tmp_path) as store:
        copy = store.get(key=core.key)
        async with await aio.serve(core) as server:
            downloading = asyncio.ensure_future(aio.download(copy, 0, core.length))
            while not downloading.done():
                connection = await aio.connect(store, HOST, server.port)
                if random.randrange(2):
                    for _ in range(random.randrange(12)):
                        await asyncio.sleep(0)
                else:
                    changing = asyncio.ensure_future(one_change(copy))
                    await asyncio.wait((changing, downloading), return_when=asyncio.FIRST_COMPLETED)
                    changing.cancel()
                    await asyncio.gather(changing, return_exceptions=True)
                connection.abort()
                received += connection.bytes_received
                cuts += 1
            await downloading
            assert cuts > 20
            assert list(copy.read_stream()) == list(core.read_stream())
            assert copy.audit() == []
            # Of each connection that was cut what was on its way is lost: up to 512 blocks.
            assert received < core.byte_length * 1.2 + cuts * 512 * SIZE


DOWNLOADER = """
import asyncio, sys
from hypercore import Corestore, aio

async def main(path, key, port):
    with Corestore(path) as store:
        async with await aio.connect(store, "127.0.0.1", int(port)):
            await aio.download(store.get(key=key))

asyncio.run(main(*sys.argv[1:]))
"""


@in_loop
async def test_a_downloader_that_is_killed_goes_on_where_it_was(core, tmp_path):
    async with await aio.serve(core) as server:
        arguments = [sys.executable, "-c", DOWNLOADER, str(tmp_path), core.id, str(server.port)]
        for requests in (1, 40, 80, 120):
            child = await asyncio.create_subprocess_exec(*arguments)
            while not server.connections:
                await asyncio.sleep(0.001)
            (connection,) = server.connections
            while connection.bytes_received < 1000 * requests and child.returncode is None:
                await asyncio.sleep(0.001)
            with suppress(ProcessLookupError):
                child.send_signal(signal.SIGKILL)
            await child.wait()
            await connection.wait_closed()
            with Corestore(tmp_path) as store:
                assert store.get(key=core.key).audit() == []
        with Corestore(tmp_path) as store:
            copy = store.get(key=core.key)
            async with await aio.connect(store, HOST, server.port) as connection:
                here = sum(last - first for first, last in copy.stored_ranges())
                assert here > 0
                await aio.download(copy, timeout=60)
                assert connection.bytes_received < (core.length - here) * (SIZE + 50) + 100_000
            assert list(copy.read_stream()) == list(core.read_stream())
            assert copy.audit() == []
