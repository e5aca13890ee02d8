"""Work on a connection that ends with it."""

import asyncio

import pytest

from hypercore import Corestore, aio
from hypercore.errors import ConnectionLost, RemoteProtocolError


def run_with_connection(scenario):
    """Run a scenario with the two ends of a connection: the server's and the client's."""

    async def main():
        with Corestore(None) as here, Corestore(None) as there:
            async with (
                await aio.serve(here) as server,
                await aio.connect(there, "127.0.0.1", server.port) as connection,
            ):
                await scenario(server, connection)

    asyncio.run(main())


class Work:
    """Work that never ends by itself, and whether it was cancelled."""

    def __init__(self):
        self.was_cancelled = False

    async def run(self, begin=lambda: None):
        begin()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            self.was_cancelled = True
            raise


def test_the_result_of_the_work_is_returned():
    async def scenario(server, connection):
        assert await connection.during(asyncio.sleep(0, "done")) == "done"

    run_with_connection(scenario)


def test_an_error_of_the_work_is_raised():
    async def fail():
        raise LookupError

    async def scenario(server, connection):
        with pytest.raises(LookupError):
            await connection.during(fail())

    run_with_connection(scenario)


@pytest.mark.parametrize("end", ["abort-here", "abort-there", "close-there"])
def test_the_work_is_cancelled_when_the_connection_ends(end):
    async def scenario(server, connection):
        (other,) = server.connections
        work = Work()
        ends = {
            "abort-here": connection.abort,
            "abort-there": other.abort,
            "close-there": lambda: closing.append(asyncio.ensure_future(other.close())),
        }
        with pytest.raises(ConnectionLost):
            await connection.during(work.run(ends[end]))
        assert work.was_cancelled
        await asyncio.gather(*closing)

    closing: list[asyncio.Future] = []
    run_with_connection(scenario)


def test_the_error_says_what_the_other_side_did_wrong():
    async def scenario(server, connection):
        work = Work()
        with pytest.raises(RemoteProtocolError):
            await connection.during(work.run(lambda: connection.data_received(bytes(100))))
        assert work.was_cancelled

    run_with_connection(scenario)


def test_work_on_a_connection_that_has_ended_fails():
    async def scenario(server, connection):
        await connection.close()
        work = Work()
        with pytest.raises(ConnectionLost):
            await connection.during(work.run())

    run_with_connection(scenario)


def test_whoever_waits_for_the_work_can_be_cancelled():
    async def scenario(server, connection):
        work = Work()
        begun = asyncio.Event()
        waiting = asyncio.ensure_future(connection.during(work.run(begun.set)))
        await begun.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert work.was_cancelled
        assert not connection.is_closed

    run_with_connection(scenario)
