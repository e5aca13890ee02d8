"""Connections to Node are cut, and processes killed, in the middle of a download: it goes on where it was."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hypercore import Hypercore, HypercoreError, KeyPair, aio
from tests.interop.proxy import Proxy
from tests.interop.replication import block, complete, digest
from tests.interop.seeds import FRESH_SEED
from tests.loops import in_loop

LENGTH = 1500
SIZE = 2000
BYTES = LENGTH * SIZE
CUTS = 100
# Handshake, opening of the channel, and news, of one connection.
BYTES_PER_CONNECTION = 600
# What is asked for at once, and what is not stored yet of it because its subtree is not complete.
BLOCKS_ON_THEIR_WAY = 600


async def download_through(core, port):
    """Download as far as one connection goes; return whether that was all."""
    try:
        async with await aio.connect(core, "127.0.0.1", port) as connection:
            await connection.during(aio.download(core, 0, LENGTH))
    except HypercoreError:
        return False
    return True


@pytest.mark.parametrize("seed", [FRESH_SEED])
@in_loop
async def test_a_download_that_is_cut_100_times_takes_nothing_twice(node, version, tmp_path, random):
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    await theirs("append", sizes=[SIZE] * LENGTH)
    server = await theirs("serve", isInitiator=False)
    cuts = iter([random.randrange(2 * BYTES // CUTS) for _ in range(CUTS)])
    with Hypercore(key=theirs.key) as core:
        async with Proxy(server.about["port"], cut_after=lambda: next(cuts, None)) as proxy:
            connections = 1
            while not await download_through(core, proxy.port):
                connections += 1
        assert complete(core)
        assert digest(core.read_stream()) == digest(block(index, SIZE) for index in range(LENGTH))
        # A block needs few bytes besides its own. Frames that were cut have to come again, and do not count.
        assert proxy.whole < BYTES + 16 * LENGTH + BYTES_PER_CONNECTION * connections
        assert connections > CUTS / 2


@pytest.mark.parametrize("seed", [FRESH_SEED])
@in_loop
async def test_node_goes_on_where_it_was_when_its_connection_to_us_is_cut(node, version, tmp_path, random):
    with Hypercore(key_pair=KeyPair.generate()) as core:
        core.append([block(index, SIZE) for index in range(LENGTH)])
        theirs = await node("openAlone", version=version, path=str(tmp_path), options={"key": core.key.hex()})
        cuts = iter([random.randrange(2 * BYTES // 20) for _ in range(20)])
        errors: list[Exception] = []
        async with (
            await aio.serve(core, report=errors.append) as server,
            Proxy(server.port, cut_after=lambda: next(cuts, None)) as proxy,
        ):
            downloading = asyncio.ensure_future(theirs("download", start=0, end=LENGTH))
            while not downloading.done():
                connection = await theirs("connect", port=proxy.port, isInitiator=True)
                ended = asyncio.ensure_future(connection("ended"))
                await asyncio.wait((downloading, ended), return_when=asyncio.FIRST_COMPLETED)
        assert await theirs("digest", start=0, end=LENGTH) == digest(core.read_stream())
        assert not errors


class Clones:
    """Processes that run ``hypercore clone``, one after the other, to be killed."""

    def __init__(self, key: bytes, path: Path) -> None:
        self._key = key
        self._path = path
        self._running: list[subprocess.Popen[bytes]] = []

    async def run(self, port: int) -> bool:
        """Start one, wait for its end, and return whether it has got all."""
        address = f"127.0.0.1:{port}"
        command = [sys.executable, "-m", "hypercore", "clone", self._key.hex(), address, str(self._path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self._running = [process]
            _, errors = await asyncio.to_thread(process.communicate)
        assert process.returncode in (0, -signal.SIGKILL), errors
        return process.returncode == 0

    def kill(self) -> None:
        """Kill the one that runs."""
        for process in self._running:
            process.kill()


@pytest.mark.parametrize("seed", [FRESH_SEED])
@in_loop
async def test_a_downloader_that_is_killed_again_and_again_loses_no_more_than_was_on_its_way(
    node, tmp_path, random
):
    length, size, kills = 20_000, 100, 8
    theirs = await node("openAlone", version=11, path=str(tmp_path / "theirs"))
    await theirs("append", sizes=[size] * length)
    uploads = await theirs("countUploads")
    server = await theirs("serve", isInitiator=False)
    limits = iter([random.randrange(length * size // kills) for _ in range(kills)])
    clones = Clones(theirs.key, tmp_path / "clone")
    async with Proxy(server.about["port"], cut_after=lambda: next(limits, None), on_cut=clones.kill) as proxy:
        while not await clones.run(proxy.port):
            continue
    with Hypercore(tmp_path / "clone") as core:
        assert complete(core)
        assert digest(core.read_stream()) == digest(block(index, size) for index in range(length))
    uploaded = await uploads("uploads")
    assert set(uploaded) == set(range(length))
    assert len(uploaded) - length < kills * BLOCKS_ON_THEIR_WAY
