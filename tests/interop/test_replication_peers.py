"""Several peers: what one of them does not have, or does not answer, comes from another."""

import asyncio
import signal
import subprocess
import sys

import pytest

from hypercore import Corestore, Hypercore, KeyPair, aio
from hypercore.errors import RequestTimeout
from hypercore.replication import scheduler
from tests.interop.replication import Node, block, complete, digest, linked
from tests.loops import in_loop

LENGTH = 1000
SIZE = 100
BLOCKS = [block(index, SIZE) for index in range(LENGTH)]
HALVES = {
    "first and second": (range(LENGTH // 2), range(LENGTH // 2, LENGTH)),
    "even and odd": (range(0, LENGTH, 2), range(1, LENGTH, 2)),
}


@pytest.fixture
def other_node():
    with Node() as other:
        yield other


@pytest.fixture
def writer():
    with Hypercore(key_pair=KeyPair.generate()) as core:
        core.append(BLOCKS)
        yield core


async def half_in_node(node, version, path, writer, indexes):
    """Return a core in Node that has some blocks."""
    theirs = await node("openAlone", version=version, path=str(path), options={"key": writer.key.hex()})
    async with linked(writer, theirs):
        await asyncio.gather(*(theirs("get", index=index) for index in indexes))
    assert len(await theirs("stored", start=0, end=LENGTH)) == LENGTH // 2
    return theirs


async def half_here(path, writer, indexes):
    """Leave a core in a directory that has some blocks."""
    with Hypercore(path, key=writer.key) as core:
        async with await aio.serve(writer) as server, await aio.connect(core, "127.0.0.1", server.port):
            await asyncio.gather(*(aio.get(core, index) for index in indexes))


@pytest.mark.parametrize("halves", HALVES.values(), ids=HALVES)
@in_loop
async def test_we_get_all_from_node_and_from_another_process_of_ours(node, version, tmp_path, writer, halves):
    theirs = await half_in_node(node, version, tmp_path / "theirs", writer, halves[0])
    uploads = await theirs("countUploads")
    await half_here(tmp_path / "ours", writer, halves[1])
    command = [sys.executable, "-m", "hypercore", "serve", str(tmp_path / "ours")]
    with (
        Hypercore(key=writer.key) as core,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving,
    ):
        assert serving.stdout is not None
        try:
            port = int((await asyncio.to_thread(last_line, serving.stdout)).rpartition(":")[2])
            async with linked(core, theirs), await aio.connect(core, "127.0.0.1", port):
                await aio.download(core)
        finally:
            serving.terminate()
        assert list(core.read_stream()) == BLOCKS
        assert complete(core)
    assert sorted(await uploads("uploads")) == list(halves[0])


@pytest.mark.parametrize("halves", HALVES.values(), ids=HALVES)
@in_loop
async def test_node_gets_all_from_us_and_from_another_node(
    node, other_node, version, tmp_path, writer, halves
):
    theirs = await half_in_node(node, version, tmp_path / "theirs", writer, halves[0])
    await half_here(tmp_path / "ours", writer, halves[1])
    options = {"key": writer.key.hex()}
    third = await other_node("openAlone", version=version, path=str(tmp_path / "third"), options=options)
    server = await theirs("serve", isInitiator=False)
    with Hypercore(tmp_path / "ours") as core:
        async with linked(core, third):
            await third("connect", port=server.about["port"], isInitiator=True)
            await third("update")
            await third("download", start=0, end=LENGTH)
            assert await third("digest", start=0, end=LENGTH) == digest(BLOCKS)


@in_loop
async def test_what_a_silent_node_does_not_answer_comes_from_another(
    node, other_node, version, tmp_path, writer, monkeypatch
):
    monkeypatch.setattr(scheduler, "ANSWER_TIMEOUT", 0.3)
    silent = await half_in_node(other_node, version, tmp_path / "silent", writer, range(LENGTH // 2))
    await silent("download", start=0, end=0)
    with Corestore(None) as store, store.get(key=writer.key) as core:
        async with linked(store, silent):
            assert await aio.get(core, 0) == BLOCKS[0]
            other_node.signal(signal.SIGSTOP)
            try:
                downloading = asyncio.ensure_future(aio.download(core))
                async with (
                    await aio.serve(writer) as server,
                    await aio.connect(store, "127.0.0.1", server.port),
                ):
                    await downloading
            finally:
                other_node.signal(signal.SIGCONT)
        assert complete(core)


@in_loop
async def test_a_download_from_a_silent_node_alone_ends_with_a_timeout(
    other_node, version, tmp_path, monkeypatch
):
    monkeypatch.setattr(scheduler, "ANSWER_TIMEOUT", 0.3)
    theirs = await other_node("openAlone", version=version, path=str(tmp_path))
    await theirs("append", sizes=[SIZE] * LENGTH)
    with Corestore(None) as store, store.get(key=theirs.key) as core:
        async with linked(store, theirs):
            assert await aio.get(core, 0) == BLOCKS[0]
            other_node.signal(signal.SIGSTOP)
            try:
                with pytest.raises(RequestTimeout, match="did not all come"):
                    await aio.download(core, 0, LENGTH, timeout=0.5)
                with pytest.raises(RequestTimeout, match="block 700 did not come"):
                    await aio.get(core, 700, timeout=0.5)
            finally:
                other_node.signal(signal.SIGCONT)
            await aio.download(core)
        assert complete(core)


def last_line(lines):
    """Return the line that says where a server listens, which comes last."""
    return next(line.strip() for line in lines if "127.0.0.1:" in line)
