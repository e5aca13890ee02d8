"""Addresses at which nobody is, or somebody else."""

import asyncio
import socket
import struct

import pytest

from hypercore import Corestore, aio
from hypercore.errors import ConnectionLost, RemoteProtocolError


@pytest.fixture
def store():
    with Corestore(None) as store:
        yield store


@pytest.fixture
def taken():
    """A port that another program listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free():
    """A port that nobody listens at: it is in use, but not for that."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


def message(coroutine):
    """Return what an address is refused with."""
    with pytest.raises(ConnectionLost) as caught:
        asyncio.run(coroutine)
    return str(caught.value)


def test_a_port_where_nobody_listens(store, free):
    assert message(aio.connect(store, "127.0.0.1", free)) == (
        f"cannot connect to 127.0.0.1:{free}: Connection refused"
    )


def test_a_port_that_somebody_else_listens_at(store, taken):
    assert message(aio.serve(store, "127.0.0.1", taken)) == (
        f"cannot listen at 127.0.0.1:{taken}: Address already in use"
    )


def test_an_address_that_is_not_ours(store):
    assert message(aio.serve(store, "192.0.2.1")).startswith("cannot listen at 192.0.2.1:0: ")


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["nothing", "http"])
def test_somebody_who_speaks_another_protocol(store, greeting):
    def greet(reader, writer):
        writer.write(greeting)
        writer.close()

    async def main():
        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises((ConnectionLost, RemoteProtocolError), match=rf"^127.0.0.1:{port}: "):
                await aio.connect(store, "127.0.0.1", port)

    asyncio.run(main())


def test_somebody_who_resets_the_connection(store):
    def reset(reader, writer):
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        writer.transport.abort()

    async def main():
        async with await asyncio.start_server(reset, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(ConnectionLost) as caught:
                await aio.connect(store, "127.0.0.1", port)
            assert str(caught.value) == f"127.0.0.1:{port}: the connection was lost: Connection reset by peer"

    asyncio.run(main())


def test_a_host_that_has_no_address(store):
    text = message(aio.connect(store, "host.invalid", 1))
    assert text.startswith("cannot connect to host.invalid:1: ")
    assert "(" not in text


@pytest.mark.parametrize("host", ["a..b", "a" * 64], ids=["empty-part", "long-part"])
def test_a_host_that_there_cannot_be(store, host):
    assert message(aio.connect(store, host, 1)) == f"cannot connect to {host}:1: no host has such a name"
    assert message(aio.serve(store, host)) == f"cannot listen at {host}:0: no host has such a name"
