"""Messages of applications between the peers of a core."""

from __future__ import annotations

from collections.abc import Callable

from hypercore.core import Hypercore
from hypercore.replication import Peer, Replicator

OnMessage = Callable[[bytes, Peer], None]


class Extension:
    """Messages under one name, to and from the peers of a core.

    It is a context manager; closing it ends the messages, not the core.

    Args:
        core: whose peers they are.
        name: of the extension: what both sides have to agree on.
        on_message: called with each message that comes, which may be anything, and the peer that sent it;
            ``peer.extend(name, message)`` answers it. What it raises is reported, and ends nothing.
    """

    def __init__(
        self, core: Hypercore, name: str, on_message: OnMessage = lambda message, peer: None
    ) -> None:
        self.name = name
        self._replicator = Replicator.of(core.state)
        self._on_message = on_message
        self._replicator.listeners.setdefault(name, []).append(on_message)

    def broadcast(self, message: bytes) -> int:
        """Send a message to all peers that there are now; return to how many.

        Raises:
            BadArgument: the message does not fit into a frame.
        """
        return self._replicator.broadcast(self.name, message)

    def close(self) -> None:
        """Take no more messages. Closing twice is fine."""
        listeners = self._replicator.listeners.get(self.name, [])
        if self._on_message in listeners:
            listeners.remove(self._on_message)

    def __enter__(self) -> Extension:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
