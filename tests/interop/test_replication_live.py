"""What one side does to a core while it is connected, the other one learns."""

import asyncio

import pytest

from hypercore import Corestore, Hypercore, aio
from tests.interop.replication import block, complete, digest, linked, reached
from tests.loops import in_loop

SIZES = [100] * 20


@pytest.fixture
def ours():
    with Corestore(None) as store:
        yield store


@in_loop
async def test_blocks_that_node_appends_while_connected_can_be_read_here(node, version, tmp_path, ours):
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    with ours.get(key=theirs.key) as core:
        async with linked(ours, theirs):
            for length in range(1, 6):
                await theirs("append", sizes=[length])
                await reached(core, 0, length)
                assert await aio.get(core, length - 1) == block(length - 1, length)
            await theirs("append", sizes=SIZES)
            await reached(core, 0, 25)
            await aio.download(core)
        assert complete(core)


@in_loop
async def test_blocks_that_we_append_while_connected_can_be_read_in_node(node, version, tmp_path, ours):
    with ours.get(name="core") as core:
        theirs = await node("openAlone", version=version, path=str(tmp_path), options={"key": core.key.hex()})
        async with linked(ours, theirs):
            for length in range(1, 6):
                core.append(b"%d" % length)
                await theirs("until", state={"length": length})
                assert await theirs("get", index=length - 1) == (b"%d" % length).hex()
            core.append([b"x"] * 20)
            await theirs("until", state={"length": 25})
            assert await theirs("digest", start=0, end=25) == digest(core.read_stream())


@in_loop
async def test_a_download_without_end_follows_node(node, version, tmp_path, ours):
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    with ours.get(key=theirs.key) as core:
        async with linked(ours, theirs):
            for length in (20, 40, 60):
                await theirs("append", sizes=SIZES)
                await reached(core, 0, length)
                await aio.download(core)
                assert core.contiguous_length == length


@in_loop
async def test_a_download_in_node_without_end_follows_us(node, version, tmp_path, ours):
    with ours.get(name="core") as core:
        theirs = await node("openAlone", version=version, path=str(tmp_path), options={"key": core.key.hex()})
        async with linked(ours, theirs):
            following = asyncio.ensure_future(theirs("download", start=0, end=-1))
            for length in (20, 40, 60):
                core.append([b"block"] * 20)
                await theirs("until", state={"contiguousLength": length})
            following.cancel()


@in_loop
async def test_we_follow_node_through_truncations(node, version, tmp_path, ours):
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    await theirs("append", sizes=SIZES)
    with ours.get(key=theirs.key) as core:
        async with linked(ours, theirs):
            await aio.download(core)
            for fork, length in enumerate((15, 7, 1, 0), 1):
                await theirs("truncate", length=length)
                await theirs("append", sizes=[fork] * 5)
                await reached(core, fork, length + 5)
                await aio.download(core)
                assert complete(core)
                assert core.get(length) == block(length, fork)


@in_loop
async def test_node_follows_us_through_truncations(node, version, tmp_path, ours):
    with ours.get(name="core") as core:
        core.append([b"block"] * 20)
        theirs = await node("openAlone", version=version, path=str(tmp_path), options={"key": core.key.hex()})
        async with linked(ours, theirs):
            await theirs("update")
            await theirs("download", start=0, end=20)
            for fork, length in enumerate((15, 7, 1, 0), 1):
                core.truncate(length)
                core.append([b"fork %d" % fork] * 5)
                await theirs("until", state={"fork": fork, "length": length + 5})
                assert await theirs("digest", start=0, end=length + 5) == digest(core.read_stream())


@in_loop
async def test_we_follow_a_truncation_that_happened_before_the_connection(node, version, tmp_path, ours):
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    await theirs("append", sizes=SIZES)
    with ours.get(key=theirs.key) as core:
        async with linked(ours, theirs):
            await aio.download(core)
        await theirs("truncate", length=10)
        await theirs("append", sizes=[5] * 20)
        async with linked(ours, theirs):
            await aio.download(core)
        assert (core.fork, core.length) == (1, 30)
        assert complete(core)


@in_loop
async def test_a_truncation_to_nothing_is_followed_when_something_is_appended(node, version, tmp_path):
    with Hypercore() as core:
        core.append([b"block"] * 20)
        theirs = await node("openAlone", version=version, path=str(tmp_path), options={"key": core.key.hex()})
        async with linked(core, theirs):
            await theirs("update")
            await theirs("download", start=0, end=20)
            core.truncate(0)
            core.append(b"again")
            await theirs("until", state={"fork": 1, "length": 1})
