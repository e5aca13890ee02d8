import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore.encoding import encode_uint
from hypercore.errors import DecodingError
from hypercore.wire import MAX_PLAINTEXT
from hypercore.wire.batches import MAX_ENTRIES, pack_frames, split_frame
from tests.hypercore.damage import cuts, flips, refuses
from tests.memory import traced

raw = bytes.fromhex
UINTS = st.one_of(st.integers(0, 9), st.integers(0xF0, 0x1FF), st.integers(0, 2**53 - 1))
MESSAGES = st.tuples(UINTS, UINTS, st.lists(st.binary(max_size=300), max_size=3)).filter(
    lambda m: m[0] or m[1]
)


def outgoing(channel, type_, *pieces):
    return channel, type_, len(encode_uint(type_)) + sum(map(len, pieces)), pieces


def messages_of(frame):
    """Return channel, type and payload of every message of a frame."""
    return [
        (channel, type_, frame[start:end])
        for channel, entries in split_frame(frame)
        for type_, start, end in entries
    ]


@given(messages=st.lists(MESSAGES, max_size=12), limit=st.integers(1, 2000))
def test_messages_are_unpacked_as_they_were_packed(messages, limit):
    frames = pack_frames([outgoing(channel, type_, *pieces) for channel, type_, pieces in messages], limit)
    assert [each for frame in frames for each in messages_of(frame)] == [
        (channel, type_, b"".join(pieces)) for channel, type_, pieces in messages
    ]


def test_a_message_alone_is_no_batch():
    assert pack_frames([outgoing(1, 2, b"ab", b"c")], 100) == [raw("0102616263")]


def test_a_batch_names_a_channel_only_where_it_changes():
    queue = [outgoing(1, 0, b"a"), outgoing(1, 1), outgoing(300, 0, b"b"), outgoing(1, 0)]
    assert [frame.hex() for frame in pack_frames(queue, 100)] == [
        "0000010200610101" + "00fd2c01" + "020062" + "0001" + "0100"
    ]


def test_a_frame_that_has_reached_the_limit_takes_no_more():
    queue = [outgoing(1, 0, bytes(40))] * 5
    assert [len(messages_of(frame)) for frame in pack_frames(queue, 80)] == [2, 2, 1]
    assert [len(messages_of(frame)) for frame in pack_frames(queue, 1)] == [1] * 5


def test_a_mark_in_the_queue_ends_a_frame():
    a, b = outgoing(1, 0, b"a"), outgoing(1, 0, b"b")
    assert pack_frames([None, a, None, None, b, None], 100) == [raw("010061"), raw("010062")]
    assert pack_frames([None], 100) == pack_frames([], 100) == []


def test_no_frame_is_larger_than_what_one_carries():
    largest = outgoing(1, 0, bytes(MAX_PLAINTEXT - 2))
    frames = pack_frames([outgoing(1, 0, b"a"), largest, outgoing(1, 0, b"b")], 1 << 30)
    assert list(map(len, frames)) == [3, MAX_PLAINTEXT, 3]
    halves = pack_frames([outgoing(2, 0, bytes(MAX_PLAINTEXT // 2))] * 3, 1 << 30)
    assert list(map(len, halves)) == [MAX_PLAINTEXT // 2 + 2] * 3


@pytest.mark.parametrize("room", [0, 8, 12, 15, 16, 20, 30])
def test_a_batch_comes_close_to_the_largest_frame_and_not_above(room):
    queue = [outgoing(1, 0, bytes(MAX_PLAINTEXT - 100)), outgoing(70_000, 0, bytes(100 - room))]
    assert max(map(len, pack_frames(queue, 1 << 30))) <= MAX_PLAINTEXT


def test_batches_are_read_inside_of_batches():
    frame = raw(
        "000001" + "020061" + "0000" + "0a" + "0002" + "020162" + "0003" + "020163" + "0001" + "020464"
    )
    assert messages_of(frame) == [(1, 0, b"a"), (2, 1, b"b"), (3, 1, b"c"), (1, 4, b"d")]


def test_what_follows_an_inner_batch_belongs_to_the_channel_of_the_outer_one():
    frame = raw("000000" + "05" + "0002" + "020162" + "03" + "030700")
    assert messages_of(frame) == [(2, 1, b"b"), (0, 3, b"\x07\x00")]


def test_an_entry_that_claims_too_much_ends_with_the_frame():
    assert messages_of(raw("000001" + "7f" + "0061")) == [(1, 0, b"a")]
    assert messages_of(raw("000001" + "fdff7f" + "0061")) == [(1, 0, b"a")]
    inner = raw("000000" + "05" + "0002" + "7f" + "0161" + "03" + "0307")
    assert messages_of(inner) == [(2, 1, b"a"), (0, 3, b"\x07")]


def test_an_empty_batch_has_no_messages():
    assert messages_of(raw("000001")) == messages_of(raw("00000100020003")) == []


CUT_OFF = {
    "nothing": "",
    "no-type": "01",
    "no-control-type": "00",
    "a-batch-without-a-channel": "0000",
    "within-the-channel": "fd01",
    "an-entry-without-a-type": "00000101",
    "within-a-length": "000001fd01",
    "within-the-type-of-an-entry": "00000102fd",
    "a-type-that-reaches-beyond-its-entry": "00000102fd0000",
    "a-change-to-no-channel": "00000100",
    "an-inner-batch-without-a-channel": "000000010001",
    "an-inner-channel-that-reaches-beyond": "0000000200fd0100",
    "an-inner-length-that-reaches-beyond": "000000030002fd0100",
    "an-inner-change-that-reaches-beyond": "00000004000200fd0100",
}


@pytest.mark.parametrize("frame", CUT_OFF.values(), ids=CUT_OFF)
def test_a_frame_that_is_cut_off_within_a_number_is_refused(frame):
    assert refuses(lambda data: list(split_frame(data)), raw(frame))


def nested(depth):
    """Return a message of channel 1 within batches within a batch."""
    inner = raw("01" + "020061")  # a channel, and an entry of it
    for _ in range(depth):
        inner = b"\x00" + encode_uint(len(inner) + 1) + b"\x00" + inner
    return raw("0000") + inner


def test_batches_are_nested_as_deep_as_anybody_needs_and_no_deeper():
    assert messages_of(nested(8)) == [(1, 0, b"a")]
    with pytest.raises(DecodingError, match="8 deep"):
        messages_of(nested(9))
    with pytest.raises(DecodingError, match="8 deep"):
        messages_of(raw("000000") + raw("fdffff0000") * 100_000)


def test_many_entries_are_handed_on_in_parts():
    frame = raw("000001") + raw("0105") * (2 * MAX_ENTRIES + 7)
    assert [len(entries) for _, entries in split_frame(frame)] == [MAX_ENTRIES, MAX_ENTRIES, 7]


@pytest.mark.parametrize("entry", ["0105", "0001", "00010105"], ids=["messages", "changes", "both"])
def test_a_frame_full_of_tiny_entries_does_not_grow_the_memory(entry):
    frame = raw("000001") + raw(entry) * 100_000
    with traced() as memory:
        count = sum(len(entries) for _, entries in split_frame(frame))
    assert count == (0 if entry == "0001" else 100_000)
    assert memory.peak < 500_000


WHOLE = pack_frames([outgoing(1, 0, b"abc"), outgoing(2, 300, b""), outgoing(1, 3, bytes(300))], 1 << 20)[0]


def test_a_frame_that_is_cut_or_changed_gives_the_documented_error_or_messages():
    for damaged in [*cuts(WHOLE), *flips(WHOLE)]:
        refuses(lambda data: list(split_frame(data)), damaged)


@given(
    data=st.binary(max_size=200), head=st.sampled_from([b"", b"\x00\x00", b"\x00\x00\x00", b"\x00\x00\x01"])
)
def test_random_bytes_give_the_documented_error_or_messages_within_the_frame(data, head):
    frame = head + data

    def check(frame):
        for _, entries in split_frame(frame):
            assert all(0 < start <= end <= len(frame) for _, start, end in entries)

    refuses(check, frame)
