import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import wire
from hypercore.encoding import encode_buffer, encode_uint
from hypercore.errors import BadArgument, DecodingError
from tests.data.vectors import vectors
from tests.hypercore.damage import cuts, flips, refuses
from tests.hypercore.wire.values import DECODERS, MESSAGES, TYPES, message_of
from tests.memory import traced

raw = bytes.fromhex
VECTORS = [
    pytest.param(TYPES[kind], message_of(kind, each["value"]), raw(each["bytes"]), id=f"{kind}-{place}")
    for place, each in enumerate(vectors("wire")["messages"])
    if (kind := each["kind"]) != "handshake"
]
EACH = pytest.mark.parametrize(("type_", "message", "encoded"), VECTORS)
HANDSHAKES = [each for each in vectors("wire")["messages"] if each["kind"] == "handshake"]


@EACH
def test_messages_are_those_of_the_reference(type_, message, encoded):
    assert message.encode() == encoded
    assert DECODERS[type_](encoded, 0, len(encoded)) == message


@EACH
def test_a_message_is_read_where_it_stands_in_its_frame(type_, message, encoded):
    """The frame goes on behind a message, with the next one; a rest of its own is ignored."""
    frame = b"\x07\xff" + encoded + b"\x01\x02\x03"
    assert DECODERS[type_](frame, 2, 2 + len(encoded)) == message


def refuses_message(type_, frame, start, end):
    return refuses(lambda data: DECODERS[type_](data, start, end), frame)


# What may be missing at the end of a message, or what its end is.
OPEN_END = {wire.NO_DATA, wire.WANT, wire.UNWANT, wire.EXTENSION}


@EACH
def test_a_message_that_ends_too_early_is_refused_whatever_stands_behind_it(type_, message, encoded):
    for cut in cuts(encoded):
        for behind in (b"", encoded[len(cut) :], bytes(400), b"\xff" * 400):
            refused = refuses_message(type_, cut + behind, 0, len(cut))
            assert refused or type_ in OPEN_END


@EACH
def test_a_changed_byte_gives_the_documented_error_or_a_message(type_, message, encoded):
    for damaged in flips(encoded):
        refuses_message(type_, damaged, 0, len(damaged))


@pytest.mark.parametrize("type_", DECODERS)
@given(data=st.binary(max_size=150), start=st.integers(0, 9), rest=st.binary(max_size=40))
def test_random_bytes_give_the_documented_error_or_a_message(type_, data, start, rest):
    refuses_message(type_, data + rest, min(start, len(data)), len(data))


@pytest.mark.parametrize("type_", DECODERS)
@given(data=st.data())
def test_messages_are_read_back(type_, data):
    message = data.draw(MESSAGES[type_])
    before, behind = data.draw(st.binary(max_size=3)), data.draw(st.binary(max_size=3))
    encoded = message.encode()
    frame = before + encoded + behind
    assert DECODERS[type_](frame, len(before), len(before) + len(encoded)) == message


def unshortened(number):
    """Return a number in the longest form."""
    return b"\xff" + number.to_bytes(8, "little")


@pytest.mark.parametrize(
    ("type_", "numbers", "message"),
    [
        (wire.SYNC, [7, 1, 2, 3], wire.Sync(1, 2, 3, True, True, True, False, False)),
        (wire.CANCEL, [1], wire.Cancel(1)),
        (wire.NO_DATA, [1, 1, 2], wire.NoData(1, 2)),
        (wire.WANT, [1, 2, 1], wire.Want(1, 2, True)),
        (wire.RANGE, [1, 2, 3], wire.Range(True, 2, 3)),
    ],
    ids=["sync", "cancel", "no-data", "want", "range"],
)
def test_numbers_in_a_longer_form_than_needed_are_accepted(type_, numbers, message):
    encoded = b"".join(map(unshortened, numbers))
    assert DECODERS[type_](encoded, 0, len(encoded)) == message


def test_flags_that_are_not_known_are_ignored():
    assert wire.decode_sync(raw("e0010203"), 0, 4) == wire.Sync(1, 2, 3, False, False, False, False, False)
    assert wire.decode_want(raw("0102fe01000000"), 0, 7) == wire.Want(1, 2, True)
    assert wire.decode_range(raw("f80102"), 0, 3) == wire.Range(False, 1, 2)
    assert wire.decode_no_data(raw("01f8"), 0, 2) == wire.NoData(1, 0)


def test_numbers_above_the_largest_are_refused():
    for type_ in DECODERS:
        assert refuses_message(type_, b"\xff" * 60, 0, 60), type_


def test_the_oldest_peers_leave_out_the_flags_of_a_no_data():
    assert wire.decode_no_data(b"\x07", 0, 1) == wire.NoData(7, 0)


def test_numbers_that_cannot_be_sent_are_refused():
    for message in (wire.Cancel(-1), wire.Range(False, 2**53, 1), wire.Sync(-1, 0, 0, *[False] * 5)):
        with pytest.raises(BadArgument):
            message.encode()


# --- bitfields and extensions -------------------------------------------------------------------------------


def test_a_bitfield_has_whole_words_and_not_too_many():
    largest = wire.Bitfield(0, bytes(4 * wire.MAX_BITFIELD_WORDS))
    encoded = largest.encode()
    assert wire.decode_bitfield(encoded, 0, len(encoded)) == largest
    for words in (bytes(3), bytes(4 * wire.MAX_BITFIELD_WORDS + 4)):
        with pytest.raises(BadArgument, match="words"):
            wire.Bitfield(0, words).encode()
    with pytest.raises(DecodingError, match="65537"):
        wire.decode_bitfield(b"\x00" + encode_uint(65_537) + bytes(4 * 65_537), 0, 4 * 65_537 + 6)


@pytest.mark.parametrize(
    "count", [2**53 - 1, 65_536, 2], ids=["largest-number", "largest-bitfield", "one-word-more"]
)
def test_a_count_of_words_that_cannot_follow_costs_nothing(count):
    message = b"\x00" + encode_uint(count) + bytes(4)
    with traced() as memory, pytest.raises(DecodingError):
        wire.decode_bitfield(message + bytes(100), 0, len(message))
    assert memory.peak < 10_000


def test_the_name_of_an_extension_is_short():
    """Whoever receives one remembers its name."""
    longest = wire.Extension("x" * wire.MAX_EXTENSION_NAME, b"payload")
    encoded = longest.encode()
    assert wire.decode_extension(encoded, 0, len(encoded)) == longest
    too_long = encode_buffer(b"x" * (wire.MAX_EXTENSION_NAME + 1))
    with pytest.raises(DecodingError, match="1025"):
        wire.decode_extension(too_long, 0, len(too_long))
    with pytest.raises(BadArgument, match="1024"):
        wire.Extension("ä" * 513, b"").encode()


def test_a_name_that_is_not_text_is_read_as_if_it_were():
    assert wire.decode_extension(raw("02ff6100"), 0, 4) == wire.Extension(
        "\N{REPLACEMENT CHARACTER}a", b"\x00"
    )


# --- the handshake of the channel ---------------------------------------------------------------------------


@pytest.mark.parametrize("vector", HANDSHAKES, ids=["with-seeks", "without-seeks"])
def test_the_handshake_is_that_of_the_reference(vector):
    value, encoded = vector["value"], raw(vector["bytes"])
    assert wire.encode_handshake(raw(value["capability"]), value["seeks"]) == encoded
    assert wire.decode_handshake(encoded) == (raw(value["capability"]), value["seeks"])
    assert wire.decode_handshake(encoded + b"more") == (raw(value["capability"]), value["seeks"])
    assert [cut for cut in cuts(encoded) if not refuses(wire.decode_handshake, cut)] == []


def test_a_capability_has_32_bytes():
    with pytest.raises(BadArgument, match="32 bytes"):
        wire.encode_handshake(bytes(31))
