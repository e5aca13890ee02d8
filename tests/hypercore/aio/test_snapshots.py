"""Fetching what snapshots miss."""

import asyncio

import pytest

from hypercore import Corestore, Hyperbee, Hypercore, aio
from hypercore.errors import BlockNotAvailable
from tests.hypercore.aio.two_stores import BLOCKS, HOST
from tests.loops import in_loop


async def read_all(core):
    return [block async for block in aio.read_stream(core, timeout=20)]


@in_loop
async def test_a_sparse_snapshot_fetches_what_it_misses(stores, core, copy):
    async with await aio.serve(stores[0]) as server, await aio.connect(stores[1], HOST, server.port):
        await aio.update(copy, timeout=20)
        snapshot = copy.snapshot()
        core.append(b"later")
        assert await aio.seek(snapshot, 150, timeout=20) == core.seek(150)
        assert await aio.get(snapshot, 120, timeout=20) == BLOCKS[120]
        assert snapshot.has(120)
        assert await read_all(snapshot) == BLOCKS


@pytest.mark.parametrize(
    "read",
    [
        lambda snapshot: aio.get(snapshot, 120),
        lambda snapshot: aio.seek(snapshot, 250),
        read_all,
    ],
    ids=["get", "seek", "stream"],
)
@in_loop
async def test_what_a_snapshot_has_lost_by_a_truncation_is_not_waited_for(stores, core, copy, read):
    async with await aio.serve(stores[0]) as server, await aio.connect(stores[1], HOST, server.port):
        await aio.update(copy, timeout=20)
        snapshot = copy.snapshot()
        core.truncate(3)
        core.append([b"other"] * len(BLOCKS))
        while copy.fork == 0:
            await asyncio.sleep(0)
        await aio.download(copy, timeout=20)
        with pytest.raises(BlockNotAvailable, match="the core has 200 blocks"):
            await read(snapshot)
        assert await aio.get(copy, 120) == b"other"


@in_loop
async def test_a_snapshot_of_a_bee_that_was_truncated_says_which_block_it_misses():
    with Corestore() as here, Corestore() as there:
        bee = Hyperbee(here.get(name="bee"), key_encoding="utf-8", value_encoding="utf-8")
        with bee.batch() as batch:
            for number in range(1000):
                batch.put(f"{number:04}", "before")
        core = there.get(key=bee.core.key)
        copy = Hyperbee(core, key_encoding="utf-8", value_encoding="utf-8")
        async with await aio.serve(here) as server, await aio.connect(there, HOST, server.port):
            await aio.update(core, timeout=20)
            before = copy.snapshot()
            bee.core.truncate(1)
            with bee.batch() as batch:
                for number in range(1000):
                    batch.put(f"{number:04}", "after")
            while core.fork == 0:
                await asyncio.sleep(0)
            await aio.download(core, timeout=20)
            with pytest.raises(BlockNotAvailable):
                await aio.available(core, lambda: before.get("0500"))
            entry = await aio.available(core, lambda: copy.get("0500"))
            assert entry is not None
            assert entry.value == "after"


@in_loop
async def test_a_stream_of_a_snapshot_has_also_what_the_core_has_lost():
    with Hypercore() as core:
        core.append(BLOCKS)
        snapshot = core.snapshot()
        core.truncate(50)
        assert [block async for block in aio.read_stream(snapshot, 0, 200, timeout=20)] == BLOCKS


@in_loop
async def test_a_stream_of_a_named_session_has_also_its_own_blocks():
    with Hypercore() as core:
        core.append(BLOCKS)
        session = core.session("draft")
        session.append([b"own", b"too"])
        found = [block async for block in aio.read_stream(session, 0, 202, timeout=20)]
        assert found == [*BLOCKS, b"own", b"too"]
