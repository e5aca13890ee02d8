"""A peer that a test plays: it speaks the protocol correctly up to the messages, and those are the test's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hypercore import Hypercore, KeyPair, crypto, wire
from hypercore.errors import BlockNotAvailable, InvalidOperation
from hypercore.proofs import ProofRequest
from hypercore.wire import Channel, Data, NoData, Protomux, Request, Sync
from tests.hypercore.replication.network import DECODERS, LoggingStream

PROTOCOL = "hypercore/alpha"

TYPES = {
    wire.Sync: wire.SYNC,
    wire.Request: wire.REQUEST,
    wire.Cancel: wire.CANCEL,
    wire.Data: wire.DATA,
    wire.NoData: wire.NO_DATA,
    wire.Want: wire.WANT,
    wire.Unwant: wire.UNWANT,
    wire.Bitfield: wire.BITFIELD,
    wire.Range: wire.RANGE,
    wire.Extension: wire.EXTENSION,
}


class PlayedPeer:
    """A peer that says what the test has it say.

    It opens every core whose key it knows, and otherwise does nothing unless ``on_message`` makes it.

    Args:
        keys: of the cores that it opens; each channel is opened as soon as the stream is.

    Attributes:
        heard: the messages of all cores that came, in order.
        named, rejected, closed: the discovery keys of the channels that the other side opened first, refused,
            and closed.
        on_message: called with each message that comes.
        channels: by discovery key.
        key_pair: its static key pair.
        wake: set by the network; called when something is to be sent.
    """

    def __init__(self, keys: Iterable[bytes] = (), *, is_initiator: bool = True) -> None:
        self.key_pair = KeyPair.generate()
        self.stream = LoggingStream(is_initiator=is_initiator, key_pair=self.key_pair)
        self.mux = Protomux()
        self.keys = {crypto.discovery_key(key): key for key in keys}
        self.channels: dict[bytes, Channel] = {}
        self.heard: list[Any] = []
        self.named: list[bytes | None] = []
        self.rejected: list[bytes | None] = []
        self.closed: list[bytes | None] = []
        self.on_message: Callable[[Any], None] = lambda message: None
        self.wake: Callable[[], None] = lambda: None
        self.reads = True
        self._raw: list[bytes] = []
        self._is_set_up = False
        self.stream.start()

    # --- a machine of a network -------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> None:
        for frame in self.stream.receive(data):
            self._set_up()
            for event in self.mux.receive(frame):
                self._handle(event)
        self._set_up()

    def data_to_send(self, now: float) -> bytes:
        if self.stream.is_open:
            for frame in self.mux.take_frames():
                self.stream.send(frame)
            for frame in self._raw:
                self.stream.send(frame)
            self._raw.clear()
        return self.stream.data_to_send(now)

    def next_timeout(self, now: float) -> float | None:
        return self.stream.next_timeout()

    def handle_timeout(self, now: float) -> None:
        self.stream.handle_timeout(now)

    def close(self) -> None:
        pass

    # --- what the test has it do ------------------------------------------------------------------

    @property
    def channel(self) -> Channel:
        """The channel of its only core."""
        (channel,) = self.channels.values()
        return channel

    def open(self, key: bytes, *, capability: bytes | None = None) -> Channel:
        """Open the channel of a core, with a capability that shows that the key is known."""
        proof = wire.capability(self.stream.is_initiator, key, self.stream.handshake_hash)
        discovery_key = crypto.discovery_key(key)
        channel = self.mux.open(PROTOCOL, discovery_key, wire.encode_handshake(capability or proof))
        self.channels[discovery_key] = channel
        self.wake()
        return channel

    def say(self, *messages: Any, channel: Channel | None = None) -> None:
        """Send messages of a core, all in one frame."""
        for message in messages:
            (channel or self.channel).send(TYPES[type(message)], message.encode())
        self.wake()

    def say_raw(self, type_: int, payload: bytes) -> None:
        """Send a message with any type and payload."""
        self.channel.send(type_, payload)
        self.wake()

    def send_frame(self, plaintext: bytes) -> None:
        """Send a plaintext as it is, behind what was said."""
        self._raw.append(plaintext)
        self.wake()

    def heard_of(self, kind: type[Any]) -> list[Any]:
        """Return the messages of one kind that came."""
        return [message for message in self.heard if type(message) is kind]

    def _set_up(self) -> None:
        if self.stream.is_open and not self._is_set_up:
            self._is_set_up = True
            for key in self.keys.values():
                self.open(key)

    def _handle(self, event: wire.Event) -> None:
        if isinstance(event, wire.Messages):
            for type_, start, end in event.entries:
                if type_ in DECODERS:
                    message = DECODERS[type_](event.frame, start, end)
                    self.heard.append(message)
                    self.on_message(message)
        elif isinstance(event, wire.OpenRequested):
            self.named.append(event.id)
            key = self.keys.get(event.id or b"")
            if key is not None:
                self.open(key)
        elif isinstance(event, wire.Rejected):
            self.rejected.append(event.channel.id)
        elif isinstance(event, wire.Closed):
            self.closed.append(event.channel.id)


class PlayedServer(PlayedPeer):
    """A peer that answers requests for a core truthfully, but for what the test changes.

    Args:
        core: what it answers from.
        answer: gets each request and its true answer, and returns what is sent; None for silence.
        has: whether it says at once to have all blocks.
    """

    def __init__(
        self,
        core: Hypercore,
        answer: Callable[[Request, Data | NoData], Any] = lambda request, answer: answer,
        *,
        has: bool = True,
        is_initiator: bool = True,
    ) -> None:
        super().__init__([core.key], is_initiator=is_initiator)
        self.core = core
        self.answer = answer
        self.on_message = self._react
        self._has = has
        self._is_synced = False

    def sync(self, remote_length: int = 0, **changes: Any) -> Sync:
        """Return what it says of itself."""
        core = self.core
        known = {
            "fork": core.fork,
            "length": core.length,
            "remote_length": remote_length,
            "can_upgrade": True,
            "uploading": True,
            "downloading": False,
            "has_manifest": True,
            "allow_push": False,
        }
        return Sync(**(known | changes))

    def true_answer(self, request: Request) -> Data | NoData:
        """Return what an honest peer would answer."""
        core, wanted = self.core, request.proof
        if request.fork != core.fork:
            return NoData(request.id, wire.NOT_AVAILABLE)
        try:
            proof = core.proof(wanted)
        except BlockNotAvailable:
            return NoData(request.id, wire.NOT_AVAILABLE)
        except InvalidOperation:
            return NoData(request.id, wire.INVALID_REQUEST)
        proof.manifest = core.manifest if request.manifest else None
        return Data(request.id, proof)

    def _react(self, message: Any) -> None:
        if isinstance(message, Sync):
            self.say(self.sync(message.length))
            if self._has and not self._is_synced:
                self.say(wire.Range(False, 0, self.core.length))
            self._is_synced = True
        elif isinstance(message, Request):
            answer = self.answer(message, self.true_answer(message))
            if answer is not None:
                self.say(answer)


def only(request: ProofRequest) -> str:
    """Return what a request asks for first: "block", "hash", "seek", "upgrade" or "nothing"."""
    for part in ("block", "hash", "seek", "upgrade"):
        if getattr(request, part) is not None:
            return part
    return "nothing"
