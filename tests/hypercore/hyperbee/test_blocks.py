import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore.errors import DecodingError
from hypercore.hyperbee import Metadata, blocks
from hypercore.hyperbee.protobuf import encode_varint
from tests.hypercore.hyperbee.stored_tree import read_fields, read_numbers

MAX = 2**53 - 1
UINTS = st.integers(0, MAX)


@pytest.mark.parametrize(
    ("metadata", "encoded"),
    [
        pytest.param(None, "", id="none"),
        pytest.param(Metadata(), "1200", id="empty"),
        pytest.param(Metadata(b"ab", None), "12040a026162", id="content-feed"),
        pytest.param(Metadata(None, b""), "12021200", id="empty-user-data"),
        pytest.param(Metadata(b"a", b"b"), "12060a0161120162", id="both"),
    ],
)
def test_a_header_is_written_and_read_back(metadata, encoded):
    header = blocks.encode_header(metadata)
    assert header == b"\x0a\x08hyperbee" + bytes.fromhex(encoded)
    assert blocks.decode_header(header) == metadata


@pytest.mark.parametrize(
    "block", [b"", b"\x0a\x08hyperBEE", b"\x12\x00", b"text"], ids=["empty", "other", "no-protocol", "text"]
)
def test_what_is_no_header_is_refused(block):
    with pytest.raises(DecodingError):
        blocks.decode_header(block)


@given(index=st.binary(max_size=300), key=st.binary(max_size=300), value=st.none() | st.binary(max_size=300))
def test_a_block_is_written_and_read_back(index, key, value):
    block = blocks.encode_block(index, key, value)
    assert blocks.decode_block(block) == (index, key, value)
    assert read_fields(block) == [(1, index), (2, key), *([] if value is None else [(3, value)])]


OTHER_FIELDS = [
    pytest.param("1a01760a0169" + "12016b", id="another-order"),
    pytest.param("0a016912016b1a0178" + "1a0176", id="a-field-twice"),
    pytest.param("2001" + "0a016912016b1a0176", id="a-number-in-front"),
    pytest.param("0a016912016b1a0176" + "2201ff", id="an-unknown-field-behind"),
    pytest.param("0a0169" + "2d00000000" + "12016b1a0176", id="four-bytes-between"),
    pytest.param("0a016912016b" + "310000000000000000" + "1a0176", id="eight-bytes-between"),
    pytest.param("0a816900"[:2] + "8100" + "69" + "12016b1a0176", id="a-long-size"),
]


@pytest.mark.parametrize("block", OTHER_FIELDS)
def test_a_block_with_other_fields_or_another_order_is_read_too(block):
    assert blocks.decode_block(bytes.fromhex(block)) == (b"i", b"k", b"v")


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("", id="empty"),
        pytest.param("0a0169", id="no-key"),
        pytest.param("12016b", id="no-index"),
        pytest.param("0a016912016b1a0276", id="value-cut-off"),
        pytest.param("0a016912016b1affffffffffffff0f", id="endless-value"),
        pytest.param("0affffffffffffff0f12016b", id="endless-index"),
        pytest.param("0a016912016b" + "2b", id="a-group"),
        pytest.param("0a016912016b" + "310000", id="eight-bytes-cut-off"),
        pytest.param("0a016912016b" + "20", id="a-number-cut-off"),
    ],
)
def test_what_is_no_block_is_refused(block):
    with pytest.raises(DecodingError):
        blocks.decode_block(bytes.fromhex(block))


@given(seqs=st.lists(UINTS, max_size=10), places=st.lists(st.tuples(UINTS, UINTS), max_size=10))
def test_keys_and_children_of_a_level_are_read_back(seqs, places):
    pieces = [blocks.encode_child(*place) for place in places]
    packed = dict(read_fields(blocks.encode_keys(seqs) + blocks.encode_children(pieces)))
    assert read_numbers(packed.get(1, b"")) == seqs
    assert read_numbers(packed[2]) == [number for place in places for number in place]


@given(seqs=st.lists(UINTS, max_size=10), number=st.integers(0, 24))
def test_a_level_has_no_children_or_one_more_than_keys(seqs, number):
    level = blocks.encode_keys(seqs) + (b"\x12" + encode_varint(number) + bytes(number) if number else b"")
    if number in (0, 2 * len(seqs) + 2):
        assert blocks.decode_level(level) == (seqs, [0] * number)
    else:
        with pytest.raises(DecodingError, match=f"{len(seqs)} keys and {number} numbers"):
            blocks.decode_level(level)


LEVELS = st.lists(st.lists(UINTS, max_size=4).map(blocks.encode_keys), max_size=6)


@given(levels=LEVELS, offset=st.integers(0, 8))
def test_a_level_is_found_by_its_place(levels, offset):
    index = blocks.encode_index(levels)
    if offset < len(levels):
        assert blocks.get_level(index, offset) == levels[offset]
    else:
        with pytest.raises(DecodingError, match=f"tree node {offset} was wanted, there are {len(levels)}"):
            blocks.get_level(index, offset)


@given(levels=st.lists(st.lists(UINTS, max_size=4), max_size=6), seq=UINTS)
def test_an_index_holds_the_keys_of_all_its_levels(levels, seq):
    index = blocks.encode_index([blocks.encode_keys(seqs) for seqs in levels])
    flat = [number for seqs in levels for number in seqs]
    assert blocks.holds(index, seq) == (seq in flat)
    assert all(blocks.holds(index, number) for number in flat)
