"""One connection: the secret stream, its channels, and the cores that are exchanged on them.

Bytes and the time in, bytes out. Whatever the other side does wrong ends the connection with a
RemoteProtocolError, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

from hypercore.core import CoreState, Hypercore
from hypercore.crypto import KEY_SIZE, KeyPair
from hypercore.errors import DecodingError, HypercoreError, RemoteProtocolError, StorageError
from hypercore.replication.answering import Answers
from hypercore.replication.peer import Peer
from hypercore.replication.replicator import Replicator
from hypercore.replication.sources import Source
from hypercore.wire import (
    BITFIELD,
    CANCEL,
    DATA,
    EXTENSION,
    NO_DATA,
    RANGE,
    REQUEST,
    SYNC,
    UNWANT,
    WANT,
    Channel,
    Closed,
    Messages,
    Opened,
    OpenRequested,
    Protomux,
    Rejected,
    SecretStream,
    capability,
    decode_bitfield,
    decode_cancel,
    decode_data,
    decode_extension,
    decode_handshake,
    decode_no_data,
    decode_range,
    decode_request,
    decode_sync,
    decode_unwant,
    decode_want,
    encode_handshake,
)
from hypercore.wire.protomux import Event

PROTOCOL = "hypercore/alpha"

# Data is added while less than this waits to be written.
_ROOM = 1 << 20
# What waits may be more than that only by what a peer makes us say without asking for data.
_MAX_WAITING = 32 << 20
_MAX_NAMED = 4096
_TICK = 1.0
# To answer one may take a long walk through a tree.
_EXTENSIONS_PER_SECOND = 256


class Connection:
    """A connection that exchanges the cores of a source.

    Args:
        source: the cores.
        is_initiator: whether this side begins the handshake; exactly one side does.
        key_pair: the static key pair that the other side learns; random unless given.
        allow: whether the other side, by its static public key, may connect.
        stream: the secret stream, for who has to choose its keys.
        wake: called when ``data_to_send`` has something to send, or something can be asked.
        report: told of errors that do not end the connection.

    Attributes:
        remote_public_key: the static key of the other side, None until it is known.
        peers: the cores that are exchanged, by discovery key.
    """

    def __init__(
        self,
        source: Source,
        *,
        is_initiator: bool,
        key_pair: KeyPair | None = None,
        allow: Callable[[bytes], bool] = lambda public_key: True,
        stream: SecretStream | None = None,
        wake: Callable[[], None] = lambda: None,
        report: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self.peers: dict[bytes, Peer] = {}
        self.on_end: Callable[[], None] = lambda: None
        self._source = source
        self._allow = allow
        self._wake = wake
        self._report = report
        self._stream = stream or SecretStream(is_initiator=is_initiator, key_pair=key_pair)
        self._mux = Protomux()
        self._handles: dict[Peer, Hypercore] = {}
        self._waking: set[Peer] = set()
        # Discovery keys that the other side has opened: it may learn later that they are here.
        self._named: dict[bytes, None] = {}
        self._is_set_up = False
        self._is_closed = False
        self._is_blocked = False
        self._extension_names: dict[Peer, str] = {}
        self._extension_time = 0.0
        self._extension_count = 0
        self._stop_observing = source.observe(self)
        self._handlers: dict[int, Callable[[Peer, bytes, int, int, float], None]] = {
            SYNC: self._on_sync,
            REQUEST: self._on_request,
            CANCEL: self._on_cancel,
            DATA: self._on_data,
            NO_DATA: self._on_no_data,
            WANT: self._on_want,
            UNWANT: self._on_unwant,
            BITFIELD: self._on_bitfield,
            RANGE: self._on_range,
            EXTENSION: self._on_extension,
        }
        self._stream.start()

    @property
    def remote_public_key(self) -> bytes | None:
        """The static key of the other side, None until the handshake is complete."""
        return self._stream.remote_public_key

    @property
    def handshake_hash(self) -> bytes:
        """64 bytes that only the two sides share; empty until the handshake is complete."""
        return self._stream.handshake_hash

    @property
    def is_open(self) -> bool:
        """Whether the handshake is complete."""
        return self._stream.is_open

    # --- bytes and time ---------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes that arrived.

        Raises:
            RemoteProtocolError: the other side broke the protocol; the connection has to end.
        """
        if self._is_closed:
            return
        touched: set[Replicator] = set()
        try:
            for frame in self._stream.receive(data):
                self._set_up()
                for event in self._mux.receive(frame):
                    self._handle(event, now, touched)
            self._set_up()
        except DecodingError as error:
            raise RemoteProtocolError(f"a message cannot be read: {error}") from error
        finally:
            for replicator in touched:
                self._settle(replicator, now)
        if self._mux.pending_bytes > _MAX_WAITING:
            raise RemoteProtocolError(f"it does not read: more than {_MAX_WAITING} bytes wait to be written")

    def data_to_send(self, now: float) -> bytes:
        """Ask for what may be asked for, answer what there is room for, and return what is to be written.

        Raises:
            RemoteProtocolError: the other side broke the protocol; the connection has to end.
        """
        if self._is_closed:
            return b""
        if self._stream.is_open:
            waking, self._waking = self._waking, set()
            for peer in waking:
                if peer.channel.is_open:
                    peer.answers.go_on()
                    peer.replicator.fill(peer, now)
                    self._close_if_idle(peer)
            for frame in self._mux.take_frames():
                self._stream.send(frame)
        return self._stream.data_to_send(now)

    def set_blocked(self, is_blocked: bool) -> None:
        """Take note of whether what was returned by ``data_to_send`` cannot be written at the moment."""
        self._is_blocked = is_blocked
        if not is_blocked:
            self._go_on()

    @property
    def is_waiting(self) -> bool:
        """Whether there are answers to be sent as soon as there is room."""
        return any(peer.answers.is_waiting for peer in self.peers.values())

    def next_timeout(self, now: float) -> float | None:
        """Return when handle_timeout is due."""
        due = self._stream.next_timeout()
        if any(peer.open_questions or peer.ignored_until > now for peer in self.peers.values()):
            due = now + _TICK if due is None else min(due, now + _TICK)
        return due

    def handle_timeout(self, now: float) -> None:
        """Do what is due: a sign of life, and asking others for what this peer does not answer."""
        self._stream.handle_timeout(now)
        for peer in list(self.peers.values()):
            peer.replicator.handle_timeout(peer, now)
            self._wake_peer(peer)

    def close(self) -> None:
        """End it: what was asked of it is asked of others. Closing twice is fine."""
        if not self._is_closed:
            self._is_closed = True
            self._stop_observing()
            for peer in list(self.peers.values()):
                self._forget(peer)

    # --- the source tells -------------------------------------------------------------------------

    def core_opened(self, core: CoreState) -> None:
        """Offer a core that the application has opened to the other side.

        A core that is written here is not named to a peer that has not named it first: there is nothing that
        the peer could have of it.
        """
        Replicator.of(core).set_used(True)
        if self._is_set_up and (not core.writable or core.discovery_key in self._named):
            self._open(core.discovery_key)

    def core_closed(self, core: CoreState) -> None:
        """Take note that the application has closed a core."""
        Replicator.of(core).set_used(False)

    def store_closed(self) -> None:
        """End: the cores are closed."""
        self.close()
        self.on_end()

    # --- channels ---------------------------------------------------------------------------------

    def _set_up(self) -> None:
        """Once the other side is known, offer all cores that are in use."""
        if self._is_set_up or not self._stream.is_open:
            return
        public_key = self._stream.remote_public_key
        assert public_key is not None
        if not self._allow(public_key):
            raise RemoteProtocolError(f"the public key {public_key.hex()} is not allowed to connect")
        self._is_set_up = True
        for core in self._source.cores_in_use():
            self.core_opened(core)

    def _open(self, discovery_key: bytes) -> bool:
        """Open the channel of a core, if the core is there and has none yet."""
        if discovery_key in self.peers:
            return False
        handle = self._source.open_quietly(discovery_key)
        if handle is None:
            return False
        replicator = Replicator.of(handle.state)
        if replicator.error is not None:
            handle.close()
            return False
        proof = capability(self._stream.is_initiator, handle.key, self._stream.handshake_hash)
        channel = self._mux.open(PROTOCOL, discovery_key, encode_handshake(proof))
        peer = Peer(replicator, channel)
        peer.wake = lambda: self._wake_peer(peer)
        peer.end_frame = self._mux.flush
        peer.answers = Answers(peer, self._has_room, self._report)
        channel.owner = peer
        self.peers[discovery_key] = peer
        self._handles[peer] = handle
        self._wake()
        return True

    def _forget(self, peer: Peer) -> None:
        """Let go of a core whose channel is closed."""
        self.peers.pop(peer.replicator.core.discovery_key, None)
        self._waking.discard(peer)
        self._extension_names.pop(peer, None)
        peer.replicator.leave(peer)
        handle = self._handles.pop(peer, None)
        if handle is not None:
            handle.close()

    def _close_if_idle(self, peer: Peer) -> None:
        """Close a channel that nobody downloads on."""
        if peer.is_idle:
            peer.channel.close()
            self._forget(peer)

    def _handle(self, event: Event, now: float, touched: set[Replicator]) -> None:
        if isinstance(event, Messages):
            peer = event.channel.owner
            touched.add(peer.replicator)
            self._on_messages(peer, event, now)
        elif isinstance(event, OpenRequested):
            if event.protocol == PROTOCOL and event.id is not None and len(event.id) == KEY_SIZE:
                self._named[event.id] = None
                if len(self._named) > _MAX_NAMED:
                    del self._named[next(iter(self._named))]
                self._open(event.id)
        elif isinstance(event, Opened):
            self._opened(event.channel, event.handshake)
        elif isinstance(event, (Rejected, Closed)):
            peer = event.channel.owner
            wants_more = isinstance(event, Closed) and peer.uploading and not peer.downloading
            core = peer.replicator.core
            self._forget(peer)
            # It thought that nobody here wants anything any more; that may have crossed with a new wish.
            if wants_more and peer.replicator.is_downloading:
                self._open(core.discovery_key)

    def _opened(self, channel: Channel, handshake: bytes) -> None:
        peer: Peer = channel.owner
        key = peer.replicator.core.key
        expected = capability(not self._stream.is_initiator, key, self._stream.handshake_hash)
        if decode_handshake(handshake)[0] != expected:
            raise RemoteProtocolError(
                "a capability that does not show that the other side knows the core's key"
            )
        peer.replicator.join(peer)

    # --- messages ---------------------------------------------------------------------------------

    def _on_messages(self, peer: Peer, event: Messages, now: float) -> None:
        frame, handlers = event.frame, self._handlers
        for type_, start, end in event.entries:
            handler = handlers.get(type_)
            if handler is not None:
                try:
                    handler(peer, frame, start, end, now)
                except StorageError as error:
                    self._fail(peer.replicator, error, now)
                if not event.channel.is_open:
                    return
        self._wake_peer(peer)

    def _on_sync(self, peer: Peer, buf: bytes, pos: int, end: int, now: float) -> None:
        peer.on_sync(decode_sync(buf, pos, end))
        peer.replicator.on_sync(peer)

    def _on_request(self, peer: Peer, buf: bytes, pos: int, end: int, now: float) -> None:
        peer.answers.receive(decode_request(buf, pos, end))

    def _on_cancel(self, peer: Peer, buf: bytes, pos: int, end: int, now: float) -> None:
        peer.answers.cancel(decode_cancel(buf, pos, end).request)

    def _on_data(self, peer: Peer, buf: bytes, pos: int, end: int, now: float) -> None:
        peer.replicator.on_data(peer, decode_data(buf, pos, end), now)

    def _on_no_data(self, peer: Peer, buf: bytes, pos: int, end: int, now: float) -> None:
        peer.replicator.on_no_data(peer, decode_no_data(buf, pos, end).request, now)

    def _on_want(self, peer: Peer, buf: bytes, pos: int, end: int, now: float) -> None:
        peer.on_want(decode_want(buf, pos, end))

    def _on_unwant(self, peer: Peer, buf: bytes, pos: int, end: int, now: float) -> None:
        peer.on_unwant(decode_unwant(buf, pos, end))

    def _on_bitfield(self, peer: Peer, buf: bytes, pos: int, end: int, now: float) -> None:
        peer.on_bitfield(decode_bitfield(buf, pos, end))

    def _on_range(self, peer: Peer, buf: bytes, pos: int, end: int, now: float) -> None:
        peer.on_range(decode_range(buf, pos, end))

    def _on_extension(self, peer: Peer, buf: bytes, pos: int, end: int, now: float) -> None:
        message = decode_extension(buf, pos, end)
        name = message.name or self._extension_names.get(peer, "")
        self._extension_names[peer] = name
        # Messages of extensions are hints: whoever sends more than is read, or asks for much, gets no answer.
        if now - self._extension_time >= 1:
            self._extension_time, self._extension_count = now, 0
        self._extension_count += 1
        if self._extension_count <= _EXTENSIONS_PER_SECOND and self._has_room():
            try:
                peer.replicator.on_extension(peer, name, message.payload)
            except HypercoreError as error:
                self._report(error)

    # --- sending ----------------------------------------------------------------------------------

    def _settle(self, replicator: Replicator, now: float) -> None:
        try:
            replicator.settle()
        except StorageError as error:
            self._fail(replicator, error, now)

    def _fail(self, replicator: Replicator, error: StorageError, now: float) -> None:
        """Go on without a core whose storage failed; the others may fare better."""
        replicator.fail(error, now)
        self._report(error)

    def _has_room(self) -> bool:
        return not self._is_blocked and self._mux.pending_bytes < _ROOM

    def _wake_peer(self, peer: Peer) -> None:
        self._waking.add(peer)
        self._wake()

    def _go_on(self) -> None:
        for peer in self.peers.values():
            if peer.answers.is_waiting:
                self._wake_peer(peer)
