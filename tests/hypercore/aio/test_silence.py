"""Peers that do not answer, do not read, or do both slowly."""

import asyncio
import socket

import pytest

from hypercore import Corestore, aio
from hypercore.aio import transport
from hypercore.errors import ConnectionLost, RequestTimeout
from hypercore.proofs import NodeRequest, ProofRequest
from hypercore.replication import Replicator
from hypercore.wire import Data, Request, Want
from tests.hypercore.replication.copying import blocks_of, writer_of
from tests.hypercore.replication.forged import ForgedPeer
from tests.hypercore.replication.played import PlayedPeer, PlayedServer
from tests.loops import in_loop

HOST = "127.0.0.1"


class Played(asyncio.Protocol):
    """Lets a played peer speak over a socket; what it hears is read unless it is told not to."""

    def __init__(self, peer):
        self.peer = peer
        self.lost = asyncio.get_running_loop().create_future()
        peer.wake = self.wake

    def connection_made(self, transport):
        self.transport = transport
        self.wake()

    def data_received(self, data):
        self.peer.receive(data, 0.0)
        self.wake()

    def wake(self):
        self.transport.write(self.peer.data_to_send(0.0))

    def connection_lost(self, error):
        self.lost.set_result(error)


async def serve_played(make):
    """Listen with a new played peer for every client; return the server and its port."""
    server = await asyncio.get_running_loop().create_server(lambda: Played(make()), HOST, 0)
    return server, server.sockets[0].getsockname()[1]


async def connect_played(peer, port):
    _, protocol = await asyncio.get_running_loop().create_connection(lambda: Played(peer), HOST, port)
    return protocol


SILENT = {
    "update": lambda core: aio.update(core, timeout=0.1),
    "get": lambda core: aio.get(core, 3, timeout=0.1),
    "download": lambda core: aio.download(core, 0, 8, timeout=0.1),
    "read_stream": lambda core: aio.read_stream(core, 0, 8, timeout=0.1).__anext__(),
    "available": lambda core: aio.available(core, lambda: core.get(3), timeout=0.1),
}


@pytest.mark.parametrize("work", SILENT.values(), ids=SILENT)
@in_loop
async def test_a_server_that_falls_silent_gives_a_timeout_and_leaves_nothing(work):
    core = writer_of(blocks_of(8))
    server, port = await serve_played(lambda: PlayedPeer([core.key], is_initiator=False))
    with Corestore() as store:
        copy = store.get(key=core.key)
        async with await aio.connect(store, HOST, port) as connection:
            with pytest.raises(RequestTimeout, match=copy.id):
                await work(copy)
            assert not connection.is_closed
            assert not Replicator.of(copy.state).exchange.wants
    server.close()
    await server.wait_closed()


@in_loop
async def test_a_seek_that_nobody_answers_gives_a_timeout():
    core = writer_of(blocks_of(8))

    def answer(request, true):
        return true if request.proof.upgrade else None

    server, port = await serve_played(lambda: PlayedServer(core, answer, is_initiator=False))
    with Corestore() as store:
        copy = store.get(key=core.key)
        async with await aio.connect(store, HOST, port):
            await aio.update(copy, timeout=20)
            with pytest.raises(RequestTimeout, match="byte 33"):
                await aio.seek(copy, 33, timeout=0.1)
            assert not Replicator.of(copy.state).exchange.wants
    server.close()
    await server.wait_closed()


@in_loop
async def test_a_download_ends_although_one_of_its_peers_answers_nothing(monkeypatch):
    """With the time of the tests' clock: ten seconds are not waited for."""
    core = writer_of(blocks_of(1000))

    def answer(request, true):
        return true if request.proof.upgrade else None

    monkeypatch.setattr("hypercore.replication.scheduler.ANSWER_TIMEOUT", 0.2)
    server, port = await serve_played(lambda: PlayedServer(core, answer, is_initiator=False))
    with Corestore() as store:
        copy = store.get(key=core.key)
        async with await aio.serve(core) as honest, await aio.connect(store, HOST, port):
            await aio.update(copy, timeout=20)
            downloading = asyncio.ensure_future(aio.download(copy, timeout=20))
            async with await aio.connect(store, HOST, honest.port):
                await downloading
        assert list(copy.read_stream()) == list(core.read_stream())
    server.close()
    await server.wait_closed()


@in_loop
async def test_who_asks_for_blocks_and_reads_nothing_fills_no_memory():
    core = writer_of([bytes(100_000)] * 300)
    async with await aio.serve(core) as server:
        peer = PlayedPeer([core.key])
        protocol = await connect_played(peer, server.port)
        while not peer.heard:
            await asyncio.sleep(0)
        protocol.transport.pause_reading()
        requests = [block_request(index) for index in range(300)]
        peer.say(*requests)
        (connection,) = server.connections
        while not connection._is_paused:
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        assert connection._transport is not None
        assert connection._transport.get_write_buffer_size() < 3 << 20
        # And somebody else is served all the while.
        with Corestore() as store:
            copy = store.get(key=core.key)
            async with await aio.connect(store, HOST, server.port):
                await aio.download(copy, 0, 20, timeout=20)
        protocol.transport.resume_reading()
        while len(peer.heard_of(Data)) < 300:
            await asyncio.sleep(0)
        protocol.transport.abort()


def block_request(index):
    return Request(index + 1, 0, ProofRequest(block=NodeRequest(index)))


@in_loop
async def test_who_makes_us_talk_and_reads_nothing_is_hung_up_on(monkeypatch):
    """Wants are answered at once; what nobody reads is kept up to a limit."""
    monkeypatch.setattr(transport, "_MAX_BUFFER_BYTES", 4 << 20)
    forged = ForgedPeer(1 << 21)
    with Corestore() as store:
        copy = store.get(key=forged.key)
        async with await aio.serve(store) as server:
            teacher = await connect_played(forged, server.port)
            while not copy.length:
                await asyncio.sleep(0)
            peer = PlayedPeer([forged.key])
            protocol = await connect_played(peer, server.port)
            while not peer.heard:
                await asyncio.sleep(0)
            protocol.transport.pause_reading()
            key = peer.key_pair.public_key
            connection = next(each for each in server.connections if each.remote_public_key == key)
            for _ in range(60):
                peer.say(Want(0, 1 << 21))
                await asyncio.sleep(0)
            await asyncio.wait_for(connection.wait_closed(), 20)
            assert isinstance(connection.error, ConnectionLost)
            assert "does not read" in str(connection.error)
            teacher.transport.abort()
            protocol.transport.abort()


@in_loop
async def test_who_connects_and_says_nothing_does_not_keep_others_away():
    core = writer_of(blocks_of(8))
    async with await aio.serve(core) as server:
        silent = [socket.create_connection((HOST, server.port)) for _ in range(50)]
        with Corestore() as store:
            copy = store.get(key=core.key)
            async with await aio.connect(store, HOST, server.port):
                await aio.download(copy, timeout=20)
        for sock in silent:
            sock.close()
