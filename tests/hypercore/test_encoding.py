import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import encoding
from hypercore.errors import BadArgument, DecodingError
from tests.hypercore.damage import cuts

MAX = 2**53 - 1

UINTS = [
    pytest.param(0, "00", id="zero"),
    pytest.param(1, "01", id="one"),
    pytest.param(0xFC, "fc", id="largest-of-one-byte"),
    pytest.param(0xFD, "fdfd00", id="smallest-of-two-bytes"),
    pytest.param(0xFF, "fdff00", id="one-byte-full"),
    pytest.param(0x100, "fd0001", id="low-byte-first"),
    pytest.param(0xFFFF, "fdffff", id="largest-of-two-bytes"),
    pytest.param(0x10000, "fe00000100", id="smallest-of-four-bytes"),
    pytest.param(0xFFFFFFFF, "feffffffff", id="largest-of-four-bytes"),
    pytest.param(0x100000000, "ff0000000001000000", id="smallest-of-eight-bytes"),
    pytest.param(MAX, "ffffffffffffff1f00", id="largest"),
]

INDEXES = [
    pytest.param(0, "00", id="zero"),
    pytest.param(0xFB, "fb", id="largest-of-one-byte"),
    pytest.param(0xFC, "fc00fc", id="smallest-of-two-bytes"),
    pytest.param(0x100, "fc0100", id="high-byte-first"),
    pytest.param(0xFFFF, "fcffff", id="largest-of-two-bytes"),
    pytest.param(0x10000, "fd00010000", id="smallest-of-four-bytes"),
    pytest.param(0xFFFFFFFF, "fdffffffff", id="largest-of-four-bytes"),
    pytest.param(0x100000000, "fe0000000100000000", id="smallest-of-eight-bytes"),
    pytest.param(MAX, "fe001fffffffffffff", id="largest"),
]


@pytest.mark.parametrize(("number", "encoded"), UINTS)
def test_a_uint_takes_the_shortest_form(number, encoded):
    assert encoding.encode_uint(number).hex() == encoded


@pytest.mark.parametrize(("number", "encoded"), UINTS)
def test_a_uint_is_read_where_it_stands_and_what_follows_stays(number, encoded):
    buf = b"\xfd" + bytes.fromhex(encoded) + b"\x01\x02"
    assert encoding.get_uint(buf, 1) == (number, len(buf) - 2)


@pytest.mark.parametrize(("number", "encoded"), UINTS)
def test_a_uint_that_is_cut_off_is_refused(number, encoded):
    for cut in cuts(bytes.fromhex(encoded)):
        with pytest.raises(DecodingError):
            encoding.get_uint(cut, 0)


@pytest.mark.parametrize(
    "number", [-1, -(2**70), MAX + 1, 2**70], ids=["negative", "far-below", "one-above", "far-above"]
)
def test_a_uint_out_of_range_is_not_encoded(number):
    with pytest.raises(BadArgument):
        encoding.encode_uint(number)


@pytest.mark.parametrize("encoded", ["ff00000000000020" + "00", "ff" * 9], ids=["one-above", "all-bits"])
def test_a_uint_above_the_largest_is_refused(encoded):
    with pytest.raises(DecodingError, match="above"):
        encoding.get_uint(bytes.fromhex(encoded), 0)


@pytest.mark.parametrize(
    "encoded", ["fd0700", "fe07000000", "ff0700000000000000"], ids=["two", "four", "eight"]
)
def test_a_uint_in_a_longer_form_than_needed_is_accepted(encoded):
    assert encoding.get_uint(bytes.fromhex(encoded), 0) == (7, len(encoded) // 2)


@given(numbers=st.lists(st.integers(0, MAX)))
def test_uints_behind_each_other_are_read_back(numbers):
    buf = b"".join(map(encoding.encode_uint, numbers))
    pos = 0
    for number in numbers:
        found, pos = encoding.get_uint(buf, pos)
        assert found == number
    assert pos == len(buf)


@given(data=st.binary(max_size=300), before=st.binary(max_size=3), behind=st.binary(max_size=3))
def test_a_buffer_is_read_where_it_stands(data, before, behind):
    buf = before + encoding.encode_buffer(data) + behind
    assert encoding.get_buffer(buf, len(before)) == (data, len(buf) - len(behind))


@pytest.mark.parametrize("size", [0, 1, 0xFC, 0xFD, 300], ids=["empty", "one", "short", "longer", "long"])
def test_a_buffer_that_is_cut_off_is_refused(size):
    for cut in cuts(encoding.encode_buffer(bytes(size))):
        with pytest.raises(DecodingError):
            encoding.get_buffer(cut, 0)


def test_fixed_bytes_are_all_there_or_refused():
    assert encoding.get_fixed(b"abcd", 1, 3) == (b"bcd", 4)
    assert encoding.get_fixed(b"abcd", 4, 0) == (b"", 4)
    with pytest.raises(DecodingError, match="3 bytes wanted at byte 2, 2 are left"):
        encoding.get_fixed(b"abcd", 2, 3)
    with pytest.raises(DecodingError, match="0 are left"):
        encoding.get_fixed(b"abcd", 9, 1)


def test_text_that_is_not_utf8_gets_replacement_characters():
    assert encoding.get_utf8(b"\x03a\xffb\x00", 0) == ("a\N{REPLACEMENT CHARACTER}b", 4)
    assert encoding.get_utf8(encoding.encode_buffer("ä€𝄞".encode()), 0) == ("ä€𝄞", 10)


def test_a_count_is_refused_when_its_items_cannot_follow():
    assert encoding.get_count(b"\x02" + bytes(8), 0, 4) == (2, 1)
    with pytest.raises(DecodingError, match="3 items announced"):
        encoding.get_count(b"\x03" + bytes(8), 0, 4)
    with pytest.raises(DecodingError):
        encoding.get_count(encoding.encode_uint(MAX) + bytes(8), 0, 1)


@pytest.mark.parametrize(("number", "encoded"), INDEXES)
def test_an_index_is_written_and_read_back(number, encoded):
    raw = bytes.fromhex(encoded)
    assert encoding.encode_index(number) == raw
    assert encoding.decode_index(b"\x00" + raw + b"\x07", 1) == (number, len(raw) + 1)


@pytest.mark.parametrize(("number", "encoded"), INDEXES)
def test_an_index_that_is_cut_off_is_refused(number, encoded):
    for cut in cuts(bytes.fromhex(encoded)):
        with pytest.raises(DecodingError):
            encoding.decode_index(cut, 0)


def test_the_end_of_a_range_is_no_index():
    with pytest.raises(DecodingError, match="end of a range"):
        encoding.decode_index(encoding.INDEX_END, 0)


@given(first=st.integers(0, MAX), second=st.integers(0, MAX))
def test_encoded_indexes_sort_like_their_numbers(first, second):
    a, b = encoding.encode_index(first), encoding.encode_index(second)
    assert (a < b) == (first < second)
    assert a < encoding.INDEX_END


@pytest.mark.parametrize(
    ("data", "encoded"),
    [
        pytest.param(b"", "000001", id="empty"),
        pytest.param(b"ab", "0061620001", id="plain"),
        pytest.param(b"\x00", "0000020001", id="zero"),
        pytest.param(b"a\x00b", "0061000262" + "0001", id="zero-inside"),
    ],
)
def test_a_key_string_is_escaped_and_ended(data, encoded):
    assert encoding.encode_key_string(data).hex() == encoded


@given(first=st.binary(max_size=6), second=st.binary(max_size=6))
def test_key_strings_differ_and_none_is_a_prefix_of_another(first, second):
    a, b = encoding.encode_key_string(first), encoding.encode_key_string(second)
    assert a.startswith(b) == (first == second)


@pytest.mark.parametrize("first", [0, 0xF0, 0xFD, 0xFFF0, 0x10000, 0xFFFFFFF0, 2**53 - 30])
@pytest.mark.parametrize("count", [0, 1, 30])
def test_consecutive_numbers_are_encoded_as_one_by_one(first, count):
    assert encoding.encode_uints(first, count) == [
        encoding.encode_uint(n) for n in range(first, first + count)
    ]


@pytest.mark.parametrize(("first", "count"), [(-1, 2), (2**53 - 1, 2)])
def test_consecutive_numbers_out_of_range_are_refused(first, count):
    with pytest.raises(BadArgument):
        encoding.encode_uints(first, count)
