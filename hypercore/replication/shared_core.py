"""One core on one connection: its messages, and who takes them."""

from __future__ import annotations

from collections.abc import Callable

from hypercore.core import Hypercore
from hypercore.errors import StorageError
from hypercore.replication.answering import Answers
from hypercore.replication.peer import Peer
from hypercore.replication.replicator import Replicator
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
    Messages,
    decode_bitfield,
    decode_block_data,
    decode_block_request,
    decode_cancel,
    decode_data,
    decode_extension,
    decode_no_data,
    decode_range,
    decode_request,
    decode_sync,
    decode_unwant,
    decode_want,
)

# To answer a message of an extension may take a long walk through a tree.
_EXTENSIONS_PER_SECOND = 256


class SharedCore:
    """A core that is exchanged on a connection.

    Args:
        handle: keeps the core open; it is closed with this object.
        channel: of the core.
        has_room: whether the connection takes more data.
        report: told of errors that do not end the connection.

    Attributes:
        channel: of the core.
        replicator: of the core.
        peer: the other side.
        answers: what the other side asked for.
    """

    def __init__(
        self,
        handle: Hypercore,
        channel: Channel,
        has_room: Callable[[], bool],
        report: Callable[[Exception], None],
    ) -> None:
        self.channel = channel
        self.replicator = Replicator.of(handle.state)
        self.peer = Peer(self.replicator.exchange, channel)
        self.answers = Answers(self.peer, has_room, report)
        self._handle = handle
        self._has_room = has_room
        self._report = report
        self._extension_name = ""
        self._extension_time = 0.0
        self._extension_count = 0
        self._handlers: dict[int, Callable[[bytes, int, int, float], None]] = {
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

    @property
    def is_idle(self) -> bool:
        """Whether neither side wants anything of the other any more."""
        peer = self.peer
        return (
            peer.is_synced
            and not peer.downloading
            and not peer.exchange.is_downloading
            and not peer.open_questions
            and not self.answers.is_waiting
        )

    def receive(self, event: Messages, now: float) -> None:
        """Take messages of the other side.

        Raises:
            RemoteProtocolError, DecodingError: the other side broke the protocol.
        """
        frame, handlers, channel = event.frame, self._handlers, self.channel
        for type_, start, end in event.entries:
            handler = handlers.get(type_)
            if handler is None:
                continue
            try:
                handler(frame, start, end, now)
            except StorageError as error:
                self._fail(error, now)
            if not channel.is_open:
                return
        self.peer.answer_syncs()
        self.peer.wake()

    def settle(self, now: float) -> None:
        """Store what the messages have proven."""
        try:
            self.replicator.receiver.settle()
        except StorageError as error:
            self._fail(error, now)

    def send(self, now: float) -> None:
        """Answer what there is room for, and ask for what may be asked for.

        Raises:
            RemoteProtocolError: the other side broke the protocol.
        """
        self.answers.go_on()
        try:
            self.replicator.fill(self.peer, now)
        except StorageError as error:
            self._fail(error, now)

    def close(self) -> None:
        """Stop to exchange the core with this peer."""
        self.replicator.leave(self.peer)
        self._handle.close()

    def _fail(self, error: StorageError, now: float) -> None:
        """Go on without what is wanted of a core whose storage failed."""
        self.replicator.fail(error, now)
        self._report(error)

    def _on_sync(self, buf: bytes, pos: int, end: int, now: float) -> None:
        self.peer.on_sync(decode_sync(buf, pos, end))
        self.replicator.on_sync(self.peer)

    def _on_request(self, buf: bytes, pos: int, end: int, now: float) -> None:
        plain = decode_block_request(buf, pos, end)
        if plain is not None:
            self.answers.receive_block_request(*plain)
        else:
            self.answers.receive(decode_request(buf, pos, end))

    def _on_cancel(self, buf: bytes, pos: int, end: int, now: float) -> None:
        self.answers.cancel(decode_cancel(buf, pos, end).request)

    def _on_data(self, buf: bytes, pos: int, end: int, now: float) -> None:
        plain = decode_block_data(buf, pos, end)
        if plain is not None:
            self.replicator.receiver.on_block_data(self.peer, *plain, now)
        else:
            self.replicator.receiver.on_data(self.peer, decode_data(buf, pos, end), now)

    def _on_no_data(self, buf: bytes, pos: int, end: int, now: float) -> None:
        self.replicator.receiver.on_no_data(self.peer, decode_no_data(buf, pos, end).request, now)

    def _on_want(self, buf: bytes, pos: int, end: int, now: float) -> None:
        self.peer.on_want(decode_want(buf, pos, end))

    def _on_unwant(self, buf: bytes, pos: int, end: int, now: float) -> None:
        self.peer.on_unwant(decode_unwant(buf, pos, end))

    def _on_bitfield(self, buf: bytes, pos: int, end: int, now: float) -> None:
        self.peer.on_bitfield(decode_bitfield(buf, pos, end))

    def _on_range(self, buf: bytes, pos: int, end: int, now: float) -> None:
        self.peer.on_range(decode_range(buf, pos, end))

    def _on_extension(self, buf: bytes, pos: int, end: int, now: float) -> None:
        message = decode_extension(buf, pos, end)
        self._extension_name = message.name or self._extension_name
        # What is answered here are hints: whoever sends more than is read, or asks for much, gets no answer.
        if now - self._extension_time >= 1:
            self._extension_time, self._extension_count = now, 0
        self._extension_count += 1
        may_answer = self._extension_count <= _EXTENSIONS_PER_SECOND and self._has_room()
        self.replicator.on_extension(
            self.peer, self._extension_name, message.payload, may_answer=may_answer, report=self._report
        )
