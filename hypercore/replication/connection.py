"""One connection: the secret stream, its channels, and the cores that are exchanged on them.

Bytes and the time in, bytes out. Whatever the other side does wrong ends the connection with a
RemoteProtocolError, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

from hypercore.core import CoreState
from hypercore.crypto import KEY_SIZE, KeyPair
from hypercore.errors import DecodingError, RemoteProtocolError, StorageError
from hypercore.replication.peer import MAX_WAITING
from hypercore.replication.replicator import Replicator
from hypercore.replication.shared_core import SharedCore
from hypercore.replication.sources import Source
from hypercore.wire import (
    Closed,
    Event,
    Messages,
    Opened,
    OpenRequested,
    Protomux,
    Rejected,
    SecretStream,
    capability,
    decode_handshake,
    encode_handshake,
)

PROTOCOL = "hypercore/alpha"

# Data is added while less than this waits to be written.
_ROOM = 1 << 20
# No peer needs more in one frame, and while they are looked at nobody else's turn comes.
_MAX_MESSAGES = 65_536
_MAX_NAMED = 4096
_TICK = 1.0


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
        cores: those that are exchanged, by discovery key.
        on_end: called when the source has ended the connection.
        on_answer: called when the other side has opened or closed a core.
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
        self.cores: dict[bytes, SharedCore] = {}
        self.on_end: Callable[[], None] = lambda: None
        self.on_answer: Callable[[], None] = lambda: None
        self._source = source
        self._allow = allow
        self._wake = wake
        self._report = report
        self._stream = stream or SecretStream(is_initiator=is_initiator, key_pair=key_pair)
        self._mux = Protomux()
        self._waking: dict[SharedCore, None] = {}
        # Discovery keys that the other side has opened: it may learn later that they are here.
        self._named: dict[bytes, None] = {}
        self._is_set_up = False
        self._is_closed = False
        self._is_blocked = False
        self._stop_observing = source.observe(self)
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
        touched: dict[SharedCore, None] = {}
        try:
            for frame in self._stream.receive(data):
                self._set_up()
                count = 0
                for event in self._mux.receive(frame):
                    count += len(event.entries) if isinstance(event, Messages) else 1
                    if count > _MAX_MESSAGES:
                        raise RemoteProtocolError(f"a frame of more than {_MAX_MESSAGES} messages")
                    self._handle(event, now, touched)
            self._set_up()
        except DecodingError as error:
            raise RemoteProtocolError(f"a message cannot be read: {error}") from error
        finally:
            for core in touched:
                core.settle(now)
        if self._stream.is_amid_frame:
            for core in self.cores.values():
                core.peer.last_answer = now
        if self._mux.pending_bytes > MAX_WAITING:
            raise RemoteProtocolError(f"it does not read: more than {MAX_WAITING} bytes wait to be written")

    def data_to_send(self, now: float) -> bytes:
        """Ask for what may be asked for, answer what there is room for, and return what is to be written.

        Raises:
            RemoteProtocolError: the other side broke the protocol; the connection has to end.
        """
        if self._is_closed:
            return b""
        if self._stream.is_open:
            waking, self._waking = self._waking, {}
            for core in waking:
                if core.channel.is_open:
                    core.send(now)
                    if core.is_idle:
                        core.channel.close()
                        self._forget(core)
                elif core.replicator.exchange.error is not None:
                    self._forget(core)
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
        return any(core.answers.is_waiting for core in self.cores.values())

    def next_timeout(self, now: float) -> float | None:
        """Return when handle_timeout is due."""
        due = self._stream.next_timeout()
        if any(core.peer.is_due(now) for core in self.cores.values()):
            due = now + _TICK if due is None else min(due, now + _TICK)
        return due

    def handle_timeout(self, now: float) -> None:
        """Do what is due: a sign of life, and asking others for what this peer does not answer."""
        self._stream.handle_timeout(now)
        for core in list(self.cores.values()):
            core.replicator.handle_timeout(core.peer, now)
            self._wake_core(core)

    def close(self) -> None:
        """End it: what was asked of it is asked of others. Closing twice is fine."""
        if not self._is_closed:
            self._is_closed = True
            self._stop_observing()
            for core in list(self.cores.values()):
                self._forget(core)

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

    def ask_for(self, core: CoreState) -> None:
        """Ask the other side to exchange a core, also one that is written here; see ``has``."""
        if not self._is_closed:
            self._open(core.discovery_key)

    def has(self, core: CoreState) -> bool | None:
        """Return whether the other side exchanges a core that it was asked for; None if it has not said."""
        if self._is_closed:
            return None
        shared = self.cores.get(core.discovery_key)
        if shared is None:
            return False
        return True if shared.channel.is_open else None

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

    def _open(self, discovery_key: bytes) -> None:
        """Open the channel of a core, if the core is there and has none yet."""
        if discovery_key in self.cores:
            return
        try:
            handle = self._source.open_quietly(discovery_key)
        except StorageError as error:
            self._report(error)
            return
        if handle is None:
            return
        if Replicator.of(handle.state).exchange.error is not None:
            handle.close()
            return
        proof = capability(self._stream.is_initiator, handle.key, self._stream.handshake_hash)
        channel = self._mux.open(PROTOCOL, discovery_key, encode_handshake(proof))
        core = channel.owner = SharedCore(handle, channel, self._has_room, self._report)
        core.peer.wake = lambda: self._wake_core(core)
        core.peer.end_frame = self._mux.flush
        self.cores[discovery_key] = core
        self._wake()

    def _forget(self, core: SharedCore) -> None:
        """Let go of a core whose channel is closed."""
        self.cores.pop(core.replicator.core.discovery_key, None)
        self._waking.pop(core, None)
        core.close()

    def _handle(self, event: Event, now: float, touched: dict[SharedCore, None]) -> None:
        if isinstance(event, Messages):
            core: SharedCore = event.channel.owner
            touched[core] = None
            core.receive(event, now)
        elif isinstance(event, OpenRequested):
            self._open_requested(event)
        elif isinstance(event, Opened):
            self._opened(event)
            self.on_answer()
        elif isinstance(event, (Rejected, Closed)):
            core = event.channel.owner
            wants_more = isinstance(event, Closed) and core.peer.uploading and not core.peer.downloading
            self._forget(core)
            # It thought that nobody here wants anything any more; that may have crossed with a new wish.
            if wants_more and core.replicator.exchange.is_downloading:
                self._open(core.replicator.core.discovery_key)
            self.on_answer()

    def _open_requested(self, event: OpenRequested) -> None:
        if event.protocol == PROTOCOL and event.id is not None and len(event.id) == KEY_SIZE:
            self._named[event.id] = None
            if len(self._named) > _MAX_NAMED:
                del self._named[next(iter(self._named))]
            self._open(event.id)

    def _opened(self, event: Opened) -> None:
        core: SharedCore = event.channel.owner
        stream = self._stream
        expected = capability(not stream.is_initiator, core.replicator.core.key, stream.handshake_hash)
        if decode_handshake(event.handshake)[0] != expected:
            raise RemoteProtocolError(
                "a capability that does not show that the other side knows the core's key"
            )
        if core.replicator.exchange.error is None:
            core.replicator.join(core.peer)
        else:
            event.channel.close()
            self._forget(core)

    # --- sending ----------------------------------------------------------------------------------

    def _has_room(self) -> bool:
        return not self._is_blocked and self._mux.pending_bytes < _ROOM

    def _wake_core(self, core: SharedCore) -> None:
        self._waking[core] = None
        self._wake()

    def _go_on(self) -> None:
        for core in self.cores.values():
            if core.answers.is_waiting:
                self._wake_core(core)
