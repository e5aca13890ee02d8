"""Exchanging cores on streams that are open already."""

import asyncio
import socket
import sys
from contextlib import suppress

import pytest

from hypercore import Corestore, Hypercore, KeyPair, aio
from hypercore.errors import ConnectionLost, RemoteProtocolError

BLOCKS = [b"%d" % index * 500 for index in range(1000)]


async def pair():
    """Return the two ends of a connection in this process, each with its reader and writer."""
    one, other = socket.socketpair()
    return await asyncio.open_connection(sock=one), await asyncio.open_connection(sock=other)


@pytest.fixture
def writer():
    with Hypercore(key_pair=KeyPair.generate()) as core:
        core.append(BLOCKS)
        yield core


def run(scenario):
    """Run a scenario; what is raised in the loop fails the test."""
    raised = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: raised.append(context))
        await scenario()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert raised == []


async def joined(one, other, **options):
    """Exchange two sources, and return the connections of both sides."""
    (reader, writer), (other_reader, other_writer) = await pair()
    return await asyncio.gather(
        aio.replicate(one, (reader, writer), is_initiator=True),
        aio.replicate(other, (other_reader, other_writer), is_initiator=False, **options),
    )


def test_a_core_is_downloaded_over_a_pair_of_streams(writer):
    async def scenario():
        with Corestore(None) as store, store.get(key=writer.key) as copy:
            here, there = await joined(store, writer)
            async with here, there:
                await aio.download(copy)
            assert list(copy.read_stream()) == BLOCKS

    run(scenario)


def test_what_was_read_of_the_stream_before_does_not_matter(writer):
    async def scenario():
        (reader, writing), (other_reader, other_writing) = await pair()
        with Hypercore(key=writer.key) as copy:
            writing.write(b"GET /cores\n")
            connecting = asyncio.ensure_future(aio.replicate(copy, (reader, writing), is_initiator=True))
            assert await other_reader.readline() == b"GET /cores\n"
            serving = aio.replicate(writer, (other_reader, other_writing), is_initiator=False)
            async with await serving, await connecting:
                await aio.download(copy)
            assert copy.contiguous_length == len(BLOCKS)

    run(scenario)


@pytest.mark.parametrize("size", [1, 4 << 20], ids=["little", "much"])
def test_a_stream_that_cannot_be_written_ends_the_connection_though_it_can_be_read(size):
    async def scenario():
        (reader, writing), (other_reader, other_writing) = await pair()
        lasting = asyncio.StreamReader()

        async def relay():
            with suppress(ConnectionError):
                while data := await reader.read(1 << 16):
                    lasting.feed_data(data)

        relaying = asyncio.create_task(relay())
        with Hypercore() as core, Hypercore(key=core.key) as copy:
            here, there = await asyncio.gather(
                aio.replicate(core, (lasting, writing), is_initiator=True),
                aio.replicate(copy, (other_reader, other_writing), is_initiator=False),
            )
            extension = aio.Extension(core, "name")
            await aio.update(copy)
            if size > 1:
                extension.broadcast(bytes(size))
                await asyncio.sleep(0)
            there.abort()
            await relaying
            while not here.is_closed:
                extension.broadcast(b"more")
                await asyncio.sleep(0)
            assert isinstance(here.error, ConnectionLost)

    run(scenario)


@pytest.mark.parametrize("is_initiator", [True, False])
def test_a_stream_that_was_closed_before_is_a_lost_connection(is_initiator):
    async def scenario():
        (reader, writing), (_, other_writing) = await pair()
        writing.close()
        with Hypercore() as core:
            with pytest.raises(ConnectionLost, match="ended in its handshake"):
                await asyncio.wait_for(aio.replicate(core, (reader, writing), is_initiator=is_initiator), 10)
            assert not core.state.listeners
        other_writing.close()
        await other_writing.wait_closed()

    run(scenario)


def test_a_core_is_downloaded_from_a_process_over_its_pipes(tmp_path):
    program = """
import asyncio, sys
from hypercore import Hypercore, aio

async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    with Hypercore(sys.argv[1]) as core:
        connection = await aio.replicate(core, (reader, writer), is_initiator=False)
        await connection.wait_closed()

asyncio.run(main())
"""
    with Hypercore(tmp_path) as core:
        core.append(BLOCKS)
        key = core.key

    async def scenario():
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            program,
            str(tmp_path),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        with Hypercore(key=key) as copy:
            assert child.stdout
            assert child.stdin
            async with await aio.replicate(copy, (child.stdout, child.stdin), is_initiator=True):
                await aio.download(copy)
            assert list(copy.read_stream()) == BLOCKS
        assert await child.wait() == 0

    run(scenario)


@pytest.mark.parametrize("end", ["close", "abort"])
@pytest.mark.parametrize("side", [0, 1], ids=["here", "there"])
def test_the_end_of_one_side_is_that_of_the_other(writer, end, side):
    async def scenario():
        with Hypercore(key=writer.key) as copy:
            connections = await joined(copy, writer)
            if end == "close":
                await connections[side].close()
            else:
                connections[side].abort()
            for connection in connections:
                await connection.wait_closed()
                assert connection.is_closed
                await connection.close()

    run(scenario)


def test_a_stream_that_ends_in_the_handshake_is_a_lost_connection(writer):
    async def scenario():
        (reader, writing), (_, other_writing) = await pair()
        other_writing.close()
        with pytest.raises(ConnectionLost):
            await aio.replicate(writer, (reader, writing), is_initiator=True)
        await other_writing.wait_closed()

    run(scenario)


def test_who_speaks_another_protocol_is_hung_up_on(writer):
    async def scenario():
        (reader, writing), (other_reader, other_writing) = await pair()
        other_writing.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10)
        with pytest.raises(RemoteProtocolError):
            await aio.replicate(writer, (reader, writing), is_initiator=True)
        await other_reader.read()
        other_writing.close()
        await other_writing.wait_closed()

    run(scenario)


def test_who_is_not_allowed_is_hung_up_on(writer):
    async def scenario():
        (reader, writing), (other_reader, other_writing) = await pair()
        with Hypercore(key=writer.key) as copy:
            refused, refusing = await asyncio.gather(
                aio.replicate(copy, (reader, writing), is_initiator=True),
                aio.replicate(writer, (other_reader, other_writing), is_initiator=False, allow=[bytes(32)]),
                return_exceptions=True,
            )
        assert isinstance(refusing, RemoteProtocolError)
        assert "not allowed" in str(refusing)
        if isinstance(refused, aio.PeerConnection):
            await refused.wait_closed()

    run(scenario)


def test_more_arrives_than_fits_into_the_buffers():
    blocks = [bytes(100_000)] * 200

    async def scenario():
        with Hypercore(key_pair=KeyPair.generate()) as core, Hypercore(key=core.key) as copy:
            core.append(blocks)
            here, there = await joined(copy, core)
            async with here, there:
                await aio.download(copy)
                assert copy.contiguous_length == len(blocks)

    run(scenario)


def test_a_replication_that_is_cancelled_leaves_nothing(writer):
    async def scenario():
        (reader, writing), (other_reader, other_writing) = await pair()
        replicating = asyncio.ensure_future(aio.replicate(writer, (reader, writing), is_initiator=False))
        await asyncio.sleep(0)
        replicating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await replicating
        assert await other_reader.read() == b""
        other_writing.close()
        await other_writing.wait_closed()

    run(scenario)
