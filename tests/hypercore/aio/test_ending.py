"""Closing stores, cores, servers and connections in any order, and what waits for them meanwhile."""

import asyncio
import gc
import socket

import pytest

from hypercore import Corestore, Hypercore, aio
from hypercore.aio.transport import PeerConnection
from hypercore.errors import Closed, ConnectionLost
from tests.hypercore.aio.two_stores import BLOCKS, HOST
from tests.loops import in_loop

# --- what waits for a core that is closed -------------------------------------------------------------------

WAITING = {
    "update": lambda core: aio.update(core),
    "get": lambda core: aio.get(core, 5),
    "download": lambda core: aio.download(core, 0, 5),
    "read_stream": lambda core: aio.read_stream(core, 0, 5).__anext__(),
    "available": lambda core: aio.available(core, lambda: core.get(7)),
}


@pytest.mark.parametrize("work", WAITING.values(), ids=WAITING)
@pytest.mark.parametrize("closed", ["core", "store"])
@in_loop
async def test_what_waits_without_any_peer_fails_when_its_core_closes(stores, copy, work, closed):
    waiting = asyncio.ensure_future(work(copy))
    await asyncio.sleep(0)
    (copy if closed == "core" else stores[1]).close()
    with pytest.raises(Closed):
        await waiting


@pytest.mark.parametrize("work", WAITING.values(), ids=WAITING)
@in_loop
async def test_what_waits_for_a_core_alone_fails_when_it_closes(core, work):
    with Hypercore(key=core.key) as copy:
        waiting = asyncio.ensure_future(work(copy))
        await asyncio.sleep(0)
        copy.close()
        with pytest.raises(Closed):
            await waiting


@in_loop
async def test_what_waits_through_one_object_goes_on_when_another_closes(stores, core, copy):
    other = stores[1].get(key=core.key)
    waiting = asyncio.ensure_future(aio.get(copy, 5, timeout=20))
    await asyncio.sleep(0)
    other.close()
    async with await aio.serve(stores[0]) as server, await aio.connect(stores[1], HOST, server.port):
        assert await waiting == BLOCKS[5]


async def is_hung_up(sock):
    """Return whether the other side hangs up and says nothing."""
    sock.setblocking(False)
    try:
        return await asyncio.get_running_loop().sock_recv(sock, 100) == b""
    except ConnectionError:
        return True


# --- servers ------------------------------------------------------------------------------------------------


@in_loop
async def test_a_server_whose_store_is_closed_listens_no_more(stores):
    server = await aio.serve(stores[0])
    stores[0].close()
    with pytest.raises(ConnectionLost):
        await aio.connect(stores[1], HOST, server.port)
    await asyncio.wait_for(server.wait_closed(), 20)
    await server.close()


@in_loop
async def test_a_client_that_comes_while_the_store_closes_is_hung_up_on(stores):
    """It is in the queue of the listening socket already."""
    async with await aio.serve(stores[0]) as server:
        with socket.create_connection((HOST, server.port)) as client:
            stores[0].close()
            assert await is_hung_up(client)
    gc.collect()


@in_loop
async def test_a_client_that_comes_while_the_server_closes_is_hung_up_on(stores):
    server = await aio.serve(stores[0])
    with socket.create_connection((HOST, server.port)) as client:
        await server.close()
        assert await is_hung_up(client)
    assert not server.connections
    gc.collect()


@in_loop
async def test_several_may_wait_for_a_server_to_close(stores):
    server = await aio.serve(stores[0])
    waiting = [asyncio.ensure_future(server.wait_closed()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)
    await server.close()
    await asyncio.gather(*waiting)


@in_loop
async def test_who_waits_for_a_server_to_close_may_be_cancelled_and_the_server_goes_on(stores, core, copy):
    async with await aio.serve(stores[0]) as server:
        waiting = asyncio.ensure_future(server.wait_closed())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with await aio.connect(stores[1], HOST, server.port):
            await aio.download(copy, timeout=20)


# --- connections --------------------------------------------------------------------------------------------


@in_loop
async def test_a_connection_that_is_closed_before_it_begins_closes_its_transport(stores):
    """A server may close between the arrival of a client and the beginning of its connection."""
    ours, theirs = socket.socketpair()
    connection = PeerConnection(stores[0], is_initiator=True)
    await connection.close()
    await asyncio.get_running_loop().create_connection(lambda: connection, sock=ours)
    assert await is_hung_up(theirs)
    theirs.close()


@in_loop
async def test_what_was_said_before_a_connection_closes_arrives(stores, core, copy):
    aio.allow_push(copy)
    async with await aio.serve(stores[0]) as server:
        connection = await aio.connect(stores[1], HOST, server.port)
        await aio.update(copy, timeout=20)
        pushed = asyncio.Event()
        copy.on_change(pushed.set)
        assert aio.push(core, 7) == 1
        (accepted,) = server.connections
        await accepted.close()
        await connection.wait_closed()
        assert pushed.is_set()
        assert copy.get(7) == BLOCKS[7]


@pytest.mark.parametrize("steps", range(0, 40))
@in_loop
async def test_a_connect_that_is_cancelled_leaves_nothing(stores, copy, steps):
    async with await aio.serve(stores[0]) as server:
        connecting = asyncio.ensure_future(aio.connect(stores[1], HOST, server.port))
        for _ in range(steps):
            await asyncio.sleep(0)
        connecting.cancel()
        result = (await asyncio.gather(connecting, return_exceptions=True))[0]
        if isinstance(result, PeerConnection):
            await result.close()
        assert not stores[1]._cores.observers
        while server.connections:
            await next(iter(server.connections)).wait_closed()
            await asyncio.sleep(0)
    gc.collect()
    assert not stores[0]._cores.observers


@in_loop
async def test_keeping_connected_ends_with_the_store(stores):
    async with await aio.serve(stores[0]) as server:
        reported: list[Exception] = []
        reconnector = aio.keep_connected(stores[1], HOST, server.port, report=reported.append)
        while reconnector.connection is None:
            await asyncio.sleep(0)
        stores[1].close()
        await asyncio.wait_for(reconnector.wait_closed(), 20)
        assert reported == []
        await reconnector.close()


@in_loop
async def test_a_reconnector_that_is_closed_twice_is_closed(stores):
    async with await aio.serve(stores[0]) as server:
        reconnector = aio.keep_connected(stores[1], HOST, server.port)
        await reconnector.close()
        await reconnector.close()
        assert reconnector.connection is None
    assert not stores[1]._cores.observers


@pytest.mark.parametrize("steps", range(10))
@in_loop
async def test_a_reconnector_may_be_closed_at_any_moment_while_its_connection_ends(stores, steps):
    async with await aio.serve(stores[0]) as server:
        reconnector = aio.keep_connected(stores[1], HOST, server.port)
        while (connection := reconnector.connection) is None:
            await asyncio.sleep(0)
        connection.abort()
        for _ in range(steps):
            await asyncio.sleep(0)
        closing = asyncio.create_task(reconnector.close())
        done, _ = await asyncio.wait([closing], timeout=20)
        assert done == {closing}
        assert reconnector.connection is None
    assert not stores[1]._cores.observers


@in_loop
async def test_a_reconnector_may_be_closed_at_any_moment_while_it_connects(stores):
    async with await aio.serve(stores[0]) as server:
        is_connected, steps = False, 0
        while not is_connected:
            reconnector = aio.keep_connected(stores[1], HOST, server.port)
            for _ in range(steps):
                await asyncio.sleep(0)
            is_connected, steps = reconnector.connection is not None, steps + 1
            await asyncio.wait_for(reconnector.close(), 20)
            assert not stores[1]._cores.observers


@pytest.mark.parametrize("order", ["reader", "writer", "server", "connection"])
@in_loop
async def test_whatever_closes_first_during_a_download_nothing_is_left(tmp_path, order):
    writer, reader = Corestore(tmp_path / "writer"), Corestore(tmp_path / "reader")
    core = writer.get(name="core")
    core.append([bytes(1000)] * 3000)
    copy = reader.get(key=core.key)
    server = await aio.serve(writer)
    connection = await aio.connect(reader, HOST, server.port)
    downloading = asyncio.ensure_future(aio.download(copy, 0, 5000))
    await asyncio.wait_for(changes(copy, 3), 20)
    if order == "reader":
        reader.close()
        with pytest.raises(Closed):
            await downloading
    elif order == "writer":
        writer.close()
    elif order == "server":
        await server.close()
    else:
        await connection.close()
    await connection.wait_closed()
    if order != "reader":
        downloading.cancel()
        await asyncio.gather(downloading, return_exceptions=True)
    await server.close()
    assert not server.connections
    reader.close()
    writer.close()
    assert asyncio.all_tasks() == {asyncio.current_task()} | {
        task for task in asyncio.all_tasks() if "guarded" in repr(task)
    }
    with Corestore(tmp_path / "reader") as reader:
        assert reader.get(key=core_key(tmp_path)).audit() == []


def core_key(tmp_path):
    with Corestore(tmp_path / "writer") as writer:
        return writer.get(name="core").key


async def changes(core, count):
    """Wait until a core has changed some times."""
    left = asyncio.Semaphore(0)
    end = core.on_change(left.release)
    for _ in range(count):
        await left.acquire()
    end()
