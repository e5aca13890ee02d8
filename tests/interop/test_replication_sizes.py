"""Empty and huge blocks, and cores of many blocks, are replicated with Node."""

import asyncio

import pytest

from hypercore import Hypercore, KeyPair, aio
from hypercore.core.hypercore import MAX_BLOCK_BYTES
from tests.interop.replication import block, complete, digest, linked
from tests.loops import in_loop

HUGE = [3, MAX_BLOCK_BYTES, MAX_BLOCK_BYTES, 0, 0, 5, *[100_000] * 60, MAX_BLOCK_BYTES, 7]
MANY = 70_000
# The first and last of pages of bits, and of what is asked about together.
PLACES = [0, 1, 31, 32, 32_767, 32_768, 40_000, 65_535, 65_536, 69_998, 69_999]


def blocks_of(sizes):
    return [block(index, size) for index, size in enumerate(sizes)]


def blocks_at(places):
    return [block(index, 1) for index in places]


@pytest.mark.parametrize("sizes", [HUGE, [0] * 200], ids=["huge", "empty"])
@in_loop
async def test_we_download_huge_and_empty_blocks(node, version, tmp_path, sizes):
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    await theirs("append", sizes=sizes)
    with Hypercore(key=theirs.key) as core:
        async with linked(core, theirs):
            await aio.download(core)
        assert digest(core.read_stream()) == digest(blocks_of(sizes))
        assert complete(core)


@pytest.mark.parametrize("sizes", [HUGE, [0] * 200], ids=["huge", "empty"])
@in_loop
async def test_node_downloads_huge_and_empty_blocks(node, version, tmp_path, sizes):
    with Hypercore(key_pair=KeyPair.generate()) as core:
        for each in blocks_of(sizes):
            core.append(each)
        theirs = await node("openAlone", version=version, path=str(tmp_path), options={"key": core.key.hex()})
        async with linked(core, theirs):
            await theirs("update")
            await theirs("download", start=0, end=len(sizes))
            assert await theirs("digest", start=0, end=len(sizes)) == digest(core.read_stream())


@pytest.fixture(scope="module")
def many():
    """A core of many blocks."""
    with Hypercore(key_pair=KeyPair.generate()) as core:
        core.append(blocks_at(range(MANY)))
        yield core


@in_loop
async def test_single_blocks_of_many_are_handed_on_by_us_to_node_and_back(node, version, tmp_path, many):
    options = {"key": many.key.hex()}
    first, second = [
        await node("openAlone", version=version, path=str(tmp_path / name), options=options)
        for name in ("first", "second")
    ]
    with Hypercore(key=many.key) as copy:
        async with linked(many, first):
            for index in PLACES:
                assert await first("get", index=index) == block(index, 1).hex()
        async with linked(copy, first):
            assert await asyncio.gather(*(aio.get(copy, index) for index in PLACES)) == blocks_at(PLACES)
        assert [index for index in range(MANY) if copy.has(index)] == PLACES
        async with linked(copy, second):
            for index in PLACES:
                assert await second("get", index=index) == block(index, 1).hex()
        assert await second("stored", start=0, end=MANY) == PLACES


@in_loop
async def test_we_download_a_core_of_many_blocks(node, tmp_path):
    theirs = await node("openAlone", version=11, path=str(tmp_path))
    await theirs("append", sizes=[1] * MANY)
    with Hypercore(key=theirs.key) as core:
        async with linked(core, theirs):
            await aio.download(core)
        assert core.contiguous_length == MANY
        assert digest(core.read_stream()) == digest(blocks_at(range(MANY)))


@in_loop
async def test_node_downloads_a_core_of_many_blocks(node, tmp_path, many):
    theirs = await node("openAlone", version=11, path=str(tmp_path), options={"key": many.key.hex()})
    async with linked(many, theirs):
        await theirs("update")
        await theirs("download", start=0, end=MANY)
        await theirs("until", state={"contiguousLength": MANY})
