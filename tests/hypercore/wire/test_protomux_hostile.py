"""What a peer may try on a Protomux, and what two of them may do to each other in any order."""

from collections import deque
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hypercore.encoding import encode_uint
from hypercore.errors import RemoteProtocolError
from hypercore.wire import Closed, Messages, Opened, OpenRequested, Rejected
from hypercore.wire.batches import pack_frames
from tests.hypercore.damage import cuts, flips
from tests.hypercore.wire.pairs import ROUNDS, Side, ends, payloads, settle
from tests.memory import traced

raw = bytes.fromhex


def opening(number, protocol="p", id_=b"", handshake=b""):
    """Return the control message that opens a channel, without the channel in front."""
    names = b"".join(encode_uint(len(each)) + each for each in (protocol.encode(), id_))
    return b"\x01" + encode_uint(number) + names + handshake


def together(*messages):
    """Return one frame with control messages."""
    (frame,) = pack_frames([(0, each[0], len(each), (each[1:],)) for each in messages], 1 << 30) or [b""]
    return frame


BROKEN = {
    "number-0": (b"\x00" + opening(0), "number 0"),
    "a-number-is-left-out": (b"\x00" + opening(2), "number 2"),
    "a-number-far-above": (b"\x00" + opening(2**53 - 1), "number 9007199254740991"),
    "a-number-in-use": (together(opening(1, "a"), opening(1, "b")), "number 1"),
    "a-reject-without-an-open": (raw("000201"), "waits for no answer"),
    "a-reject-of-number-0": (raw("000200"), "waits for no answer"),
    "a-long-protocol": (b"\x00" + opening(1, "p" * 256), "256 bytes"),
    "a-long-id": (b"\x00" + opening(1, "p", bytes(256)), "256 bytes"),
    "a-long-handshake": (b"\x00" + opening(1, "p", b"", bytes(4097)), "4097 bytes"),
    "an-open-that-is-cut-off": (raw("00010103"), "cannot be read"),
    "a-close-that-is-cut-off": (raw("0003"), "cannot be read"),
    "a-reject-that-is-cut-off": (raw("0002fd01"), "cannot be read"),
    "a-number-above-the-largest": (raw("0003" + "ff" * 9), "cannot be read"),
    "a-type-that-is-missing": (raw("07"), "cannot be read"),
}


@pytest.mark.parametrize(("frame", "message"), BROKEN.values(), ids=BROKEN)
def test_a_frame_that_breaks_the_rules_ends_the_stream(frame, message):
    with pytest.raises(RemoteProtocolError, match=message):
        Side({"a"}).receive(frame)


def test_after_an_error_nothing_is_received_any_more():
    side = Side()
    with pytest.raises(RemoteProtocolError) as error:
        side.receive(raw("000201"))
    with pytest.raises(RemoteProtocolError) as again:
        side.receive(b"\x00" + opening(1))
    assert again.value is error.value
    with pytest.raises(RemoteProtocolError) as unreadable:
        Side().receive(b"\x07")
    assert unreadable.value.__cause__ is None


def test_a_channel_is_rejected_once():
    side = Side()
    side.mux.open("p", None, b"")
    side.receive(raw("000201"))
    with pytest.raises(RemoteProtocolError, match="waits for no answer"):
        side.receive(raw("000201"))


def test_a_channel_that_is_open_is_not_rejected():
    side = Side()
    side.mux.open("p", None, b"")
    side.receive(b"\x00" + opening(1))
    with pytest.raises(RemoteProtocolError, match="waits for no answer"):
        side.receive(raw("000201"))


@pytest.mark.parametrize("accepts", [set(), {"p"}], ids=["rejected", "accepted-and-closed"])
def test_a_number_is_not_used_again_before_its_answer_was_sent(accepts):
    """Who has not heard the answer cannot know that the number is free: without this rule answers pile up."""
    side = Side(accepts)
    side.receive(together(opening(1), raw("0301")))
    with pytest.raises(RemoteProtocolError, match="before its answer"):
        side.receive(b"\x00" + opening(1))
    side = Side(accepts)
    side.receive(together(opening(1), raw("0301")))
    assert side.mux.take_frames()
    side.receive(b"\x00" + opening(1))
    assert side.kinds()[-1] in ("OpenRequested", "Opened")


def test_a_peer_opens_so_many_channels_and_no_more():
    side = Side({"p"})
    for number in range(1, 4097):
        side.receive(b"\x00" + opening(number, "p", encode_uint(number)))
    with pytest.raises(RemoteProtocolError, match="4096 channels"):
        side.receive(b"\x00" + opening(4097, "p"))


def test_a_peer_may_offer_many_channels_that_nobody_wants():
    """A store offers all its active cores at once."""
    side = Side()
    side.receive(together(*(opening(number, "p", encode_uint(number)) for number in range(1, 10_001))))
    assert set(side.kinds()) == {"OpenRequested"}
    assert len(side.mux.take_frames()[0]) > 20_000


def test_a_frame_full_of_offers_does_not_grow_the_memory():
    frame = together(*(opening(number, "", b"") for number in range(1, 65_538)))
    side = Side()
    with traced() as memory, pytest.raises(RemoteProtocolError, match="channels are opened at once"):
        deque(side.mux.receive(frame), maxlen=0)
    assert memory.peak < 32_000_000


def test_a_frame_full_of_messages_is_handed_on_in_parts():
    side = Side({"p"})
    side.receive(b"\x00" + opening(1))
    frame = raw("000001") + raw("0100") * 200_000
    with traced() as memory:
        sizes = [len(event.entries) for event in side.mux.receive(frame) if isinstance(event, Messages)]
    assert sum(sizes) == 200_000
    assert max(sizes) == 1024
    assert memory.peak < 500_000


def read(side, frame):
    """Take a frame and look at every payload."""
    payloads(side.receive(frame))


def conversation():
    """Return frames that open, use, reject and close channels."""
    first, second = Side(), Side({"p"})
    channel, rejected = first.mux.open("p", b"id", b"hello"), first.mux.open("q", None, b"")
    channel.send(0, b"one")
    channel.send(300, b"two")
    rejected.send(1, b"three")
    frames = first.mux.take_frames()
    for frame in frames:
        second.receive(frame)
    settle(first, second)
    channel.send(1, b"four")
    frames += first.mux.take_frames()
    channel.close()
    return frames + first.mux.take_frames()


@pytest.mark.parametrize("place", range(len(conversation())))
def test_damaged_frames_end_the_stream_or_are_read_within_their_bounds(place):
    frames = conversation()
    for damaged in [*cuts(frames[place]), *flips(frames[place])]:
        side = Side({"p", "q"})
        for frame in frames[:place]:
            side.receive(frame)
        ends(read, side, damaged)


@given(
    frames=st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from(conversation()),
            st.builds(lambda data: b"\x00\x00" + data, st.binary(max_size=60)),
            st.builds(
                lambda number, id_: b"\x00" + opening(number, "p", id_),
                st.integers(0, 4),
                st.binary(max_size=2),
            ),
            st.builds(lambda kind, number: bytes((0, kind, number)), st.integers(2, 3), st.integers(0, 4)),
        ),
        max_size=12,
    )
)
def test_random_frames_end_the_stream_or_are_read(frames):
    side = Side({"p"})
    side.mux.open("p", b"\x01", b"")
    for frame in frames:
        if ends(read, side, frame):
            break


# --- two sides, anything in any order -----------------------------------------------------------------------

NAMES = st.tuples(st.sampled_from(["p", "q"]), st.sampled_from([None, b"1"]))
SIDES = st.sampled_from([0, 1])


class Handler:
    """One side: what it has sent on each of its channels, and what it has received."""

    def __init__(self):
        self.side = Side()
        self.channels = {}
        self.inbox = []
        self.numbers = count()
        self.wants = True

    def open(self, name):
        if name not in self.channels:
            protocol, id_ = name
            channel = self.side.mux.open(protocol, id_, b"")
            channel.owner = [], []
            self.channels[name] = channel

    def receive(self, frame):
        for event in self.side.mux.receive(frame):
            if isinstance(event, OpenRequested):
                assert (event.protocol, event.id) not in self.channels
                if self.wants:
                    self.open((event.protocol, event.id))
            elif isinstance(event, Opened):
                assert self.channels[event.channel.protocol, event.channel.id] is event.channel
            elif isinstance(event, Closed | Rejected):
                assert self.channels.pop((event.channel.protocol, event.channel.id)) is event.channel
            elif isinstance(event, Messages):
                assert event.channel.is_open
                event.channel.owner[1].extend(payload for _, payload in payloads([event]))


class TwoSides(RuleBasedStateMachine):
    """Both sides open, close and send as they like while frames are under way."""

    @initialize()
    def start(self):
        self.handlers = Handler(), Handler()

    @rule(side=SIDES, name=NAMES)
    def open(self, side, name):
        self.handlers[side].open(name)

    @rule(side=SIDES, name=NAMES)
    def close(self, side, name):
        if channel := self.handlers[side].channels.pop(name, None):
            channel.close()

    @rule(side=SIDES, name=NAMES)
    def send(self, side, name):
        handler = self.handlers[side]
        if channel := handler.channels.get(name):
            payload = encode_uint(next(handler.numbers))
            channel.owner[0].append(payload)
            channel.send(0, payload)

    @rule(side=SIDES, wants=st.booleans())
    def want(self, side, wants):
        self.handlers[side].wants = wants

    @rule(side=SIDES, limit=st.integers(1, 40))
    def leave(self, side, limit):
        self.handlers[1 - side].inbox += self.handlers[side].side.mux.take_frames(limit)

    @precondition(lambda self: any(handler.inbox for handler in self.handlers))
    @rule(side=SIDES)
    def arrive(self, side):
        handler = self.handlers[side]
        if handler.inbox:
            handler.receive(handler.inbox.pop(0))

    @staticmethod
    def deliver(handler):
        while handler.inbox:
            handler.receive(handler.inbox.pop(0))

    @invariant()
    def received_is_a_beginning_of_what_was_sent(self):
        first, second = self.handlers
        for name in first.channels.keys() & second.channels.keys():
            ours, theirs = first.channels[name], second.channels[name]
            if ours.is_open and theirs.is_open and ours._remote_id == theirs.local_id:
                for sent, received in ((ours.owner[0], theirs.owner[1]), (theirs.owner[0], ours.owner[1])):
                    assert sent[: len(received)] == received

    def teardown(self):
        first, second = self.handlers
        for _ in range(ROUNDS):
            for side in (0, 1):
                self.leave(side=side, limit=1000)
                self.deliver(self.handlers[side])
        self.deliver(first)
        assert not first.side.mux.take_frames() + second.side.mux.take_frames()
        assert first.channels.keys() == second.channels.keys()
        for name, channel in first.channels.items():
            other = second.channels[name]
            assert channel.is_open
            assert other.is_open
            assert (channel.owner[0], other.owner[0]) == (other.owner[1], channel.owner[1])


TestTwoSides = TwoSides.TestCase
