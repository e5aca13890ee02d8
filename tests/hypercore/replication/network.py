"""Connections joined in memory. The time is a number that the test moves; nothing runs by itself.

An end is driven exactly as hypercore.aio drives a connection: it sends after it has received something, when
it was woken, and when its time is due. What forgets to wake stands still here, too.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from hypercore import wire
from hypercore.errors import RemoteProtocolError
from hypercore.replication import Connection, Source
from hypercore.wire import SecretStream
from hypercore.wire.batches import split_frame

DECODERS: dict[int, Callable[[bytes, int, int], Any]] = {
    wire.SYNC: wire.decode_sync,
    wire.REQUEST: wire.decode_request,
    wire.CANCEL: wire.decode_cancel,
    wire.DATA: wire.decode_data,
    wire.NO_DATA: wire.decode_no_data,
    wire.WANT: wire.decode_want,
    wire.UNWANT: wire.decode_unwant,
    wire.BITFIELD: wire.decode_bitfield,
    wire.RANGE: wire.decode_range,
    wire.EXTENSION: wire.decode_extension,
}

# More than any test needs; two that answer each other for ever need more.
_MAX_ROUNDS = 100_000


class Machine(Protocol):
    """What stands at an end: a Connection, or a peer that a test plays."""

    def receive(self, data: bytes, now: float) -> None: ...
    def data_to_send(self, now: float) -> bytes: ...
    def next_timeout(self, now: float) -> float | None: ...
    def handle_timeout(self, now: float) -> None: ...
    def close(self) -> None: ...


class LoggingStream(SecretStream):
    """Remembers what it sent before it was encrypted, and what it received after it was decrypted."""

    def __init__(self, *, is_initiator: bool, **known: Any) -> None:
        super().__init__(is_initiator=is_initiator, **known)
        self.log: list[bytes] = []
        self.received: list[bytes] = []

    def receive(self, data: bytes) -> Iterator[bytes]:
        for plaintext in super().receive(data):
            self.received.append(plaintext)
            yield plaintext

    def send(self, plaintext: bytes) -> None:
        self.log.append(plaintext)
        super().send(plaintext)


class End:
    """One side of a link.

    Attributes:
        machine: what stands there.
        other: the other side.
        error: why it ended the connection.
        reported: errors that did not end it.
        is_blocked: whether it was told that it cannot write.
        is_held: whether what arrives has to wait.
        due: when its time is, None for never.
        piece: cut what arrives into pieces of so many bytes; None leaves it whole.
        bytes_sent: how many.
    """

    other: End
    machine: Machine

    def __init__(self, network: Network) -> None:
        self.error: RemoteProtocolError | None = None
        self.reported: list[Exception] = []
        self.is_held = False
        self.is_blocked = False
        self.is_closed = False
        self.is_awake = True
        self.due: float | None = None
        self.piece: int | None = None
        self.bytes_sent = 0
        self.stream: LoggingStream | None = None
        self._network = network
        self._inbox: deque[bytes] = deque()

    @property
    def connection(self) -> Connection:
        """What stands here, if it is no peer that a test plays."""
        assert isinstance(self.machine, Connection)
        return self.machine

    def block(self, is_blocked: bool) -> None:
        """Have it believe that it cannot write at the moment, or that it can again."""
        self.is_blocked = is_blocked
        self.connection.set_blocked(is_blocked)

    def wake(self) -> None:
        """Take note that there is something to send."""
        self.is_awake = True

    def said(self, kind: type[Any] | None = None) -> list[Any]:
        """Return the messages that this side has sent, of all cores; those of one kind if it is given."""
        assert self.stream is not None
        return [message for message in messages_in(self.stream.log) if kind is None or type(message) is kind]

    def heard(self, kind: type[Any]) -> list[Any]:
        """Return the messages of one kind that this side has received, of all cores."""
        assert self.stream is not None
        return [message for message in messages_in(self.stream.received) if type(message) is kind]

    def asked(self) -> Counter[int]:
        """Return how often this side has asked for each block."""
        return Counter(
            request.proof.block.index
            for request in self.said(wire.Request)
            if request.proof.block is not None
        )

    def exchanged(self) -> set[bytes]:
        """Return the discovery keys of the cores whose channels are open on both sides."""
        return {key for key, core in self.connection.cores.items() if core.channel.is_open}

    def forget(self) -> None:
        """Forget what was sent and received so far."""
        assert self.stream is not None
        self.stream.log.clear()
        self.stream.received.clear()

    def step(self) -> bool:
        """Do one thing that is to be done, and return whether there was any."""
        if self.is_closed:
            return False
        if self._inbox and not self.is_held:
            self._guard(lambda: self.machine.receive(self._inbox.popleft(), self._network.now))
            self.is_awake = True
        if not self.is_awake:
            return False
        self.is_awake = False
        self._guard(self._send)
        return True

    def tick(self) -> None:
        """Do what is due now."""
        if not self.is_closed and self.due is not None and self.due <= self._network.now:
            self.due = None
            self._guard(lambda: self.machine.handle_timeout(self._network.now))
            self.is_awake = True

    def close(self) -> None:
        """Cut the connection, on both sides."""
        for end in (self, self.other):
            if not end.is_closed:
                end.is_closed = True
                end._inbox.clear()
                end.machine.close()

    def _send(self) -> None:
        data = self.machine.data_to_send(self._network.now)
        self.bytes_sent += len(data)
        if data and not self.other.is_closed:
            self.other._inbox.extend(cut(data, self.other.piece))
        if isinstance(self.machine, Connection) and self.machine.is_waiting and not self.is_blocked:
            self.machine.set_blocked(False)
        if self.due is None:
            self.due = self.machine.next_timeout(self._network.now)

    def _guard(self, action: Callable[[], None]) -> None:
        try:
            action()
        except RemoteProtocolError as error:
            self.error = error
            self.close()


class Network:
    """Any number of links, and the time.

    Attributes:
        now: seconds.
        ends: of all links, the two sides of each behind each other.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.ends: list[End] = []

    def connect(self, one: Source, other: Source, *, piece: int | None = None, **options: Any) -> End:
        """Join two sources and return the end of the first, which begins the handshake; nothing runs yet."""
        first, second = End(self), End(self)
        for end, source, is_initiator in ((first, one, True), (second, other, False)):
            end.stream = LoggingStream(is_initiator=is_initiator)
            end.machine = Connection(
                source,
                is_initiator=is_initiator,
                stream=end.stream,
                wake=end.wake,
                report=end.reported.append,
                **options,
            )
            end.connection.on_end = end.close
        return self._link(first, second, piece)

    def connect_to(self, source: Source, machine: Any, *, piece: int | None = None) -> End:
        """Join a source and a peer that a test plays, which begins the handshake; return the source's end."""
        end, other = End(self), End(self)
        end.stream = LoggingStream(is_initiator=False)
        end.machine = Connection(
            source, is_initiator=False, stream=end.stream, wake=end.wake, report=end.reported.append
        )
        end.connection.on_end = end.close
        other.machine = machine
        other.stream = machine.stream
        machine.wake = other.wake
        return self._link(end, other, piece)

    def _link(self, one: End, other: End, piece: int | None) -> End:
        one.other, other.other = other, one
        one.piece = other.piece = piece
        self.ends += (one, other)
        return one

    def run(self) -> None:
        """Let everything happen that happens without time passing."""
        for _ in range(_MAX_ROUNDS):
            if not sum(end.step() for end in self.ends):
                return
        raise AssertionError("they never stop to talk")

    def wait(self, seconds: float) -> None:
        """Let time pass, and everything happen in it."""
        self.run()
        end = self.now + seconds
        while self.now < end:
            due = [each.due for each in self.ends if each.due is not None and not each.is_closed]
            self.now = max(self.now, min(end, *due)) if due else end
            for each in self.ends:
                each.tick()
            self.run()

    def close(self) -> None:
        """Cut all connections."""
        for end in self.ends:
            end.close()


def messages_in(frames: list[bytes]) -> Iterator[Any]:
    """Iterate over the messages of cores in plaintext frames; control messages are left out."""
    for frame in frames:
        for channel, entries in split_frame(frame) if frame else ():
            if channel:
                for type_, start, end in entries:
                    if type_ in DECODERS:
                        yield DECODERS[type_](frame, start, end)


def cut(data: bytes, piece: int | None) -> list[bytes]:
    """Return data in pieces of a size."""
    return [data] if piece is None else [data[i : i + piece] for i in range(0, len(data), piece)]
