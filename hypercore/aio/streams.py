"""A reader and a writer of asyncio as a transport, so that cores are exchanged on whatever has these two."""

from __future__ import annotations

import asyncio
from typing import Any

_PIECE = 256 << 10


class StreamTransport(asyncio.Transport):
    """What arrives at a reader goes to a protocol, and what the protocol writes to a writer.

    It begins at once, within the running loop. The reader and the writer belong to it from then on.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol: asyncio.Protocol
    ) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer
        self._protocol = protocol
        self._high = 0
        self._is_closing = False
        self._is_running = False
        self._draining: asyncio.Task[None] | None = None
        protocol.connection_made(self)
        self._reading = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        """Read to the end, whoever brings it about, and tell of it."""
        self._is_running = True
        lost: Exception | None = None
        try:
            while not self._is_closing and (data := await self._reader.read(_PIECE)):
                self._protocol.data_received(data)
        except OSError as error:
            lost = error
        except asyncio.CancelledError:
            pass  # of close and abort, or of the loop that ends
        self.close()
        try:
            await self._writer.wait_closed()
        except OSError as error:
            lost = lost or error
        except asyncio.CancelledError:
            self._writer.transport.abort()
        finally:
            self._protocol.connection_lost(lost)

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Write, and tell the protocol to pause where the writer has much to write."""
        if self._writer.transport.is_closing():
            self.close()  # of two pipes one may end without the other
            return
        self._writer.write(data)
        if self._draining is None and self.get_write_buffer_size() > self._high:
            self._protocol.pause_writing()
            self._draining = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        try:
            await self._writer.drain()
        except OSError:
            self.close()
            return
        self._draining = None
        self._protocol.resume_writing()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait to be written."""
        return self._writer.transport.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set at how many waiting bytes the protocol has to pause."""
        self._writer.transport.set_write_buffer_limits(high, low)
        self._high = self._writer.transport.get_write_buffer_limits()[1]

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the writer knows of itself."""
        return self._writer.get_extra_info(name, default)

    def is_closing(self) -> bool:
        """Return whether it is being closed."""
        return self._is_closing

    def close(self) -> None:
        """Read no more, write what waits, and close the writer."""
        if not self._is_closing:
            self._is_closing = True
            self._writer.close()
            if self._is_running:  # else it would never begin, and tell nobody of the end
                self._reading.cancel()

    def abort(self) -> None:
        """Close it at once; what waits is lost."""
        self._writer.transport.abort()
        self.close()
