"""Protomux: any number of channels on one stream. Frames in, events out; messages in, frames out.

    open    = 01, uint id, string protocol, optional buffer id of the protocol, handshake
    reject  = 02, uint id               the receiver's id of the channel: it opened what nobody here knows
    close   = 03, uint id               the sender's id of the channel

A channel is a protocol and an id (such as "hypercore/alpha" and a discovery key). Each side opens it under a
number of its own; it is open when both have. Rules that hold here:

* Opens of the same channel are paired in the order of their arrival, also with one that was closed before the
  other side knew: only the answer to it frees its number.
* A number of the other side is free, or one above the highest so far.
* Messages for a channel that is closed, and messages of unknown types, are ignored: they may have crossed a
  close.
* An event is handled before the next one is asked for. Whoever wants a channel that the other side has opened
  opens it then; otherwise it is rejected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypercore import errors
from hypercore.encoding import encode_buffer, encode_uint, get_buffer, get_uint
from hypercore.errors import BadArgument, DecodingError, InvalidOperation, RemoteProtocolError
from hypercore.wire.batches import Entry, Outgoing, pack_frames, split_frame
from hypercore.wire.secret_stream import MAX_PLAINTEXT

FRAME_LIMIT = 131_072
"""A frame with so many bytes takes no further message: larger ones gain nothing."""

MAX_CHANNELS = 4096
"""How many channels the other side may have open at once."""

_MAX_REMOTE_IDS = 65_536
_MAX_NAME = 255
_MAX_HANDSHAKE = 4096

_CONTROL = 0
_CONTROLS = _OPEN, _REJECT, _CLOSE = 1, 2, 3

_ALIASES = {"hypercore": "hypercore/alpha"}

# A message of this size fits, whatever its channel and type.
_ALWAYS_FITS = MAX_PLAINTEXT - 32

_Key = tuple[str, "bytes | None"]


class Channel:
    """This side of a channel; made by Protomux.open.

    Attributes:
        protocol: its name.
        id: tells channels of one protocol apart; None if there is only one.
        local_id: the number that this side gave it.
        is_open: whether both sides have opened it and none has closed it.
        handshake: what the other side said when it opened; empty before.
        owner: free for whoever handles the channel.
    """

    __slots__ = (
        "_is_closed",
        "_mux",
        "_remote_id",
        "handshake",
        "id",
        "is_open",
        "local_id",
        "owner",
        "protocol",
    )

    def __init__(self, mux: Protomux, protocol: str, id_: bytes | None, local_id: int) -> None:
        self.protocol = protocol
        self.id = id_
        self.local_id = local_id
        self.is_open = False
        self.handshake = b""
        self.owner: Any = None
        self._mux = mux
        self._remote_id = 0  # 0: the other side has not opened it
        self._is_closed = False

    def __repr__(self) -> str:
        id_ = "" if self.id is None else f" {self.id.hex()}"
        return f"<Channel {self.local_id} {self.protocol}{id_}{'' if self.is_open else ', not open'}>"

    @property
    def pending_bytes(self) -> int:
        """About how many bytes of all channels wait to be sent."""
        return self._mux.pending_bytes

    def send(self, type_: int, *pieces: bytes) -> None:
        """Queue a message whose payload is the pieces, one behind the other.

        It may be sent as soon as this side has opened the channel.

        Raises:
            BadArgument: it does not fit into a frame.
            Closed: one of the sides has closed the channel.
        """
        if self._is_closed:
            raise errors.Closed(f"the channel {self.local_id} of {self.protocol} is closed")
        size = 1 if type_ <= 0xFC else len(encode_uint(type_))
        for piece in pieces:
            size += len(piece)
        if size > _ALWAYS_FITS and size + len(encode_uint(self.local_id)) > MAX_PLAINTEXT:
            raise BadArgument(f"a message of {size} bytes does not fit into a frame of {MAX_PLAINTEXT}")
        mux = self._mux
        mux.pending_bytes += size
        mux._queue.append((self.local_id, type_, size, pieces))

    def send_all(self, type_: int, messages: Sequence[bytes]) -> None:
        """Queue short messages of one type, whose payloads are given.

        Raises:
            BadArgument: one does not fit into a frame.
            Closed: one of the sides has closed the channel.
        """
        if type_ > 0xFC or any(len(message) > _ALWAYS_FITS for message in messages):
            for message in messages:
                self.send(type_, message)
            return
        if self._is_closed:
            raise errors.Closed(f"the channel {self.local_id} of {self.protocol} is closed")
        mux, number = self._mux, self.local_id
        mux.pending_bytes += sum(map(len, messages)) + len(messages)
        mux._queue += [(number, type_, len(message) + 1, (message,)) for message in messages]

    def close(self) -> None:
        """Close the channel, whether the other side has opened it or not; a second time does nothing."""
        if not self._is_closed:
            self._mux._close(self)


@dataclass(slots=True)
class OpenRequested:
    """The other side has opened a channel that this side has not; see Protomux.receive."""

    protocol: str
    id: bytes | None


@dataclass(slots=True)
class Opened:
    """Both sides have opened the channel."""

    channel: Channel
    handshake: bytes


@dataclass(slots=True)
class Rejected:
    """The other side does not want a channel that this side has opened."""

    channel: Channel


@dataclass(slots=True)
class Closed:
    """The other side has closed the channel."""

    channel: Channel


@dataclass(slots=True)
class Messages:
    """Consecutive messages of an open channel; their payloads are ``frame[start:end]``."""

    channel: Channel
    frame: bytes
    entries: list[Entry]


Event = OpenRequested | Opened | Rejected | Closed | Messages


@dataclass(slots=True)
class _Offer:
    """An open of the other side that waits for an answer, and the channel that answers it."""

    key: _Key
    remote_id: int
    handshake: bytes
    channel: Channel | None = None


class Protomux:
    """The channels of one stream.

    Attributes:
        pending_bytes: about how many bytes wait for take_frames.
    """

    def __init__(self) -> None:
        self.pending_bytes = 0
        self._queue: list[Outgoing | None] = []
        self._local: list[Channel | None] = []
        self._free: list[int] = []
        self._remote: list[Channel | None] = []
        self._open_remotes = 0
        # Channels that this side has opened and not closed.
        self._live: dict[_Key, Channel] = {}
        # Channels whose open the other side has not answered, in order; some are closed already.
        self._unanswered: dict[_Key, list[Channel]] = {}
        self._offer: _Offer | None = None
        # Numbers of the other side whose opens were answered in what waits for take_frames.
        self._answered: set[int] = set()
        self._error: RemoteProtocolError | None = None

    def open(self, protocol: str, id_: bytes | None, handshake: bytes = b"") -> Channel:
        """Open a channel and return it.

        If the other side has opened it, which it has while its OpenRequested is handled, it is open at once,
        and its Opened is the next event. Otherwise Opened or Rejected comes when the other side has answered.

        Raises:
            BadArgument: the protocol, id or handshake is too long.
            InvalidOperation: this side has opened the channel already.
        """
        key = _key(protocol, id_)
        if key in self._live:
            raise InvalidOperation(f"a channel of {key[0]} with this id is open already")
        names = (key[0].encode(), key[1] or b"")
        if max(map(len, names)) > _MAX_NAME or len(handshake) > _MAX_HANDSHAKE:
            raise BadArgument("the protocol, id or handshake of a channel is too long")
        channel = self._add(key)
        self._send_control(_OPEN, encode_uint(channel.local_id), *map(encode_buffer, names), handshake)
        offer = self._offer
        if offer and offer.key == key and not offer.channel:
            offer.channel = channel
            self._answered.add(offer.remote_id)
            self._pair(channel, offer.remote_id, offer.handshake)
        else:
            self._unanswered.setdefault(key, []).append(channel)
        return channel

    def receive(self, frame: bytes) -> Iterator[Event]:
        """Take a frame and iterate over what it says.

        An event has to be handled before the next one is asked for, and the iterator has to be exhausted
        before the next frame is received. An OpenRequested is answered by calling open() with its channel
        while it is handled; if that does not happen, the channel is rejected.

        Raises:
            RemoteProtocolError: the other side broke the protocol; it is raised again by every later call.
        """
        try:
            if self._error:
                raise self._error
            if frame:
                yield from self._events(frame)
        except DecodingError as error:
            self._error = RemoteProtocolError(f"a frame cannot be read: {error}")
            raise self._error from None
        except RemoteProtocolError as error:
            self._error = error
            raise

    def take_frames(self, limit: int = FRAME_LIMIT) -> list[bytes]:
        """Return all that was sent since the last call, as frames.

        A frame that has reached ``limit`` bytes takes no further message.
        """
        queue, self._queue = self._queue, []
        self.pending_bytes = 0
        self._answered.clear()
        return pack_frames(queue, limit)

    def flush(self) -> None:
        """End the frame under way: what is sent from here on stands in another one."""
        if self._queue and self._queue[-1] is not None:
            self._queue.append(None)

    def _events(self, frame: bytes) -> Iterator[Event]:
        for remote_id, entries in split_frame(frame):
            if remote_id == _CONTROL:
                for type_, start, end in entries:
                    if type_ in _CONTROLS:
                        yield from self._control(type_, frame[start:end])
            elif channel := self._find(remote_id):
                yield Messages(channel, frame, entries)

    def _control(self, type_: int, message: bytes) -> Iterator[Event]:
        if type_ == _OPEN:
            yield from self._receive_open(message)
        elif type_ == _REJECT:
            yield from self._receive_reject(message)
        else:
            remote_id, _ = get_uint(message, 0)
            if channel := self._find(remote_id):
                self._forget(channel)
                yield Closed(channel)

    def _receive_open(self, message: bytes) -> Iterator[Event]:
        remote_id, key, handshake = _decode_open(message)
        self._claim(remote_id)
        if waiting := self._unanswered.get(key):
            channel = waiting[0]
            self._settle(channel)
            if channel._is_closed:
                self._release(channel)
            else:
                self._pair(channel, remote_id, handshake)
                yield Opened(channel, handshake)
            return
        offer = _Offer(key, remote_id, handshake)
        if key not in self._live:
            self._offer = offer
            yield OpenRequested(*key)
            self._offer = None
        if not offer.channel:
            self._answered.add(remote_id)
            self._send_control(_REJECT, encode_uint(remote_id))
        elif offer.channel.is_open:
            yield Opened(offer.channel, handshake)

    def _claim(self, remote_id: int) -> None:
        """Check that the other side may open a channel under this number now."""
        known = len(self._remote)
        if not 0 < remote_id <= known + 1 or (remote_id <= known and self._remote[remote_id - 1]):
            raise RemoteProtocolError(f"a channel is opened as number {remote_id}, which is not free")
        if remote_id in self._answered:
            raise RemoteProtocolError(f"number {remote_id} is opened again before its answer was sent")
        if remote_id > _MAX_REMOTE_IDS or self._open_remotes >= MAX_CHANNELS:
            raise RemoteProtocolError(f"more than {MAX_CHANNELS} channels are opened at once")
        if remote_id > known:
            self._remote.append(None)

    def _receive_reject(self, message: bytes) -> Iterator[Event]:
        local_id, _ = get_uint(message, 0)
        channel = self._local[local_id - 1] if 0 < local_id <= len(self._local) else None
        if not channel or channel._remote_id:
            raise RemoteProtocolError(f"channel {local_id} is rejected, but waits for no answer")
        self._settle(channel)
        self._release(channel)
        if not channel._is_closed:
            channel._is_closed = True
            del self._live[channel.protocol, channel.id]
            yield Rejected(channel)

    def _settle(self, channel: Channel) -> None:
        """Forget that a channel waits for an answer."""
        key = (channel.protocol, channel.id)
        waiting = self._unanswered[key]
        waiting.remove(channel)
        if not waiting:
            del self._unanswered[key]

    def _add(self, key: _Key) -> Channel:
        """Make a channel under a number that is free, the last one that became so."""
        if not self._free:
            self._local.append(None)
            self._free.append(len(self._local))
        channel = Channel(self, *key, self._free.pop())
        self._local[channel.local_id - 1] = channel
        self._live[key] = channel
        return channel

    def _find(self, remote_id: int) -> Channel | None:
        return self._remote[remote_id - 1] if 0 < remote_id <= len(self._remote) else None

    def _pair(self, channel: Channel, remote_id: int, handshake: bytes) -> None:
        channel._remote_id = remote_id
        channel.handshake = handshake
        channel.is_open = True
        self._remote[remote_id - 1] = channel
        self._open_remotes += 1

    def _close(self, channel: Channel) -> None:
        self._send_control(_CLOSE, encode_uint(channel.local_id))
        if channel._remote_id:
            self._forget(channel)
        else:
            # Its number is in use until the other side has answered the open.
            channel._is_closed = True
            del self._live[channel.protocol, channel.id]

    def _forget(self, channel: Channel) -> None:
        """Free both numbers of a channel that one of the sides has closed."""
        channel._is_closed = True
        channel.is_open = False
        self._remote[channel._remote_id - 1] = None
        self._open_remotes -= 1
        del self._live[channel.protocol, channel.id]
        self._release(channel)

    def _release(self, channel: Channel) -> None:
        self._local[channel.local_id - 1] = None
        self._free.append(channel.local_id)

    def _send_control(self, type_: int, *pieces: bytes) -> None:
        size = 1 + sum(map(len, pieces))
        self.pending_bytes += size
        self._queue.append((_CONTROL, type_, size, pieces))


def _key(protocol: str, id_: bytes | None) -> _Key:
    return _ALIASES.get(protocol, protocol), id_ or None


def _decode_open(message: bytes) -> tuple[int, _Key, bytes]:
    remote_id, pos = get_uint(message, 0)
    protocol, pos = get_buffer(message, pos)
    id_, pos = get_buffer(message, pos)
    handshake = message[pos:]
    for size, limit in ((len(protocol), _MAX_NAME), (len(id_), _MAX_NAME), (len(handshake), _MAX_HANDSHAKE)):
        if size > limit:
            raise RemoteProtocolError(f"a part of an open has {size} bytes, above {limit}")
    return remote_id, _key(protocol.decode("utf-8", "replace"), id_), handshake
