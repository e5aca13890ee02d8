"""Servers and clients: who exchanges cores with whom."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable, Container
from functools import partial
from typing import cast

from hypercore.aio.streams import StreamTransport
from hypercore.aio.transport import PeerConnection
from hypercore.core import CoreState, Hypercore
from hypercore.corestore import Corestore
from hypercore.crypto import KeyPair
from hypercore.errors import Closed, ConnectionLost, HypercoreError, RemoteProtocolError
from hypercore.replication import SingleCore, Source

Report = Callable[[Exception], None]

MAX_CONNECTIONS = 500
"""How many clients a server takes at once by default: half of the files that a process may usually open."""

_FIRST_DELAY = 0.25
_LONGEST_DELAY = 30.0


class _Watch:
    """A StoreObserver that only looks whether the store closes."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        self.store_closed = on_end

    def core_opened(self, core: CoreState) -> None:
        """Do nothing."""

    def core_closed(self, core: CoreState) -> None:
        """Do nothing."""


class _HangUp(asyncio.Protocol):
    """What a client meets that comes too late, or that there is no room for."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up."""
        cast(asyncio.Transport, transport).abort()


class Server:
    """Accepts connections and exchanges cores on them; made by ``serve``.

    It is an asynchronous context manager; leaving it closes the server and its connections. It also ends with
    its store.

    Attributes:
        connections: those that last.
        port: the TCP port that it listens at.
    """

    def __init__(
        self, source: Source, make: Callable[[], PeerConnection], max_connections: int, report: Report
    ) -> None:
        self.port = 0
        self.connections: set[PeerConnection] = set()
        self._source = source
        self._make = make
        self._max_connections = max_connections
        self._is_full = False
        self._report = report
        self._server: asyncio.Server | None = None
        self._watchers: set[asyncio.Task[None]] = set()
        self._stop_observing: Callable[[], None] = lambda: None
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, host: str, port: int) -> None:
        """Begin to listen.

        Raises:
            ConnectionLost: the address cannot be used.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._accept, host, port)
            self.port = int(self._server.sockets[0].getsockname()[1])
        except (OSError, UnicodeError) as error:
            raise ConnectionLost(f"cannot listen at {host}:{port}: {_reason(error)}") from error
        self._stop_observing = self._source.observe(_Watch(self._stop))

    def _stop(self) -> None:
        """Listen no more."""
        if self._server is not None and not self._closed.done():
            self._closed.set_result(None)
            self._server.close()
            self._stop_observing()

    def _accept(self) -> asyncio.Protocol:
        if self._closed.done() or not self._has_room():
            return _HangUp()
        connection = self._make()
        self.connections.add(connection)
        task = asyncio.get_running_loop().create_task(self._watch(connection))
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)
        return connection

    def _has_room(self) -> bool:
        """Return whether one more may connect; tell once when that is no longer so."""
        was_full, self._is_full = self._is_full, len(self.connections) >= self._max_connections
        if self._is_full and not was_full:
            limit = f"as many clients are connected as may be ({self._max_connections})"
            self._report(ConnectionLost(f"{limit}: others are hung up on"))
        return not self._is_full

    async def _watch(self, connection: PeerConnection) -> None:
        await connection.wait_closed()
        self.connections.discard(connection)
        if isinstance(connection.error, RemoteProtocolError):
            self._report(connection.error)

    async def wait_closed(self) -> None:
        """Wait until somebody closes it, or its store."""
        await asyncio.shield(self._closed)

    async def close(self) -> None:
        """Stop listening, and close all connections. Closing twice is fine."""
        self._stop()
        await asyncio.gather(*(connection.close() for connection in list(self.connections)))
        await asyncio.gather(*self._watchers)

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def serve(
    source: Corestore | Hypercore,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    is_initiator: bool = False,
    key_pair: KeyPair | None = None,
    allow: Container[bytes] | None = None,
    max_connections: int = MAX_CONNECTIONS,
    report: Report = lambda error: None,
) -> Server:
    """Exchange cores with whoever connects and knows their keys.

    Args:
        source: all cores of a store, or one core.
        host: the address to listen at.
        port: 0 for any that is free.
        is_initiator: whether this side begins the handshake; exactly one side does, by default the clients.
        key_pair: by which clients may recognise the server; random unless given.
        allow: the public keys of the clients that may connect; None for everybody.
        max_connections: how many clients there may be at once; others are hung up on.
        report: told of errors that do not end a connection, such as those of the storage, and of clients that
            broke the protocol.

    Raises:
        ConnectionLost: the address cannot be used.
    """
    shared = _source(source)
    server = Server(
        shared,
        lambda: PeerConnection(
            shared,
            is_initiator=is_initiator,
            key_pair=key_pair,
            allow=_allowed(allow),
            report=report,
        ),
        max_connections,
        report,
    )
    await server.start(host, port)
    return server


async def connect(
    source: Corestore | Hypercore,
    host: str,
    port: int,
    *,
    is_initiator: bool = True,
    key_pair: KeyPair | None = None,
    remote_public_key: bytes | None = None,
    report: Report = lambda error: None,
) -> PeerConnection:
    """Connect to a server and exchange cores with it.

    Args:
        source: all cores of a store, or one core.
        host: of the server.
        port: of the server.
        is_initiator: whether this side begins the handshake; exactly one side does.
        key_pair: by which the server may recognise us; random unless given.
        remote_public_key: the only one that the server may have.
        report: told of errors that do not end the connection.

    Raises:
        ConnectionLost: there is no server, or it hung up.
        RemoteProtocolError: whoever is there does not speak the protocol, or has another public key.
    """
    connection = PeerConnection(
        _source(source),
        is_initiator=is_initiator,
        key_pair=key_pair,
        allow=_allowed(None if remote_public_key is None else (remote_public_key,)),
        report=report,
    )
    try:
        await asyncio.get_running_loop().create_connection(lambda: connection, host, port)
        await connection.opened()
    except BaseException as error:
        connection.abort()
        if isinstance(error, (ConnectionLost, RemoteProtocolError)):
            raise type(error)(f"{host}:{port}: {error}") from error
        if isinstance(error, (OSError, UnicodeError)):
            raise ConnectionLost(f"cannot connect to {host}:{port}: {_reason(error)}") from error
        raise
    return connection


async def replicate(
    source: Corestore | Hypercore,
    stream: socket.socket | tuple[asyncio.StreamReader, asyncio.StreamWriter],
    *,
    is_initiator: bool,
    key_pair: KeyPair | None = None,
    allow: Container[bytes] | None = None,
    report: Report = lambda error: None,
) -> PeerConnection:
    """Exchange cores with whoever is at the other end of a stream that is open already, of whatever kind.

    Args:
        source: all cores of a store, or one core.
        stream: a connected stream socket, or a reader and a writer of asyncio, such as those of TLS or of the
            pipes of a process. It belongs to the connection from now on.
        is_initiator: whether this side begins the handshake; exactly one side does.
        key_pair: by which the other side may recognise us; random unless given.
        allow: the public keys that the other side may have; None for any.
        report: told of errors that do not end the connection.

    Raises:
        ConnectionLost: the other side hung up, or said nothing.
        RemoteProtocolError: the other side does not speak the protocol, or has another public key.
    """
    connection = PeerConnection(
        _source(source), is_initiator=is_initiator, key_pair=key_pair, allow=_allowed(allow), report=report
    )
    try:
        if isinstance(stream, socket.socket):
            stream.setblocking(False)
            await asyncio.get_running_loop().create_connection(lambda: connection, sock=stream)
        else:
            StreamTransport(*stream, connection)
        await connection.opened()
    except BaseException:
        connection.abort()
        raise
    return connection


class Reconnector:
    """Keeps connected to a server: whenever the connection ends, another one is made; by ``keep_connected``.

    It is an asynchronous context manager; leaving it closes the connection. It also ends with its store.

    Attributes:
        connection: the present one, None while there is none.
        error: why there was none the last time, or how the server broke the protocol on the last one.
    """

    def __init__(self, connect_once: Callable[[], Awaitable[PeerConnection]], report: Report) -> None:
        self.connection: PeerConnection | None = None
        self.error: HypercoreError | None = None
        self._connect = connect_once
        self._report = report
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        delay = _FIRST_DELAY
        while True:
            try:
                self.connection = await self._connect()
                self.error = None
                await self.connection.wait_closed()
                if isinstance(self.connection.error, RemoteProtocolError):
                    raise self.connection.error
                delay = _FIRST_DELAY
            except Closed:
                return
            except HypercoreError as error:
                self.error = error
                self._report(error)
            finally:
                connection, self.connection = self.connection, None
                if connection is not None:
                    await connection.close()
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)

    async def close(self) -> None:
        """Close the connection and make no other. Closing twice is fine."""
        self._task.cancel()
        await self.wait_closed()

    async def wait_closed(self) -> None:
        """Wait until somebody closes it, or its store."""
        await asyncio.wait((self._task,))
        if not self._task.cancelled():
            self._task.result()

    async def __aenter__(self) -> Reconnector:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def keep_connected(
    source: Corestore | Hypercore,
    host: str,
    port: int,
    *,
    is_initiator: bool = True,
    key_pair: KeyPair | None = None,
    remote_public_key: bytes | None = None,
    report: Report = lambda error: None,
) -> Reconnector:
    """Connect to a server, and connect again whenever the connection ends, with growing delays.

    The arguments are those of ``connect``; ``report`` is also told why a connection could not be made, and
    how the server broke the protocol.
    """
    connect_once = partial(
        connect,
        source,
        host,
        port,
        is_initiator=is_initiator,
        key_pair=key_pair,
        remote_public_key=remote_public_key,
        report=report,
    )
    return Reconnector(connect_once, report)


def _reason(error: OSError | UnicodeError) -> str:
    """Return what went wrong, without the address, which asyncio puts into its errors in its own way."""
    if isinstance(error, UnicodeError):
        # There is an empty or a long part between dots; the error is about its encoding.
        return "no host has such a name"
    if error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno)
    return error.strerror or str(error)


def _source(source: Corestore | Hypercore) -> Source:
    return SingleCore(source) if isinstance(source, Hypercore) else source


def _allowed(public_keys: Container[bytes] | None) -> Callable[[bytes], bool]:
    if public_keys is None:
        return lambda public_key: True
    return public_keys.__contains__
