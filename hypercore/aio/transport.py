"""Drives a connection with asyncio: its bytes over a transport, its time by the clock of the loop.

One write for each turn of the loop. While the transport cannot take more, nothing is answered; what arrives
is still read, because a peer that reads nothing until it is read would otherwise never go on.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from hypercore.core import CoreState, Hypercore
from hypercore.crypto import KeyPair
from hypercore.errors import ConnectionLost, HypercoreError
from hypercore.replication import Connection, Source

T = TypeVar("T")

# What may wait in the transport before it says that it is full.
_WRITE_BUFFER_BYTES = 1 << 20
# What may be in the transport, because a peer does not read, before the connection is given up.
_MAX_BUFFER_BYTES = 64 << 20
# A peer whose machine or network is gone acknowledges nothing: signs of life go out all the time. Where the
# system has no such option, it gives up by itself, after a quarter of an hour or so.
_MAX_UNACKNOWLEDGED_MS = 120_000
# Whoever connects and says nothing does not keep a connection for longer.
_HANDSHAKE_TIMEOUT_S = 20.0


class PeerConnection(asyncio.Protocol):
    """A connection to a peer; made by ``connect``, ``serve`` and ``replicate``.

    It is an asynchronous context manager; leaving it closes the connection. It is also an asyncio.Protocol:
    whatever transport of bytes it is given will do.

    Args:
        source: the cores that are exchanged.
        is_initiator: whether this side begins the handshake.
        key_pair: the static key pair of this side.
        allow: whether a remote public key may connect.
        report: told of errors that do not end the connection.

    Attributes:
        bytes_received: all bytes that came from the other side.
    """

    def __init__(
        self,
        source: Source,
        *,
        is_initiator: bool,
        key_pair: KeyPair | None = None,
        allow: Callable[[bytes], bool] = lambda public_key: True,
        report: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self.bytes_received = 0
        self._loop = asyncio.get_running_loop()
        self._connection = Connection(
            source,
            is_initiator=is_initiator,
            key_pair=key_pair,
            allow=allow,
            wake=self._wake,
            report=self._tell,
        )
        self._report = report
        self._connection.on_end = self.abort
        self._answered = asyncio.Event()
        self._connection.on_answer = self._answered.set
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._is_pumping_soon = False
        self._is_receiving = False
        self._is_paused = False
        self._error: Exception | None = None
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._closed: asyncio.Future[None] = self._loop.create_future()

    # --- for the application ----------------------------------------------------------------------

    @property
    def remote_public_key(self) -> bytes | None:
        """The static public key of the other side, 32 bytes; None before the handshake is complete."""
        return self._connection.remote_public_key

    @property
    def handshake_hash(self) -> bytes:
        """64 bytes that only the two sides share; empty before the handshake is complete."""
        return self._connection.handshake_hash

    @property
    def is_closed(self) -> bool:
        """Whether the connection has ended."""
        return self._closed.done()

    @property
    def error(self) -> Exception | None:
        """Why the connection ended; None while it lasts, and when either side closed it."""
        return self._error

    async def opened(self) -> None:
        """Wait until the handshake is complete.

        Raises:
            ConnectionLost: the connection ended before.
            RemoteProtocolError: the other side broke the protocol.
        """
        await asyncio.shield(self._opened)

    async def wait_closed(self) -> None:
        """Wait until the connection has ended."""
        await asyncio.shield(self._closed)

    async def has(self, core: Hypercore) -> bool:
        """Return whether the other side exchanges a core, as soon as it has said so.

        Raises:
            ConnectionLost: the connection ended before.
            RemoteProtocolError: it ended because the other side broke the protocol.
        """
        return await self.during(self._has(core.state))

    async def _has(self, core: CoreState) -> bool:
        await self.opened()
        self._connection.ask_for(core)
        while (answer := self._connection.has(core)) is None:
            self._answered.clear()
            await self._answered.wait()
        return answer

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Do work that needs the connection, and return its result.

        When the connection ends before the work does, the work is cancelled: what only waits for other peers
        would otherwise wait for ever where there are none.

        Raises:
            ConnectionLost: the connection ended.
            RemoteProtocolError: it ended because the other side broke the protocol.
            Whatever the work raises.
        """
        if self._closed.done():
            work.close()
            raise self._lost()
        task = self._loop.create_task(work)
        try:
            await asyncio.wait((task, self._closed), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise self._lost()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        return task.result()

    def _lost(self) -> Exception:
        return self._error or ConnectionLost("the connection was closed")

    def abort(self) -> None:
        """End the connection at once; what waits to be written is lost."""
        self._end(None)
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """End the connection and wait until it has ended; what was said before still goes out, if it is read.

        Closing twice is fine.
        """
        self._pump()
        self._end(None)
        if self._transport is not None:
            self._transport.close()
            try:
                await asyncio.wait((self._closed,), timeout=1.0)
            finally:
                if not self._closed.done():
                    self._transport.abort()
            await self.wait_closed()

    async def __aenter__(self) -> PeerConnection:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # --- for asyncio ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        if self._closed.done():
            self._transport.abort()  # it was closed before it had a transport
            return
        self._transport.set_write_buffer_limits(high=_WRITE_BUFFER_BYTES)
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _MAX_UNACKNOWLEDGED_MS)
        self._deadline = self._loop.call_later(_HANDSHAKE_TIMEOUT_S, self._give_up)
        self._pump()

    def data_received(self, data: bytes) -> None:
        """Take what arrived, and send what it calls for."""
        self.bytes_received += len(data)
        self._is_receiving = True
        try:
            self._connection.receive(data, self._loop.time())
        except HypercoreError as error:
            self._fail(error)
            return
        finally:
            self._is_receiving = False
        if self._connection.is_open and not self._opened.done():
            self._opened.set_result(None)
            self._stop_timers()
        self._pump()

    def pause_writing(self) -> None:
        """Stop answering: the transport is full."""
        self._is_paused = True
        self._connection.set_blocked(True)

    def resume_writing(self) -> None:
        """Go on answering."""
        self._is_paused = False
        self._connection.set_blocked(False)

    def connection_lost(self, error: Exception | None) -> None:
        """Take note that the connection has ended."""
        reason = getattr(error, "strerror", None) or error  # an OSError by itself begins with its number
        self._end(None if error is None else ConnectionLost(f"the connection was lost: {reason}"))
        if not self._closed.done():
            self._closed.set_result(None)

    # --- inside -----------------------------------------------------------------------------------

    def _tell(self, error: Exception) -> None:
        """Report an error; a fault of the program is also shown as asyncio shows those of other callbacks."""
        self._report(error)
        if not isinstance(error, HypercoreError):
            message = "a listener of the application has failed"
            self._loop.call_exception_handler({"message": message, "exception": error, "protocol": self})

    def _wake(self) -> None:
        if not (self._is_pumping_soon or self._is_receiving):
            self._is_pumping_soon = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Write what there is to write, and see when there is something to do again."""
        self._is_pumping_soon = False
        transport = self._transport
        if transport is None or self._closed.done() or transport.is_closing():
            return
        now = self._loop.time()
        try:
            data = self._connection.data_to_send(now)
        except HypercoreError as error:
            self._fail(error)
            return
        if data:
            transport.write(data)
            if self._is_paused and transport.get_write_buffer_size() > _MAX_BUFFER_BYTES:
                self._fail(ConnectionLost(f"the peer does not read: {_MAX_BUFFER_BYTES} bytes wait for it"))
                return
        if not self._is_paused and self._connection.is_waiting:
            self._connection.set_blocked(False)
        if self._timer is None:
            self._set_timer(now)

    def _set_timer(self, now: float) -> None:
        due = self._connection.next_timeout(now)
        if due is not None:
            self._timer = self._loop.call_at(due, self._handle_timeout)

    def _handle_timeout(self) -> None:
        self._timer = None
        self._connection.handle_timeout(self._loop.time())
        self._pump()

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._deadline):
            if timer is not None:
                timer.cancel()
        self._timer = self._deadline = None

    def _give_up(self) -> None:
        self._fail(ConnectionLost(f"there was no handshake within {_HANDSHAKE_TIMEOUT_S:g} s"))

    def _fail(self, error: Exception) -> None:
        self._end(error)
        if self._transport is not None:
            self._transport.abort()

    def _end(self, error: Exception | None) -> None:
        if self._error is None and error is not None and not self._closed.done():
            self._error = error
        self._connection.close()
        self._stop_timers()
        if not self._opened.done():
            self._opened.set_exception(self._error or ConnectionLost("the connection ended in its handshake"))
            self._opened.exception()  # nobody has to ask
        if self._transport is None and not self._closed.done():
            self._closed.set_result(None)
