"""Asking the other side whether it has a core."""

import asyncio

import pytest

from hypercore import Hypercore, aio
from hypercore.errors import ConnectionLost


def run_between(here, there, scenario):
    """Run a scenario with the client's end of a connection and the server."""

    async def main():
        async with (
            await aio.serve(here) as server,
            await aio.connect(there, "127.0.0.1", server.port) as connection,
        ):
            await scenario(connection, server)

    asyncio.run(main())


def test_a_core_that_is_stored_there_is(stores):
    here, there = stores
    copy = there.get(key=here.get(name="core").key)

    async def scenario(connection, server):
        assert await connection.has(copy)
        assert await connection.has(copy)

    run_between(here, there, scenario)


def test_a_core_that_is_not_stored_there_is_not(stores):
    here, there = stores
    copy = there.get(key=bytes(32))

    async def scenario(connection, server):
        assert not await connection.has(copy)
        assert not await connection.has(copy)

    run_between(here, there, scenario)


def test_a_core_that_is_written_here_can_be_asked_for(stores):
    here, there = stores
    original = there.get(name="core")
    here.get(key=original.key)

    async def scenario(connection, server):
        assert await connection.has(original)

    run_between(here, there, scenario)


def test_a_server_may_ask_a_client_that_has_just_connected(stores):
    here, there = stores
    copy = here.get(key=there.get(name="core").key)

    async def scenario(connection, server):
        (accepted,) = server.connections
        assert await accepted.has(copy)

    run_between(here, there, scenario)


def test_one_core_alone_is_all_that_there_is(stores):
    here, there = stores
    with Hypercore() as lone:
        copies = [there.get(key=key) for key in (lone.key, here.get(name="core").key)]

        async def scenario(connection, server):
            assert [await connection.has(copy) for copy in copies] == [True, False]

        run_between(lone, there, scenario)


def test_whoever_hangs_up_does_not_answer(stores):
    here, there = stores
    copy = there.get(key=here.get(name="core").key)

    async def scenario(connection, server):
        connection.abort()
        for _ in range(2):  # while it ends, and when it has
            with pytest.raises(ConnectionLost):
                await connection.has(copy)

    run_between(here, there, scenario)
