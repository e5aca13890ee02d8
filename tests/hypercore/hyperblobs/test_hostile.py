"""Ids and block maps from strangers: an error of ours, whatever they say; nothing is allocated for it."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Hyperblobs, Hypercore
from hypercore.encoding import encode_uint
from hypercore.errors import BadArgument, BlockNotAvailable, DecodingError
from hypercore.hyperblobs import BlobId
from hypercore.hyperblobs.maps import decode_map, encode_map
from tests.hypercore.hyperdrive.plain_drive import missing_for

NUMBERS = st.integers(0, 6) | st.sampled_from([100, 2**32, 2**53 - 1])
IDS = st.builds(BlobId, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.booleans())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
)
FIELDS = ["blockOffset", "byteOffset", "blockLength", "byteLength", "blockMap"]
GOOD = {"blockOffset": 1, "byteOffset": 2, "blockLength": 3, "byteLength": 4}


@pytest.fixture(scope="module")
def blobs():
    blobs = Hyperblobs(Hypercore())
    blobs.core.append([b"", b"abc", b"", encode_map([(1, 3), (1, 3)])[0], b"x" * 50, b"\x00\xff"])
    return blobs


@given(blob=IDS, start=st.integers(0, 60), length=st.none() | st.integers(0, 60))
def test_any_id_gives_bytes_of_the_length_that_was_asked_for_or_an_error(blobs, blob, start, length):
    try:
        data = blobs.get(blob, start, length)
    except (BadArgument, BlockNotAvailable, DecodingError):
        return
    total = blobs.byte_length(blob)
    assert len(data) == (total - start if length is None else length)
    assert data == b"".join(blobs.read_stream(blob, start, length))


@given(blob=IDS, start=st.integers(0, 60))
def test_any_id_asks_only_for_what_is_not_here(blobs, blob, start):
    with suppress(BadArgument, DecodingError):
        missing = missing_for(lambda: blobs.get(blob, start))
        assert missing is None or not blobs.core.has(missing.index)


@given(blob=IDS)
def test_any_id_can_be_looked_for(blobs, blob):
    assert blobs.has(blob) in (True, False)


@given(value=JSON | st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_json_is_an_id_or_a_decoding_error(value):
    try:
        blob = BlobId.from_json(value)
    except DecodingError:
        return
    assert all(blob.as_json()[name] == value[name] for name in FIELDS[:4])


@pytest.mark.parametrize("number", [-1, 2**53, 1.0, True, None, "1", [1]], ids=str)
@pytest.mark.parametrize("name", FIELDS[:4])
def test_a_field_that_is_no_whole_number_is_named(name, number):
    with pytest.raises(DecodingError, match=f"{name} of a blob is a whole number"):
        BlobId.from_json(GOOD | {name: number})


def test_fields_of_later_versions_are_ignored():
    assert BlobId.from_json(GOOD | {"hash": "x", "blockMap": False}) == BlobId(1, 2, 3, 4)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20))
def test_a_map_is_decoded_as_it_was_encoded(pieces):
    assert decode_map(encode_map(pieces)) == pieces


def test_a_long_map_takes_several_blocks():
    pieces = [(number, 1) for number in range(20_000)]
    blocks = encode_map(pieces)
    assert len(blocks) == 3
    assert decode_map(blocks) == pieces


def test_a_map_of_more_than_it_can_list_is_refused():
    with pytest.raises(BadArgument, match="at most 524288 pieces"):
        encode_map([(0, 0)] * (64 * 8192 + 1))


@given(st.binary(max_size=30))
def test_any_bytes_are_a_map_or_a_decoding_error(block):
    try:
        pieces = decode_map([block])
    except DecodingError:
        return
    assert 2 * len(pieces) <= len(block)


@pytest.mark.parametrize("cut", range(6))
def test_a_map_that_is_cut_off_is_a_decoding_error(cut):
    [block] = encode_map([(1, 3), (300, 2)])
    with pytest.raises(DecodingError):
        decode_map([block[:cut]])


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (BlobId(1, 0, 1, 4), "fewer bytes than it says, 4"),
        (BlobId(1, 0, 0, 4), "fewer bytes than it says, 4"),
        (BlobId(4, 3, 65, 9, block_map=True), "at most 64 blocks, found 65"),
        (BlobId(4, 3, 1, 50, block_map=True), "the block map at block 4: version 120"),
        (BlobId(5, 3, 1, 2, block_map=True), "the block map at block 5: the number at byte 1 is cut off"),
    ],
    ids=str,
)
def test_what_the_core_does_not_have_is_told(blobs, blob, message):
    with pytest.raises(DecodingError, match=message):
        blobs.get(blob)


def test_a_part_that_the_core_has_elsewhere_is_told(blobs):
    with pytest.raises(DecodingError, match="byte 1 of the blob at block 4 is in block 1"):
        blobs.get(BlobId(4, 0, 1, 50), 1)


@pytest.mark.parametrize(
    "blob", [BlobId(0, 1000, 6, 9), BlobId(0, 1000, 0, 9), BlobId(3, 2**53 - 1, 1, 9)], ids=str
)
def test_a_part_that_no_block_could_bring_is_told(blobs, blob):
    with pytest.raises(DecodingError, match=r"byte 1 of the blob .* is behind the end of the core"):
        blobs.get(blob, 1)


def test_a_piece_of_another_size_than_the_map_says_is_told():
    blobs = Hyperblobs(Hypercore())
    blobs.core.append([b"abc", *encode_map([(0, 4)])])
    with pytest.raises(DecodingError, match="block 0 of the blob at block 1 has 3 bytes, its map says 4"):
        blobs.get(BlobId(1, 3, 1, 4, block_map=True))


def test_a_small_map_that_lists_one_block_many_times_is_not_read_at_once():
    blobs = Hyperblobs(Hypercore())
    piece = bytes(1 << 20)
    blobs.core.append([piece, *encode_map([(0, len(piece))] * 2000)])
    blob = BlobId(1, len(piece), 1, blobs.core.byte_length - len(piece), block_map=True)
    with pytest.raises(BadArgument, match="too many at once"):
        blobs.get(blob)
    assert next(blobs.read_stream(blob)) == piece
    assert blobs.get(blob, 5, 10) == piece[5:15]


def test_a_number_as_large_as_json_allows_is_told_in_few_words():
    with pytest.raises(DecodingError) as caught:
        BlobId.from_json(GOOD | {"byteLength": json.loads("[" * 100 + "]" * 100)})
    assert len(str(caught.value)) < 200


def test_a_block_of_a_map_that_lists_more_than_it_may_is_refused():
    pieces = encode_uint(0) * 2 * 8192
    assert len(decode_map([encode_uint(0) + encode_uint(8192) + pieces])) == 8192
    with pytest.raises(DecodingError, match="at most 8192 pieces, found 8193"):
        decode_map([encode_uint(0) + encode_uint(8193) + pieces + encode_uint(0) * 2])


def test_an_unknown_version_of_maps_is_told():
    with pytest.raises(DecodingError, match="version 1 of block maps"):
        decode_map([encode_uint(1) + encode_uint(0)])
