"""Messages of extensions, and blocks that nobody asked for, go to Node and come from there."""

import asyncio

import pytest

from hypercore import Corestore, aio
from hypercore.encoding import encode_buffer
from tests.interop.replication import block, complete, linked, until
from tests.loops import in_loop


@pytest.fixture
def ours():
    with Corestore(None) as store:
        yield store


@in_loop
async def test_node_answers_our_messages_and_we_answer_those_of_node(node, version, tmp_path, ours):
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    await theirs("append", sizes=[1])
    answering = await theirs("openExtension", name="theirs", answer="yes,")
    asking = await theirs("openExtension", name="ours")
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    with (
        ours.get(key=theirs.key) as core,
        aio.Extension(core, "theirs", lambda message, peer: heard.put_nowait(message)) as question,
        aio.Extension(core, "ours", lambda message, peer: peer.extend("ours", b"no, " + message)),
    ):
        async with linked(ours, theirs):
            await aio.update(core)
            assert question.broadcast(b"is it so?") == 1
            assert question.broadcast("größer?".encode()) == 1
            assert await answering("heard", count=2) == ["is it so?", "größer?"]
            assert [await heard.get(), await heard.get()] == [b"yes, is it so?", "yes, größer?".encode()]
            await asking("broadcast", text="still?")
            await asking("broadcast", text="")
            assert await asking("heard", count=2) == ["no, still?", "no, "]


@in_loop
async def test_messages_without_an_encoding_have_their_length_before_them_in_node(node, tmp_path, ours):
    theirs = await node("openAlone", version=11, path=str(tmp_path))
    await theirs("append", sizes=[1])
    echo = await theirs("openExtension", name="bytes", encoding="buffer")
    with ours.get(key=theirs.key) as core, aio.Extension(core, "bytes") as bytes_:
        async with linked(ours, theirs):
            await aio.update(core)
            bytes_.broadcast(encode_buffer(b"\x00\x01"))
            assert await echo("heard", count=1) == [{"type": "Buffer", "data": [0, 1]}]


@in_loop
async def test_node_pushes_blocks_to_us(node, tmp_path, ours):
    theirs = await node("openAlone", version=11, path=str(tmp_path))
    await theirs("append", sizes=[10] * 20)
    with ours.get(key=theirs.key) as core:
        aio.allow_push(core)
        async with linked(ours, theirs):
            await aio.update(core)
            await theirs("pushable")
            for index in (3, 19, 0):
                await theirs("push", index=index)
            await until(lambda: all(core.has(index) for index in (3, 19, 0)), core)
            await theirs("append", sizes=[11] * 5)
            await theirs("push", index=22)
            await until(lambda: core.has(22), core)
        assert core.get(22) == block(22, 11)
        assert core.length == 25
        assert not core.audit()


@in_loop
async def test_we_push_blocks_to_node(node, tmp_path, ours):
    with ours.get(name="core") as core:
        core.append([b"block"] * 20)
        theirs = await node("openAlone", version=11, path=str(tmp_path), options={"key": core.key.hex()})
        await theirs("allowPush")
        async with linked(ours, theirs):
            await theirs("update")
            for index in (3, 19, 0):
                assert aio.push(core, index) == 1
            await theirs("untilStored", count=3, length=20)
            core.append([b"more"] * 5)
            assert aio.push(core, 22) == 1
            await theirs("untilStored", count=4, length=25)
        assert await theirs("stored", start=0, end=25) == [0, 3, 19, 22]


@in_loop
async def test_nobody_is_pushed_what_they_do_not_take(node, tmp_path, ours):
    with ours.get(name="core") as core:
        core.append([b"block"] * 20)
        theirs = await node("openAlone", version=11, path=str(tmp_path), options={"key": core.key.hex()})
        async with linked(ours, theirs):
            await theirs("update")
            assert aio.push(core, 3) == 0


@in_loop
async def test_a_core_that_is_only_pushed_to_is_complete_in_the_end(node, tmp_path, ours):
    theirs = await node("openAlone", version=11, path=str(tmp_path))
    with ours.get(key=theirs.key) as core:
        aio.allow_push(core)
        async with linked(ours, theirs):
            await aio.update(core)
            await theirs("pushable")
            for index in range(30):
                await theirs("append", sizes=[index])
                await theirs("push", index=index)
            await until(lambda: core.contiguous_length == 30, core)
        assert complete(core)
