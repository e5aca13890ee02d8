import pytest

from hypercore import errors
from hypercore.errors import BadArgument, InvalidOperation, RemoteProtocolError
from hypercore.wire import MAX_PLAINTEXT, Closed, Messages, Opened, OpenRequested, Protomux, Rejected
from tests.data.vectors import vectors
from tests.hypercore.wire.pairs import Side, payloads, settle

raw = bytes.fromhex
HISTORIES = [pytest.param(each["steps"], id=each["name"]) for each in vectors("wire")["protomux"]]
ID = b"\x03" * 32


def opened_pair():
    """Return two sides and the ends of a channel that both have opened."""
    first, second = Side(), Side({"p"})
    channel = first.mux.open("p", ID, b"hello")
    settle(first, second)
    other = second.events[-1].channel
    for side in (first, second):
        side.kinds()
    return first, second, channel, other


def deliver(sender, receiver):
    """Carry what one side has sent to the other and return the events there."""
    return [event for frame in sender.mux.take_frames() for event in receiver.receive(frame)]


# --- against the reference ----------------------------------------------------------------------------------


class Replay:
    """Does what a vector says to a Protomux."""

    def __init__(self):
        self.side = Side()
        self.channels = []

    def open(self, protocol, id, handshake):
        self.channels.append(self.side.mux.open(protocol, id and raw(id), raw(handshake)))

    def send(self, channel, type, payload):
        self.channels[channel].send(type, raw(payload))

    def close(self, channel):
        self.channels[channel].close()

    def receive(self, frame, accepts):
        for event in self.side.mux.receive(raw(frame)):
            if isinstance(event, OpenRequested) and event.protocol in accepts:
                self.open(event.protocol, None, "")

    def apply(self, operation):
        if "close" in operation:
            self.close(operation["close"])
        elif "receive" in operation:
            self.receive(operation["receive"], operation["accepts"])
        else:
            ((name, values),) = operation.items()
            getattr(self, name)(**values)


@pytest.mark.parametrize("steps", HISTORIES)
def test_frames_are_those_of_the_reference(steps):
    replay = Replay()
    for each in steps:
        for operation in each["step"]:
            replay.apply(operation)
        assert [frame.hex() for frame in replay.side.mux.take_frames()] == each["frames"], each["step"]


def test_messages_of_the_reference_arrive():
    steps = vectors("wire")["protomux"][0]["steps"]
    receiver = Side({"hypercore/alpha", "p", "q"})
    operations = [operation for each in steps for operation in each["step"]]
    sent = [(send["type"], raw(send["payload"])) for each in operations if (send := each.get("send"))]
    received = [event for each in steps for frame in each["frames"] for event in receiver.receive(raw(frame))]
    assert payloads(received) == sent


# --- opening ------------------------------------------------------------------------------------------------


def test_a_channel_is_open_when_both_sides_have_opened_it():
    first, second = Side(), Side({"p"})
    channel = first.mux.open("p", ID, b"hello")
    assert (channel.is_open, channel.local_id, channel.protocol, channel.id) == (False, 1, "p", ID)
    settle(first, second)
    assert [type(event) for event in second.events] == [OpenRequested, Opened]
    assert second.events == [OpenRequested("p", ID), Opened(second.events[1].channel, b"hello")]
    assert first.events == [Opened(channel, b"accepted")]
    assert channel.is_open
    assert channel.handshake == b"accepted"


def test_two_sides_that_open_the_same_channel_at_once_are_paired_without_a_question():
    first, second = Side(), Side()
    channels = [side.mux.open("p", None, handshake) for side, handshake in ((first, b"1"), (second, b"2"))]
    settle(first, second)
    assert first.events == [Opened(channels[0], b"2")]
    assert second.events == [Opened(channels[1], b"1")]


def test_the_channel_that_answers_an_offer_is_open_at_once_and_opened_is_the_next_event():
    first, second = Side(), Protomux()
    first.mux.open("p", None, b"hello")
    (frame,) = first.mux.take_frames()
    events = second.receive(frame)
    assert next(events) == OpenRequested("p", None)
    channel = second.open("p", None, b"")
    assert (channel.is_open, channel.handshake) == (True, b"hello")
    assert next(events) == Opened(channel, b"hello")
    assert list(events) == []


def test_an_open_that_nobody_wants_is_rejected():
    first, second = Side(), Side()
    channel = first.mux.open("p", ID, b"")
    settle(first, second)
    assert second.events == [OpenRequested("p", ID)]
    assert first.events == [Rejected(channel)]
    with pytest.raises(errors.Closed):
        channel.send(0)


def test_another_channel_that_is_opened_during_an_offer_does_not_answer_it():
    first, second = Side(), Protomux()
    first.mux.open("p", None, b"")
    events = second.receive(first.mux.take_frames()[0])
    assert next(events) == OpenRequested("p", None)
    other = second.open("p", ID, b"")
    assert list(events) == []
    assert not other.is_open
    assert [each for frame in second.take_frames() for each in first.receive(frame)] == [
        OpenRequested("p", ID),
        Rejected(first.events[-1].channel),
    ]


def test_a_channel_that_is_opened_and_closed_during_its_offer_is_not_reported_as_opened():
    first, second = Side(), Protomux()
    channel = first.mux.open("p", None, b"")
    for event in second.receive(first.mux.take_frames()[0]):
        assert event == OpenRequested("p", None)
        second.open("p", None, b"").close()
    assert [each for frame in second.take_frames() for each in first.receive(frame)] == [
        Opened(channel, b""),
        Closed(channel),
    ]


def test_a_rejected_channel_may_be_opened_by_the_other_side_later():
    first, second = Side({"p"}), Side()
    first.mux.open("p", None, b"")
    settle(first, second)
    first.kinds()
    channel = second.mux.open("p", None, b"")
    settle(first, second)
    assert first.kinds() == ["OpenRequested", "Opened"]
    assert channel.is_open


def test_an_open_of_a_channel_that_is_open_is_rejected_without_a_question():
    _, second, *_ = opened_pair()
    assert second.receive(raw("000102017020") + ID) == []
    assert second.mux.take_frames() == [raw("000202")]


def test_this_side_opens_a_channel_once():
    mux = Protomux()
    channel = mux.open("p", ID, b"")
    with pytest.raises(InvalidOperation, match="already"):
        mux.open("p", ID, b"")
    mux.open("p", None, b"")
    channel.close()
    mux.open("p", ID, b"")


@pytest.mark.parametrize("sends", ["hypercore", "hypercore/alpha"])
def test_the_old_name_of_the_protocol_of_cores_is_an_alias(sends):
    side = Side()
    channel = side.mux.open("hypercore", ID, b"")
    assert channel.protocol == "hypercore/alpha"
    protocol = bytes((len(sends),)) + sends.encode()
    assert side.receive(raw("000101") + protocol + b"\x20" + ID) == [Opened(channel, b"")]


def test_an_empty_id_is_none():
    mux = Protomux()
    assert mux.open("p", b"", b"").id is None


def test_a_name_that_is_not_text_is_still_a_name():
    assert Side().receive(raw("00010102fffe00")) == [OpenRequested("\N{REPLACEMENT CHARACTER}" * 2, None)]


# --- messages -----------------------------------------------------------------------------------------------


def test_messages_arrive_with_their_types_in_order():
    first, second, channel, other = opened_pair()
    channel.send(0, b"one")
    channel.send(9, b"t", b"w", b"o")
    channel.send(300)
    (event,) = deliver(first, second)
    assert event.channel is other
    assert payloads([event]) == [(0, b"one"), (9, b"two"), (300, b"")]


@pytest.mark.parametrize("type_", [0, 7, 0xFC, 0xFD, 70_000])
@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_many_messages_are_sent_as_one_by_one(type_, count):
    payloads = [bytes(number % 5) + b"%d" % number for number in range(count)]
    frames = []
    for together in (True, False):
        first, _, channel, _ = opened_pair()
        if together:
            channel.send_all(type_, payloads)
        else:
            for payload in payloads:
                channel.send(type_, payload)
        pending = first.mux.pending_bytes
        frames.append((pending, first.mux.take_frames()))
    assert frames[0] == frames[1]


def test_many_messages_are_refused_as_one_by_one():
    _, _, channel, _ = opened_pair()
    with pytest.raises(BadArgument):
        channel.send_all(0, [bytes(MAX_PLAINTEXT)])
    channel.close()
    with pytest.raises(errors.Closed):
        channel.send_all(0, [b"a"])


def test_messages_may_follow_the_open_at_once():
    first, second = Side(), Side({"p"})
    first.mux.open("p", None, b"").send(0, b"early")
    assert payloads(deliver(first, second)) == [(0, b"early")]
    assert second.kinds() == ["OpenRequested", "Opened", "Messages"]


def test_messages_of_a_channel_that_was_rejected_are_dropped():
    first, second = Side(), Side()
    first.mux.open("p", None, b"").send(0, b"early")
    settle(first, second)
    assert second.kinds() == ["OpenRequested"]


def test_messages_of_several_channels_keep_their_order():
    first, second, channel, _ = opened_pair()
    second.accepts.add("q")
    another = first.mux.open("q", None, b"")
    settle(first, second)
    for each, payload in ((channel, b"1"), (another, b"2"), (another, b"3"), (channel, b"4")):
        each.send(0, payload)
    events = deliver(first, second)
    assert [payloads([event]) for event in events] == [[(0, b"1")], [(0, b"2"), (0, b"3")], [(0, b"4")]]
    assert [event.channel.protocol for event in events] == ["p", "q", "p"]


def test_all_that_was_sent_leaves_in_frames_of_the_limit():
    first, second, channel, _ = opened_pair()
    for _ in range(10):
        channel.send(0, bytes(1000))
    assert first.mux.pending_bytes >= 10_000
    frames = first.mux.take_frames(limit=3000)
    assert [len(payloads(second.receive(frame))) for frame in frames] == [3, 3, 3, 1]
    assert (first.mux.take_frames(), first.mux.pending_bytes) == ([], 0)


def test_flush_ends_a_frame():
    first, _, channel, _ = opened_pair()
    first.mux.flush()
    for payload in (b"1", b"2"):
        channel.send(0, payload)
        first.mux.flush()
        first.mux.flush()
    assert first.mux.take_frames() == [raw("010031"), raw("010032")]


def test_a_message_that_fits_into_no_frame_is_refused():
    first, _, channel, _ = opened_pair()
    channel.send(0, bytes(MAX_PLAINTEXT - 2))
    assert list(map(len, first.mux.take_frames())) == [MAX_PLAINTEXT]
    with pytest.raises(BadArgument, match="does not fit"):
        channel.send(0, bytes(MAX_PLAINTEXT - 1))
    with pytest.raises(BadArgument, match="does not fit"):
        channel.send(300, bytes(MAX_PLAINTEXT - 3))


def test_empty_frames_unknown_channels_and_unknown_control_messages_are_ignored():
    side = Side()
    for frame in ("", "0700aa", "fdffff00", "0004aa", "00fd0001", "000303", "000300", "000302"):
        assert side.receive(raw(frame)) == []
    assert side.mux.take_frames() == []


# --- closing ------------------------------------------------------------------------------------------------


def test_a_close_is_told_to_the_other_side_alone():
    first, second, channel, other = opened_pair()
    channel.close()
    channel.close()
    settle(first, second)
    assert first.events == []
    assert second.events == [Closed(other)]
    assert (channel.is_open, other.is_open) == (False, False)
    for each in (channel, other):
        with pytest.raises(errors.Closed, match="closed"):
            each.send(0)


def test_both_sides_may_close_at_once():
    first, second, channel, other = opened_pair()
    channel.close()
    other.close()
    settle(first, second)
    assert first.events == second.events == []


def test_messages_that_cross_a_close_are_dropped():
    first, second, channel, other = opened_pair()
    channel.close()
    other.send(0, b"late")
    settle(first, second)
    assert (first.events, second.events) == ([], [Closed(other)])


def test_the_rest_of_a_frame_is_dropped_when_its_channel_is_closed_by_whoever_handles_it():
    first, second, channel, other = opened_pair()
    for _ in range(3000):
        channel.send(0)
    handled = 0
    for event in second.mux.receive(first.mux.take_frames()[0]):
        handled += len(event.entries)
        other.close()
    assert handled == 1024


def test_a_channel_may_be_opened_again():
    first, second, channel, _ = opened_pair()
    channel.close()
    again = first.mux.open("p", ID, b"again")
    settle(first, second)
    assert again.local_id == channel.local_id
    assert second.kinds() == ["Closed", "OpenRequested", "Opened"]
    assert first.events == [Opened(again, b"accepted")]


def test_a_channel_that_was_closed_before_the_other_side_knew_takes_the_first_answer():
    first, second = Side(), Side({"p"})
    first.mux.open("p", None, b"1").close()
    again = first.mux.open("p", None, b"2")
    settle(first, second)
    assert second.kinds() == ["OpenRequested", "Opened", "Closed", "OpenRequested", "Opened"]
    assert first.events == [Opened(again, b"accepted")]
    assert again.is_open


def test_a_channel_that_was_closed_before_it_was_rejected_is_not_reported():
    first, second = Side(), Side()
    channel = first.mux.open("p", None, b"")
    channel.close()
    settle(first, second)
    assert first.events == []
    assert first.mux.open("q", None, b"").local_id == channel.local_id


def test_opens_that_cross_the_close_of_the_same_channel_are_paired():
    first, second = Side(), Side({"p"})
    first.mux.open("p", None, b"").close()
    other = second.mux.open("p", None, b"")
    settle(first, second)
    assert second.events == [Opened(other, b""), Closed(other)]
    assert first.events == []


def test_the_owner_of_a_channel_is_whoever_handles_it():
    _, second, _, other = opened_pair()
    other.owner = second
    assert other.owner is second
    assert "p" in repr(other)


def test_names_and_handshakes_that_are_too_long_are_refused():
    mux = Protomux()
    for arguments in (("p" * 256, None, b""), ("p", bytes(256), b""), ("p", None, bytes(4097))):
        with pytest.raises(BadArgument, match="too long"):
            mux.open(*arguments)
    assert mux.take_frames() == []


def test_messages_are_an_event_of_their_own():
    first, second, channel, other = opened_pair()
    channel.send(0, b"a")
    (frame,) = first.mux.take_frames()
    assert second.receive(frame) == [Messages(other, frame, [(0, 2, 3)])]
    with pytest.raises(RemoteProtocolError):
        second.receive(b"\x01")
