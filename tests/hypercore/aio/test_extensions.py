"""Messages of applications over sockets."""

import asyncio

from hypercore import aio
from hypercore.replication import Replicator
from tests.hypercore.aio.two_stores import BLOCKS, HOST
from tests.loops import in_loop


@in_loop
async def test_a_listener_that_raises_is_shown_by_the_loop_and_ends_nothing(stores, core, copy):
    shown = []
    reported: list[Exception] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: shown.append(context))

    def fail(message, peer):
        raise ValueError(message.decode())

    async with (
        await aio.serve(stores[0]) as server,
        await aio.connect(stores[1], HOST, server.port, report=reported.append) as connection,
    ):
        await aio.update(copy, timeout=20)
        with aio.Extension(copy, "name", fail):
            Replicator.of(core.state).broadcast("name", b"hello")
            await aio.download(copy, timeout=20)
        assert copy.contiguous_length == len(BLOCKS)
        assert not connection.is_closed
    assert [str(error) for error in reported] == ["hello"]
    assert [context["exception"] for context in shown] == reported
    assert connection.error is None
