"""Two machines of the wire, joined in memory: what one sends, the other receives."""

from collections.abc import Callable, Iterable
from typing import Any

from hypercore import KeyPair
from hypercore.errors import RemoteProtocolError
from hypercore.wire import Event, Messages, OpenRequested, Protomux, SecretStream

ROUNDS = 100
"""So often two machines answer each other at most."""


def key_pair(seed: int) -> KeyPair:
    """Return the key pair of a seed of 32 equal bytes."""
    return KeyPair.from_seed(bytes((seed,)) * 32)


def known_streams(keys: dict[str, list[int]]) -> tuple[SecretStream, SecretStream]:
    """Return the initiator and the responder that have the keys of a vector; the handshake has begun."""
    first, second = (
        SecretStream(
            is_initiator=side == 0,
            key_pair=key_pair(keys["static"][side]),
            ephemeral=key_pair(keys["ephemeral"][side]),
            header=bytes((keys["header"][side],)) * 24,
        )
        for side in (0, 1)
    )
    first.start()
    return first, second


KEYS = {"static": [1, 2], "ephemeral": [3, 4], "header": [5, 6]}


def exchange(first: SecretStream, second: SecretStream, now: float = 0.0) -> tuple[list[bytes], list[bytes]]:
    """Carry bytes to and fro until both are silent; return the plaintexts that each has received."""
    received: tuple[list[bytes], list[bytes]] = ([], [])
    for _ in range(ROUNDS):
        to_second, to_first = first.data_to_send(now), second.data_to_send(now)
        if not to_second and not to_first:
            return received
        received[0].extend(first.receive(to_first))
        received[1].extend(second.receive(to_second))
    raise AssertionError("the streams never fall silent")


def open_streams() -> tuple[SecretStream, SecretStream]:
    """Return two streams with the handshake behind them."""
    first, second = known_streams(KEYS)
    exchange(first, second)
    return first, second


class Side:
    """A Protomux and what has happened to it; it accepts the opens of some protocols."""

    def __init__(self, accepts: Iterable[str] = ()) -> None:
        self.mux = Protomux()
        self.accepts = set(accepts)
        self.events: list[Any] = []

    def receive(self, frame: bytes) -> list[Any]:
        """Take a frame and return its events; an open is accepted while it is offered, or not."""
        events: list[Any] = []
        for event in self.mux.receive(frame):
            events.append(event)
            if isinstance(event, OpenRequested) and event.protocol in self.accepts:
                self.mux.open(event.protocol, event.id, b"accepted")
        self.events += events
        return events

    def kinds(self) -> list[str]:
        """Return the names of the events so far, and forget them."""
        events, self.events = self.events, []
        return [type(event).__name__ for event in events]


def settle(first: Side, second: Side) -> None:
    """Carry frames to and fro until both sides are silent."""
    for _ in range(ROUNDS):
        to_second, to_first = first.mux.take_frames(), second.mux.take_frames()
        if not to_second and not to_first:
            return
        for frame in to_second:
            second.receive(frame)
        for frame in to_first:
            first.receive(frame)
    raise AssertionError("the sides never fall silent")


def payloads(events: Iterable[Event]) -> list[tuple[int, bytes]]:
    """Return the types and payloads of all messages among the events."""
    return [
        (type_, event.frame[start:end])
        for event in events
        if isinstance(event, Messages)
        for type_, start, end in event.entries
    ]


def ends(act: Callable[..., object], *arguments: object) -> bool:
    """Return whether a call finds that the other side broke the protocol; other exceptions are passed on."""
    try:
        act(*arguments)
    except RemoteProtocolError:
        return True
    return False
