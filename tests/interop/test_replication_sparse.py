"""Single blocks, byte offsets and byte streams, fetched from a core of the other side."""

import asyncio
from hashlib import sha256

import pytest

from hypercore import Corestore, Hypercore, KeyPair, aio
from tests.interop.replication import block, complete, digest, linked, until
from tests.interop.seeds import SEEDS
from tests.loops import in_loop

LENGTH = 200


def sizes_of(random, smallest=0):
    """Return sizes of blocks, of which some are as small as can be."""
    return [random.choice([smallest, 2, 30, 500]) for _ in range(LENGTH)]


@pytest.fixture
def ours():
    with Corestore(None) as store:
        yield store


@pytest.mark.parametrize("seed", SEEDS[::4])
@in_loop
async def test_we_fetch_single_blocks_of_node(node, version, tmp_path, ours, random):
    sizes = sizes_of(random)
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    await theirs("append", sizes=sizes)
    wanted = random.sample(range(LENGTH), 30)
    with ours.get(key=theirs.key) as core:
        async with linked(ours, theirs):
            for index in wanted:
                assert await aio.get(core, index) == block(index, sizes[index])
        assert [index for index in range(LENGTH) if core.has(index)] == sorted(wanted)
        assert not core.audit()


@pytest.mark.parametrize("seed", SEEDS[::4])
@in_loop
async def test_node_fetches_single_blocks_of_us(node, version, tmp_path, ours, random):
    sizes = sizes_of(random)
    wanted = random.sample(range(LENGTH), 30)
    with ours.get(name="core") as core:
        core.append([block(index, size) for index, size in enumerate(sizes)])
        theirs = await node("openAlone", version=version, path=str(tmp_path), options={"key": core.key.hex()})
        async with linked(ours, theirs):
            for index in wanted:
                assert await theirs("get", index=index) == block(index, sizes[index]).hex()
    assert await theirs("stored", start=0, end=LENGTH) == sorted(wanted)


async def half_of(node, version, tmp_path, source, kept):
    """Open a core in Node that has only some blocks of another, which it has fetched from it."""
    half = await node(
        "openAlone", version=version, path=str(tmp_path / "half"), options={"key": source.key.hex()}
    )
    server = await source("serve", isInitiator=False)
    await half("connect", port=server.about["port"], isInitiator=True)
    for index in kept:
        await half("get", index=index)
    return half


@pytest.mark.parametrize("seed", SEEDS[::4])
@in_loop
async def test_we_download_what_node_has_of_a_core_with_holes(node, version, tmp_path, ours, random):
    source = await node("openAlone", version=version, path=str(tmp_path / "source"))
    await source("append", sizes=sizes_of(random))
    kept = sorted(random.sample(range(LENGTH), 120))
    half = await half_of(node, version, tmp_path, source, kept)
    with ours.get(key=source.key) as core:
        async with linked(ours, half):
            for start, end in ranges(kept):
                await aio.download(core, start, end)
        assert [index for index in range(LENGTH) if core.has(index)] == kept
        assert not core.audit()


@pytest.mark.parametrize("seed", SEEDS[::4])
@in_loop
async def test_node_downloads_what_we_have_of_a_core_with_holes(node, version, tmp_path, ours, random):
    kept = sorted(random.sample(range(LENGTH), 120))
    with ours.get(name="core") as core:
        core.append([block(index, size) for index, size in enumerate(sizes_of(random))])
        for start, end in ranges(set(range(LENGTH)) - set(kept)):
            core.clear(start, end)
        theirs = await node("openAlone", version=version, path=str(tmp_path), options={"key": core.key.hex()})
        async with linked(ours, theirs):
            await theirs("update")
            for start, end in ranges(kept):
                await theirs("download", start=start, end=end)
    assert await theirs("stored", start=0, end=LENGTH) == kept


@in_loop
async def test_a_download_goes_on_when_blocks_come_that_were_missing_in_node(node, version, tmp_path, ours):
    source = await node("openAlone", version=version, path=str(tmp_path / "source"))
    await source("append", sizes=[10] * LENGTH)
    half = await half_of(node, version, tmp_path, source, range(1, LENGTH, 2))
    with ours.get(key=source.key) as core:
        async with linked(ours, half):
            await aio.update(core)
            downloading = asyncio.ensure_future(aio.download(core))
            await until(lambda: sum(core.has(index) for index in range(LENGTH)) == LENGTH // 2, core)
            await half("download", start=0, end=LENGTH)
            await downloading
        assert complete(core)


@in_loop
async def test_node_goes_on_when_blocks_come_that_were_missing_here(node, version, tmp_path, ours):
    with Hypercore(key_pair=KeyPair.generate()) as source, ours.get(key=source.key) as half:
        source.append([b"block"] * LENGTH)
        async with await aio.serve(source) as server, await aio.connect(ours, "127.0.0.1", server.port):
            for index in range(1, LENGTH, 2):
                await aio.get(half, index)
            theirs = await node(
                "openAlone", version=version, path=str(tmp_path), options={"key": source.key.hex()}
            )
            async with linked(ours, theirs):
                await theirs("update")
                downloading = asyncio.ensure_future(theirs("download", start=0, end=LENGTH))
                await theirs("untilStored", count=LENGTH // 2, length=LENGTH)
                await aio.download(half)
                await downloading
        assert await theirs("digest", start=0, end=LENGTH) == digest(source.read_stream())


@pytest.mark.parametrize("seed", SEEDS[::4])
@in_loop
async def test_we_seek_in_a_core_of_node(node, version, tmp_path, ours, random):
    sizes = sizes_of(random)
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    await theirs("append", sizes=sizes)
    with ours.get(key=theirs.key) as core:
        async with linked(ours, theirs):
            await aio.update(core)
            for offset in [0, *random.sample(range(sum(sizes)), 20)]:
                assert list(await aio.seek(core, offset)) == await theirs("seek", offset=offset)
        assert not any(core.has(index) for index in range(LENGTH))


@pytest.mark.parametrize("seed", SEEDS[::4])
@in_loop
async def test_node_seeks_in_a_core_of_ours(node, version, tmp_path, ours, random):
    sizes = sizes_of(random)
    with ours.get(name="core") as core:
        core.append([block(index, size) for index, size in enumerate(sizes)])
        theirs = await node("openAlone", version=version, path=str(tmp_path), options={"key": core.key.hex()})
        async with linked(ours, theirs):
            await theirs("update")
            for offset in [0, *random.sample(range(sum(sizes)), 20)]:
                assert await theirs("seek", offset=offset) == list(core.seek(offset))


@pytest.mark.parametrize("seed", SEEDS[::4])
@in_loop
async def test_node_reads_byte_streams_of_our_core(node, version, tmp_path, ours, random):
    # A byte stream of version 10 fails at an empty block, also between two of them.
    sizes = sizes_of(random, smallest=1 if version == 10 else 0)
    with ours.get(name="core") as core:
        core.append([block(index, size) for index, size in enumerate(sizes)])
        theirs = await node("openAlone", version=version, path=str(tmp_path), options={"key": core.key.hex()})
        async with linked(ours, theirs):
            await theirs("update")
            for _ in range(5):
                offset = random.randrange(sum(sizes))
                length = random.randrange(1, sum(sizes) - offset)
                expected = b"".join(core.byte_stream(offset, length))
                assert await theirs("byteStream", byteOffset=offset, byteLength=length) == {
                    "length": length,
                    "digest": sha256(expected).hexdigest(),
                }


def ranges(indexes):
    """Join indexes into ranges, each as its first and the one behind its last."""
    joined: list[list[int]] = []
    for index in sorted(indexes):
        if joined and joined[-1][1] == index:
            joined[-1][1] += 1
        else:
            joined.append([index, index + 1])
    return joined
