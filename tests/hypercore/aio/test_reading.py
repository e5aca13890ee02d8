"""Reading what peers have: all of it, parts, one after the other, and giving it up."""

import asyncio
from contextlib import asynccontextmanager
from random import Random

import pytest

from hypercore import Corestore, Hyperbee, aio
from hypercore.errors import BadArgument, Closed, RequestTimeout
from hypercore.replication import Replicator
from tests.loops import in_loop

HOST = "127.0.0.1"
BLOCKS = [b"%d" % number * (number % 7) for number in range(3000)]


@pytest.fixture
def core():
    with Corestore() as store:
        core = store.get(name="core")
        core.append(BLOCKS)
        yield core


@pytest.fixture
def copy(core):
    with Corestore() as store:
        copy = store.get(key=core.key)
        yield copy


@asynccontextmanager
async def linked(core, copy):
    async with await aio.serve(core) as server, await aio.connect(copy, HOST, server.port):
        yield


def stored(core):
    return sum(end - start for start, end in core.stored_ranges())


def nothing_is_wanted(core):
    return not Replicator.of(core.state).exchange.wants


@in_loop
async def test_the_length_is_learned_once(core, copy):
    async with linked(core, copy):
        assert await aio.update(copy, timeout=20) is True
        assert copy.length == len(BLOCKS)
        assert await aio.update(copy, timeout=20) is False
        assert stored(copy) == 0


@pytest.mark.parametrize("linear", [False, True])
@in_loop
async def test_all_blocks_are_downloaded_and_counted(core, copy, linear):
    seen: list[aio.Progress] = []
    async with linked(core, copy):
        await aio.download(copy, linear=linear, progress=seen.append, timeout=20)
    assert list(copy.read_stream()) == BLOCKS
    assert [each.blocks for each in seen] == sorted(each.blocks for each in seen)
    assert seen[-1] == aio.Progress(len(BLOCKS), len(BLOCKS))
    assert copy.audit() == []


@in_loop
async def test_a_part_is_downloaded_and_nothing_else(core, copy):
    async with linked(core, copy):
        await aio.download(copy, 100, 2000, timeout=20)
    assert copy.has(100, 2000)
    assert stored(copy) == 1900


@in_loop
async def test_blocks_that_are_appended_later_are_waited_for(core, copy):
    async with linked(core, copy):
        downloading = asyncio.ensure_future(aio.download(copy, 0, len(BLOCKS) + 2, timeout=20))
        await aio.get(copy, len(BLOCKS) - 1, timeout=20)
        core.append([b"a", b"b"])
        await downloading
    assert copy.get(len(BLOCKS) + 1) == b"b"


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (4, 3)])
@in_loop
async def test_a_range_that_is_none_is_refused(copy, start, end):
    with pytest.raises(BadArgument):
        await aio.download(copy, start, end)


@in_loop
async def test_nothing_that_comes_is_a_timeout(copy):
    for waiting in (aio.update, aio.download, lambda core, timeout: aio.get(core, 0, timeout=timeout)):
        with pytest.raises(RequestTimeout):
            await waiting(copy, timeout=0.01)
    assert nothing_is_wanted(copy)


@in_loop
async def test_a_progress_callback_that_fails_fails_its_download_and_nothing_else(core, copy):
    def fail(progress):
        raise ZeroDivisionError

    async with linked(core, copy):
        with pytest.raises(ZeroDivisionError):
            await aio.download(copy, progress=fail, timeout=20)
        await aio.download(copy, timeout=20)
    assert list(copy.read_stream()) == BLOCKS


@pytest.mark.parametrize(("start", "end"), [(0, None), (5, 2500), (2999, 3000), (7, 7)])
@in_loop
async def test_a_stream_brings_blocks_in_their_order(core, copy, start, end):
    async with linked(core, copy):
        await aio.download(copy, 1000, 1100, timeout=20)
        read = [block async for block in aio.read_stream(copy, start, end, timeout=20)]
    assert read == BLOCKS[start:end]
    assert nothing_is_wanted(copy)


@in_loop
async def test_a_stream_that_is_left_asks_for_no_more(core, copy):
    async with linked(core, copy):
        stream = aio.read_stream(copy, timeout=20)
        assert [await stream.__anext__() for _ in range(3)] == BLOCKS[:3]
        await stream.aclose()
        assert nothing_is_wanted(copy)
        assert stored(copy) < len(BLOCKS)


@in_loop
async def test_bytes_are_found_without_their_blocks(core, copy):
    random = Random(1)
    async with linked(core, copy):
        await aio.update(copy, timeout=20)
        for offset in [
            0,
            1,
            core.byte_length - 1,
            core.byte_length,
            *random.sample(range(core.byte_length), 30),
        ]:
            assert await aio.seek(copy, offset, timeout=20) == core.seek(offset)
        with pytest.raises(BadArgument):
            await aio.seek(copy, core.byte_length + 1)
    assert stored(copy) == 0


@in_loop
async def test_a_bee_is_read_as_far_as_it_is_needed():
    with Corestore() as here, Corestore() as there:
        bee = Hyperbee(here.get(name="bee"), key_encoding="utf-8", value_encoding="json")
        with bee.batch() as batch:
            for number in range(3000):
                batch.put(f"{number:05}", number)
        core = there.get(key=bee.core.key)
        copy = Hyperbee(core, key_encoding="utf-8", value_encoding="json")
        async with await aio.serve(here) as server, await aio.connect(there, HOST, server.port):
            await aio.update(core, timeout=20)
            entry = await aio.available(core, lambda: copy.get("01234"), timeout=20)
            assert entry is not None
            assert entry.value == 1234
            assert stored(core) < 100
            found = await aio.available(core, lambda: list(copy.items(gte="01000", lt="01500")), timeout=20)
            assert [each.value for each in found] == list(range(1000, 1500))
            assert await aio.available(core, lambda: copy.get("x"), timeout=20) is None
            assert nothing_is_wanted(core)


@in_loop
async def test_a_core_that_is_closed_fails_what_waits_for_it(core, copy):
    async with linked(core, copy):
        waiting = asyncio.ensure_future(aio.get(copy, len(BLOCKS), timeout=20))
        await aio.update(copy, timeout=20)
        copy.close()
        with pytest.raises(Closed):
            await waiting


@pytest.mark.parametrize("steps", range(0, 60, 3))
@in_loop
async def test_nothing_is_left_of_what_is_cancelled(core, copy, steps):
    async with linked(core, copy):
        tasks = [
            asyncio.ensure_future(work)
            for work in (
                aio.download(copy),
                aio.get(copy, 2999),
                aio.update(copy),
                aio.seek(copy, 5000),
                anext_of(aio.read_stream(copy, 50)),
            )
        ]
        for _ in range(steps):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert nothing_is_wanted(copy)
        await aio.download(copy, timeout=20)
    assert asyncio.all_tasks() == {asyncio.current_task()} | helpers()
    assert copy.audit() == []


@pytest.mark.parametrize("read", [aio.download, aio.read_stream], ids=["download", "stream"])
@in_loop
async def test_what_is_cancelled_in_the_turn_in_which_something_comes_is_cancelled(core, read):
    """The core is written here: it needs no connection to see its blocks come."""

    async def run():
        reading = read(core, len(BLOCKS), len(BLOCKS) + 2, timeout=20)
        if read is aio.download:
            await reading
        else:
            async for _ in reading:
                pass

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    core.append(b"one of two")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert nothing_is_wanted(core)


async def anext_of(stream):
    try:
        return await stream.__anext__()
    finally:
        await stream.aclose()


def helpers():
    """The task that runs the test's own."""
    return {task for task in asyncio.all_tasks() if "guarded" in repr(task)}


@in_loop
async def test_a_download_goes_on_over_another_connection_where_it_was_cut(core, copy):
    random = Random(2)
    cuts = 0
    async with await aio.serve(core) as server:
        downloading = asyncio.ensure_future(aio.download(copy, 0, len(BLOCKS)))
        while not downloading.done():
            async with await aio.connect(copy, HOST, server.port) as connection:
                for _ in range(random.randrange(1, 8 + cuts)):
                    await asyncio.sleep(0)
                connection.abort()
            cuts += 1
    assert cuts > 2
    assert list(copy.read_stream()) == BLOCKS
    assert copy.audit() == []


@in_loop
async def test_many_cores_share_one_connection():
    with Corestore() as here, Corestore() as there:
        cores = [here.get(name=f"{number}") for number in range(50)]
        for number, core in enumerate(cores):
            core.append([b"%d" % number] * 100)
        copies = [there.get(key=core.key) for core in cores]
        async with await aio.serve(here) as server, await aio.connect(there, HOST, server.port):
            await asyncio.gather(*(aio.download(copy, timeout=20) for copy in copies))
            assert len(server.connections) == 1
        for number, copy in enumerate(copies):
            assert list(copy.read_stream()) == [b"%d" % number] * 100


@in_loop
async def test_many_readers_share_one_server(core):
    readers = [Corestore() for _ in range(20)]
    copies = [reader.get(key=core.key) for reader in readers]
    async with await aio.serve(core) as server:
        connections = [await aio.connect(reader, HOST, server.port) for reader in readers]
        await asyncio.gather(*(aio.download(copy, timeout=20) for copy in copies))
        for connection in connections:
            await connection.close()
    assert all(list(copy.read_stream()) == BLOCKS for copy in copies)
    for reader in readers:
        reader.close()
