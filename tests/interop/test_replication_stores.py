"""Cores of stores are made, opened, closed and opened again while the stores are connected to Node."""

import pytest

from hypercore import Corestore, aio
from tests.interop.replication import block, complete, digest, linked, reached
from tests.loops import in_loop


@pytest.fixture
def ours():
    with Corestore(None) as store:
        yield store


@in_loop
async def test_cores_that_are_made_while_connected_are_replicated(node, version, tmp_path, ours):
    theirs = await node("openStore", version=version, path=str(tmp_path))
    async with linked(ours, theirs):
        for number in range(5):
            mine = ours.get(name=f"core {number}")
            mine.append([b"%d" % number] * 10)
            copy = await theirs("openCore", options={"key": mine.key.hex()})
            assert await copy("digest", start=0, end=10) == digest(mine.read_stream())
            other = await theirs("openCore", options={"name": f"core {number}"})
            await other("append", sizes=[number] * 10)
            copied = ours.get(key=other.key)
            await aio.download(copied, 0, 10)
            assert list(copied.read_stream()) == [block(index, number) for index in range(10)]


@in_loop
async def test_a_core_that_was_closed_here_goes_on_when_it_is_opened_again(node, version, tmp_path, ours):
    theirs = await node("openStore", version=version, path=str(tmp_path))
    their_core = await theirs("openCore", options={"name": "core"})
    async with linked(ours, theirs):
        for length in (10, 20, 30):
            await their_core("append", sizes=[length] * 10)
            with ours.get(key=their_core.key) as core:
                await reached(core, 0, length)
                await aio.download(core)
                assert complete(core)


@in_loop
async def test_a_core_that_was_closed_in_node_goes_on_when_it_is_opened_again(node, version, tmp_path, ours):
    theirs = await node("openStore", version=version, path=str(tmp_path))
    with ours.get(name="core") as core:
        async with linked(ours, theirs):
            for length in (10, 20, 30):
                core.append([b"%d" % length] * 10)
                copy = await theirs("openCore", options={"key": core.key.hex()})
                await copy("until", state={"length": length})
                assert await copy("digest", start=0, end=length) == digest(core.read_stream())
                await copy("close")


@in_loop
async def test_a_core_is_served_though_nobody_here_has_it_open(node, version, tmp_path, ours):
    with ours.get(name="core") as core:
        core.append([b"block"] * 10)
        key, expected = core.key, digest(core.read_stream())
    theirs = await node("openStore", version=version, path=str(tmp_path))
    async with linked(ours, theirs):
        copy = await theirs("openCore", options={"key": key.hex()})
        assert await copy("digest", start=0, end=10) == expected


@in_loop
async def test_a_core_is_served_though_nobody_in_node_has_it_open(node, version, tmp_path, ours):
    theirs = await node("openStore", version=version, path=str(tmp_path))
    their_core = await theirs("openCore", options={"name": "core"})
    await their_core("append", sizes=[10] * 10)
    await their_core("close")
    async with linked(ours, theirs):
        core = ours.get(key=their_core.key)
        await aio.download(core, 0, 10)
        assert complete(core)


@in_loop
async def test_who_does_not_have_a_core_leaves_it_to_others(node, version, tmp_path, ours):
    empty = await node("openStore", version=version, path=str(tmp_path / "empty"))
    full = await node("openStore", version=version, path=str(tmp_path / "full"))
    their_core = await full("openCore", options={"name": "core"})
    await their_core("append", sizes=[10] * 10)
    core = ours.get(key=their_core.key)
    async with linked(ours, empty) as connection:
        assert await connection.has(core) is False
        async with linked(ours, full) as connection:
            assert await connection.has(core) is True
            await aio.download(core)
    assert complete(core)
