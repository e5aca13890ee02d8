"""Who may connect, what ends a connection, and what goes on all the same."""

import asyncio
import os
import socket

import pytest

from hypercore import KeyPair, aio
from hypercore.aio import connecting, transport
from hypercore.errors import ConnectionLost, RemoteProtocolError
from tests.hypercore.aio.two_stores import BLOCKS, HOST
from tests.loops import in_loop


def is_complete(copy):
    return list(copy.read_stream()) == BLOCKS


@in_loop
async def test_both_sides_learn_each_others_public_key(stores):
    here, there = KeyPair.generate(), KeyPair.generate()
    async with (
        await aio.serve(stores[0], key_pair=here) as server,
        await aio.connect(stores[1], HOST, server.port, key_pair=there) as connection,
    ):
        (accepted,) = server.connections
        await accepted.opened()
        assert connection.remote_public_key == here.public_key
        assert accepted.remote_public_key == there.public_key
        assert connection.handshake_hash == accepted.handshake_hash


@in_loop
async def test_only_clients_that_are_allowed_may_connect(stores, core, copy):
    friend, stranger = KeyPair.generate(), KeyPair.generate()
    async with await aio.serve(stores[0], allow={friend.public_key}) as server:
        async with await aio.connect(stores[1], HOST, server.port, key_pair=friend):
            await aio.download(copy, timeout=20)
        connection = await aio.connect(stores[1], HOST, server.port, key_pair=stranger)
        await connection.wait_closed()
    assert is_complete(copy)


@in_loop
async def test_a_server_takes_no_more_clients_than_it_may(stores, core, copy):
    errors: list[Exception] = []
    async with await aio.serve(stores[0], max_connections=2, report=errors.append) as server:
        first = await aio.connect(stores[1], HOST, server.port)
        async with await aio.connect(stores[1], HOST, server.port):
            for _ in range(3):
                with pytest.raises(ConnectionLost, match=HOST):
                    await aio.connect(stores[1], HOST, server.port)
            assert ["as may be (2)" in str(error) for error in errors] == [True]
            await aio.download(copy, timeout=20)
            await first.close()
            while len(server.connections) > 1:
                await asyncio.sleep(0)
            async with await aio.connect(stores[1], HOST, server.port) as third:
                assert await third.has(copy)
    assert is_complete(copy)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system has no such option")
@in_loop
async def test_the_system_gives_up_a_peer_that_acknowledges_nothing_for_minutes(stores):
    async with await aio.serve(stores[0]) as server:
        ours = socket.create_connection((HOST, server.port))
        async with await aio.replicate(stores[1], ours, is_initiator=True):
            timeout_ms = ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert 60_000 <= timeout_ms <= 300_000


@in_loop
async def test_a_server_with_another_public_key_is_refused(stores):
    async with await aio.serve(stores[0]) as server:
        with pytest.raises(RemoteProtocolError, match="not allowed"):
            await aio.connect(stores[1], HOST, server.port, remote_public_key=KeyPair.generate().public_key)


@pytest.mark.parametrize("we_initiate", [True, False])
@in_loop
async def test_any_stream_socket_will_do(stores, core, copy, we_initiate):
    ours, theirs = socket.socketpair()
    serving, reading = await asyncio.gather(
        aio.replicate(stores[0], ours, is_initiator=we_initiate),
        aio.replicate(stores[1], theirs, is_initiator=not we_initiate),
    )
    async with serving, reading:
        await aio.download(copy, timeout=20)
    assert is_complete(copy)


@in_loop
async def test_whoever_says_nothing_is_not_waited_for(stores, monkeypatch):
    monkeypatch.setattr(transport, "_HANDSHAKE_TIMEOUT_S", 0.05)
    with socket.create_server((HOST, 0)) as silent, pytest.raises(ConnectionLost, match="no handshake"):
        await aio.connect(stores[0], HOST, silent.getsockname()[1])
    async with await aio.serve(stores[0]) as server:
        reader, writer = await asyncio.open_connection(HOST, server.port)
        assert await reader.read() == b""
        writer.close()


@in_loop
async def test_garbage_ends_the_connection_that_it_came_on_and_no_other(stores, core, copy):
    reported: list[Exception] = []
    async with (
        await aio.serve(stores[0], report=reported.append) as server,
        await aio.connect(stores[1], HOST, server.port) as connection,
    ):
        for size in (1, 35, 1000, 100_000):
            reader, writer = await asyncio.open_connection(HOST, server.port)
            writer.write(b"\xff" + os.urandom(size))
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
        await aio.download(copy, timeout=20)
        assert not connection.is_closed
    assert is_complete(copy)
    assert reported
    assert {type(error) for error in reported} == {RemoteProtocolError}


@in_loop
async def test_a_store_that_closes_ends_its_connections(stores):
    async with await aio.serve(stores[0]) as server:
        connection = await aio.connect(stores[1], HOST, server.port)
        stores[0].close()
        await connection.wait_closed()
        assert connection.error is None


@in_loop
async def test_closing_a_server_ends_its_connections_and_frees_its_port(stores):
    server = await aio.serve(stores[0])
    connections = [await aio.connect(stores[1], HOST, server.port) for _ in range(3)]
    await server.close()
    await server.close()
    await asyncio.gather(*(connection.wait_closed() for connection in connections))
    async with await aio.serve(stores[0], port=server.port):
        pass


@in_loop
async def test_a_lost_connection_is_made_again(stores, core, copy):
    first = await aio.serve(stores[0])
    async with aio.keep_connected(stores[1], HOST, first.port) as reconnector:
        await aio.update(copy, timeout=20)
        await first.close()
        core.append(b"more")
        async with await aio.serve(stores[0], port=first.port):
            while not await aio.update(copy, timeout=20):
                await copy_changed(copy)
        assert copy.length == len(BLOCKS) + 1
    assert reconnector.connection is None


async def copy_changed(copy):
    """Wait until a core changes."""
    changed = asyncio.Event()
    end = copy.on_change(changed.set)
    await changed.wait()
    end()


@in_loop
async def test_a_server_that_is_not_there_yet_is_tried_again_and_reported(stores, core, copy):
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        port = unused.getsockname()[1]
        failed = asyncio.Event()
        reported = []

        def report(error):
            reported.append(error)
            failed.set()

        reconnector = aio.keep_connected(stores[1], HOST, port, report=report)
        await failed.wait()
    async with reconnector, await aio.serve(stores[0], port=port):
        await aio.download(copy, timeout=20)
    assert is_complete(copy)
    assert {type(error) for error in reported} == {ConnectionLost}


@in_loop
async def test_a_server_that_breaks_the_protocol_is_reported_and_tried_ever_more_seldom(stores, monkeypatch):
    monkeypatch.setattr(connecting, "_FIRST_DELAY", 0.01)
    reported: list[Exception] = []
    times = []
    enough = asyncio.Event()

    async def break_it(reader, writer):
        async with await aio.replicate(stores[0], (reader, writer), is_initiator=False) as connection:
            times.append(asyncio.get_running_loop().time())
            writer.write(b"\x20\x00\x00" + bytes(32))
            await connection.wait_closed()

    def report(error):
        reported.append(error)
        if len(reported) == 4:
            enough.set()

    async with await asyncio.start_server(break_it, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with aio.keep_connected(stores[1], HOST, port, report=report) as reconnector:
            await enough.wait()
            assert reconnector.error is reported[-1]
    assert {str(error) for error in reported} == {"an encrypted frame that is not authentic"}
    assert times[3] - times[0] >= 0.01 + 0.02 + 0.04
