"""The subset of protobuf that Hyperbee uses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore.errors import DecodingError
from hypercore.hyperbee import protobuf
from tests.hypercore.damage import cuts

MAX = 2**53 - 1

VARINTS = [
    pytest.param(0, "00", id="zero"),
    pytest.param(0x7F, "7f", id="largest-of-one-byte"),
    pytest.param(0x80, "8001", id="smallest-of-two-bytes"),
    pytest.param(0x3FFF, "ff7f", id="largest-of-two-bytes"),
    pytest.param(0x4000, "808001", id="smallest-of-three-bytes"),
    pytest.param(0x1FFFFF, "ffff7f", id="largest-of-three-bytes"),
    pytest.param(0x200000, "80808001", id="smallest-of-four-bytes"),
    pytest.param(MAX, "ffffffffffffff0f", id="largest"),
]


@pytest.mark.parametrize(("number", "encoded"), VARINTS)
def test_a_varint_is_written_and_read_back_where_it_stands(number, encoded):
    raw = bytes.fromhex(encoded)
    assert protobuf.encode_varint(number) == raw
    assert protobuf.get_varint(b"\xff" + raw + b"\xff", 1) == (number, len(raw) + 1)


@pytest.mark.parametrize(("number", "encoded"), VARINTS)
def test_a_varint_that_is_cut_off_is_refused(number, encoded):
    for cut in cuts(bytes.fromhex(encoded)):
        with pytest.raises(DecodingError):
            protobuf.get_varint(cut, 0)


@pytest.mark.parametrize(
    "encoded",
    ["ff" * 7 + "10", "80" * 7 + "10", "ff" * 8 + "01", "80" * 100_000 + "01"],
    ids=["one-above", "power-of-two", "nine-bytes", "endless"],
)
def test_a_varint_above_the_largest_is_refused(encoded):
    with pytest.raises(DecodingError, match="too large"):
        protobuf.get_varint(bytes.fromhex(encoded), 0)


def test_a_varint_in_a_longer_form_than_needed_is_accepted():
    assert protobuf.get_varint(bytes.fromhex("8700"), 0) == (7, 2)


@given(st.lists(st.tuples(st.integers(1, 2**20), st.binary(max_size=40) | st.integers(0, MAX)), max_size=8))
def test_of_a_field_that_is_there_twice_the_last_counts(fields):
    message = b"".join(
        protobuf.encode_bytes(number, value)
        if isinstance(value, bytes)
        else protobuf.encode_number(number, value)
        for number, value in fields
    )
    assert protobuf.get_fields(message) == dict(fields)


@given(st.lists(st.integers(0, MAX)))
def test_packed_numbers_are_read_back(numbers):
    assert protobuf.get_numbers(protobuf.encode_numbers(numbers)) == numbers


@pytest.mark.parametrize("encoded", ["09" + "00" * 8, "0d" + "00" * 4], ids=["eight-bytes", "four-bytes"])
def test_fields_of_a_fixed_size_are_skipped(encoded):
    assert protobuf.get_fields(bytes.fromhex(encoded) + b"\x10\x05") == {2: 5}
    with pytest.raises(DecodingError, match="cut off"):
        protobuf.get_fields(bytes.fromhex(encoded)[:-1])


@pytest.mark.parametrize("kind", [3, 4, 6, 7])
def test_a_field_of_an_unknown_kind_is_refused(kind):
    with pytest.raises(DecodingError, match=f"kind {kind}"):
        protobuf.get_fields(bytes((1 << 3 | kind, 0)))
