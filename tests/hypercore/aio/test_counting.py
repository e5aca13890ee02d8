"""What a connection counts."""

import asyncio
import os

from hypercore import Corestore, aio


def test_a_connection_counts_what_came():
    async def main():
        with Corestore(None) as here, Corestore(None) as there:
            original = here.get(name="core")
            original.append([os.urandom(1000) for _ in range(100)])
            copy = there.get(key=original.key)
            async with (
                await aio.serve(here) as server,
                await aio.connect(there, "127.0.0.1", server.port) as connection,
            ):
                before = connection.bytes_received
                await aio.download(copy)
                (accepted,) = server.connections
                return connection.bytes_received - before, accepted.bytes_received

    came, asked = asyncio.run(main())
    assert 100_000 < came < 150_000
    assert 0 < asked < 20_000
