from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings

from hypercore.errors import BadArgument, InvalidOperation, RemoteProtocolError
from hypercore.wire import MAX_PLAINTEXT, SecretStream
from tests.data.vectors import vectors
from tests.hypercore.wire.pairs import KEYS, ends, exchange, key_pair, known_streams, open_streams
from tests.memory import traced

raw = bytes.fromhex
VECTOR = vectors("wire")["secretStream"]
FRAMES = {side: [raw(each) for each in VECTOR["frames"][side]] for side in "ab"}
PLAINTEXTS = [raw(each) for each in VECTOR["plaintexts"]]
HEARD = [each for each in PLAINTEXTS if each]


def cut_into(data, size):
    """Return the bytes in pieces of a size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def listeners():
    """Return each side of the vector that has sent all it had to before the other side's bytes arrive."""
    first, second = known_streams(VECTOR["keys"])
    return {"initiator": (first, b"".join(FRAMES["b"])), "responder": (second, b"".join(FRAMES["a"]))}


def frame(data):
    """Return bytes with their length in front."""
    return len(data).to_bytes(3, "little") + data


def test_frames_are_those_of_the_reference():
    first, second = known_streams(VECTOR["keys"])
    to_second, to_first = first.data_to_send(0), second.data_to_send(0)
    sent = {"a": to_second, "b": to_first}
    for _ in range(2):
        list(second.receive(to_second))
        list(first.receive(sent_now := second.data_to_send(0)))
        to_second = first.data_to_send(0)
        sent["b"] += sent_now
        sent["a"] += to_second
    for side, stream in (("a", first), ("b", second)):
        for plaintext in PLAINTEXTS:
            stream.send(plaintext)
        sent[side] += stream.data_to_send(0)
    assert sent == {side: b"".join(frames) for side, frames in FRAMES.items()}


@pytest.mark.parametrize("side", ["initiator", "responder"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 99, 10_000])
def test_bytes_of_the_reference_are_understood_however_they_are_cut(side, size):
    stream, data = listeners()[side]
    assert [each for piece in cut_into(data, size) for each in stream.receive(piece)] == HEARD


@pytest.mark.parametrize("side", ["initiator", "responder"])
def test_bytes_of_the_reference_are_understood_when_they_are_cut_in_two_anywhere(side):
    for place in range(len(listeners()[side][1]) + 1):
        stream, data = listeners()[side]
        assert [*stream.receive(data[:place]), *stream.receive(data[place:])] == HEARD, place


def test_both_sides_know_each_other_and_the_handshake():
    first, second = open_streams()
    assert first.remote_public_key == key_pair(2).public_key
    assert second.remote_public_key == key_pair(1).public_key
    assert first.handshake_hash == second.handshake_hash
    assert len(first.handshake_hash) == 64
    assert (first.is_initiator, second.is_initiator) == (True, False)


def test_keys_and_headers_are_random_unless_given():
    streams = [SecretStream(is_initiator=True) for _ in range(2)]
    for stream in streams:
        stream.start()
    assert streams[0].data_to_send(0) != streams[1].data_to_send(0)


def test_streams_with_random_keys_understand_each_other():
    first, second = SecretStream(is_initiator=True), SecretStream(is_initiator=False)
    first.start()
    second.start()
    exchange(first, second)
    first.send(b"hello")
    second.send(b"hi")
    assert exchange(first, second) == ([b"hi"], [b"hello"])


def test_a_side_may_send_right_behind_its_own_header():
    first, second = known_streams(KEYS)
    list(second.receive(first.data_to_send(0)))
    list(first.receive(second.data_to_send(0)))
    assert first.is_open
    first.send(b"early")
    third_message_header_and_frame = first.data_to_send(0)
    assert list(second.receive(third_message_header_and_frame)) == [b"early"]


def test_nothing_is_sent_before_the_handshake_is_complete():
    first, second = known_streams(KEYS)
    for stream in (first, second):
        assert not stream.is_open
        with pytest.raises(InvalidOperation, match="not open"):
            stream.send(b"hello")


def test_the_largest_plaintext_passes_and_a_larger_one_does_not():
    first, second = open_streams()
    first.send(bytes(MAX_PLAINTEXT))
    data = first.data_to_send(0)
    assert len(data) == 3 + 0xFFFFFF
    (plaintext,) = (each for piece in cut_into(data, 1 << 18) for each in second.receive(piece))
    assert plaintext == bytes(MAX_PLAINTEXT)
    with pytest.raises(BadArgument, match="16777199"):
        first.send(bytes(MAX_PLAINTEXT + 1))


@given(plaintexts=st.lists(st.binary(max_size=2000), max_size=8), size=st.integers(1, 3000))
def test_plaintexts_arrive_in_order_and_empty_ones_do_not(plaintexts, size):
    first, second = open_streams()
    for plaintext in plaintexts:
        first.send(plaintext)
    pieces = cut_into(first.data_to_send(0), size)
    assert [each for piece in pieces for each in second.receive(piece)] == [
        each for each in plaintexts if each
    ]


def test_plaintexts_before_a_damaged_frame_are_delivered():
    first, second = open_streams()
    first.send(b"one")
    first.send(b"two")
    data = bytearray(first.data_to_send(0))
    data[-1] ^= 1
    received: list[bytes] = []
    with pytest.raises(RemoteProtocolError, match="not authentic"):
        received.extend(second.receive(bytes(data)))
    assert received == [b"one"]


def test_after_an_error_nothing_is_received_any_more():
    first, second = open_streams()
    first.send(b"hello")
    with pytest.raises(RemoteProtocolError) as error:
        list(second.receive(frame(bytes(17))))
    with pytest.raises(RemoteProtocolError) as again:
        list(second.receive(first.data_to_send(0)))
    assert again.value is error.value


# --- what a peer may do wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 31, 33, 96, 0xFFFFFF])
def test_a_first_frame_of_another_size_is_refused_by_its_length(size):
    stream = SecretStream(is_initiator=False)
    with pytest.raises(RemoteProtocolError, match=f"32 bytes was due in the handshake, found {size}"):
        list(stream.receive(size.to_bytes(3, "little")))


PHASES = {
    "second-message": ("initiator", 0, 96),
    "third-message": ("responder", 1, 64),
    "header-of-the-responder": ("initiator", 1, 56),
    "header-of-the-initiator": ("responder", 2, 56),
}


@pytest.mark.parametrize(("side", "frames", "due"), PHASES.values(), ids=PHASES)
@pytest.mark.parametrize("size", [17, 55, 57, 63, 65, 95, 97, 0xFFFFFF])
def test_a_frame_that_cannot_be_of_the_phase_is_refused_by_its_length(side, frames, due, size):
    stream, _ = listeners()[side]
    for each in FRAMES["b" if side == "initiator" else "a"][:frames]:
        list(stream.receive(each))
    with pytest.raises(RemoteProtocolError, match=f"{due} bytes was due in the handshake, found {size}"):
        list(stream.receive(size.to_bytes(3, "little")))


@pytest.mark.parametrize("size", [0, 1, 16])
def test_an_encrypted_frame_that_is_too_short_is_refused_by_its_length(size):
    with pytest.raises(RemoteProtocolError, match="17 bytes or more"):
        list(open_streams()[0].receive(size.to_bytes(3, "little")))


def test_a_header_of_another_stream_is_refused():
    first, second = known_streams(VECTOR["keys"])
    for each in FRAMES["a"][:2]:
        list(second.receive(each))
    with pytest.raises(RemoteProtocolError, match="does not belong"):
        list(second.receive(FRAMES["b"][1]))
    assert second.is_open
    assert not first.is_open


def test_two_initiators_do_not_understand_each_other():
    first, second = SecretStream(is_initiator=True), SecretStream(is_initiator=True)
    first.start()
    second.start()
    with pytest.raises(RemoteProtocolError, match="96 bytes"):
        exchange(first, second)


def test_an_answer_before_the_handshake_has_begun_is_refused():
    stream = SecretStream(is_initiator=True)
    with pytest.raises(RemoteProtocolError, match="out of turn"):
        list(stream.receive(FRAMES["b"][0]))


@pytest.mark.parametrize("side", ["initiator", "responder"])
def test_any_byte_that_is_changed_ends_the_stream(side):
    for place in range(0, len(listeners()[side][1]), 5):
        stream, data = listeners()[side]
        damaged = data[:place] + bytes((data[place] ^ 0x01,)) + data[place + 1 :]
        # A longer length makes the frame wait for more.
        assert ends(deque, stream.receive(damaged + bytes(1 << 17)))


def test_frames_that_are_swapped_repeated_or_left_out_end_the_stream():
    one, two, three = (frame(bytes(24)) for _ in range(3))
    for order in ([1, 0], [0, 0], [0, 2]):
        first, second = open_streams()
        sent = []
        for plaintext in (one, two, three):
            first.send(plaintext)
            sent.append(first.data_to_send(0))
        assert ends(deque, second.receive(b"".join(sent[place] for place in order)))


@pytest.mark.parametrize("tag", [1, 2, 3], ids=["push", "rekey", "final"])
def test_the_tag_of_a_frame_says_nothing(tag):
    first, second = open_streams()
    for plaintext in (b"one", b"two"):
        sealed = bindings.crypto_secretstream_xchacha20poly1305_push(first._encrypting, plaintext, None, tag)
        assert list(second.receive(frame(sealed))) == [plaintext]


@given(
    data=st.binary(max_size=400), side=st.sampled_from(["initiator", "responder"]), frames=st.integers(0, 3)
)
def test_random_bytes_end_the_stream_or_wait_for_more(data, side, frames):
    stream, _ = listeners()[side]
    for each in FRAMES["b" if side == "initiator" else "a"][:frames]:
        list(stream.receive(each))
    ends(deque, stream.receive(data))


def test_a_claimed_length_costs_no_memory():
    streams = [open_streams() for _ in range(20)]
    with traced() as memory:
        for _, second in streams:
            list(second.receive(b"\xff\xff\xff" + bytes(100)))
    assert memory.peak < 100_000


def test_a_large_frame_that_arrives_in_crumbs_takes_little_more_than_its_size():
    first, second = open_streams()
    first.send(bytes(300_000))
    pieces = cut_into(first.data_to_send(0), 3)
    with traced() as memory:
        received = [each for piece in pieces for each in second.receive(piece)]
    assert received == [bytes(300_000)]
    assert memory.peak < 4 * 300_000


# --- signs of life ------------------------------------------------------------------------------------------


def test_a_silent_stream_sends_a_sign_of_life_when_it_is_due():
    first, second = known_streams(KEYS)
    exchange(first, second, now=100.0)
    assert first.next_timeout() == 105.0
    first.handle_timeout(104.9)
    assert first.data_to_send(104.9) == b""
    first.handle_timeout(105.0)
    assert first.data_to_send(105.0)[:3] == b"\x11\x00\x00"
    assert first.next_timeout() == 110.0


def test_a_sign_of_life_is_not_heard_as_a_plaintext():
    first, second = open_streams()
    first.handle_timeout(5.0)
    assert exchange(first, second) == ([], [])
    first.send(b"hello")
    assert exchange(first, second) == ([], [b"hello"])


def test_whatever_is_written_is_a_sign_of_life():
    first, _ = open_streams()
    first.send(b"hello")
    first.data_to_send(3.0)
    assert first.next_timeout() == 8.0
    first.send(b"more")
    first.handle_timeout(8.0)
    assert len(first.data_to_send(8.0)) == 3 + 17 + len(b"more")


def test_no_sign_of_life_is_due_before_the_stream_is_open_or_when_none_is_wanted():
    first, _ = known_streams(KEYS)
    first.data_to_send(0)
    assert first.next_timeout() is None
    first.handle_timeout(1000.0)
    assert first.data_to_send(1000.0) == b""
    silent = SecretStream(is_initiator=True, keep_alive=None)
    silent.start()
    exchange(silent, SecretStream(is_initiator=False))
    assert silent.is_open
    assert silent.next_timeout() is None


def test_a_header_of_another_size_is_refused():
    with pytest.raises(BadArgument, match="24 bytes"):
        SecretStream(is_initiator=True, header=bytes(23))
