"""Every decoder of stored bytes, given damaged ones: the documented error or a value, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import encoding
from hypercore.crypto import KeyPair
from hypercore.errors import DecodingError
from hypercore.hyperbee import Metadata, blocks, protobuf
from hypercore.manifest import Manifest, Prologue, Signer, decode_manifest, decode_stored_manifest
from hypercore.merkle import Node, encode_node, get_node
from hypercore.storage import records
from tests.hypercore.damage import cuts, flips, refuses

PAIR = KeyPair.from_seed(b"\x01" * 32)
MANIFEST = Manifest(
    (Signer(b"\x01" * 32), Signer(b"\x02" * 32)),
    2,
    1,
    True,
    Prologue(b"\x03" * 32, 300),
    (b"\x04" * 32,),
    b"data",
)
LEVEL = blocks.encode_keys([1, 2, 300]) + blocks.encode_children(
    [blocks.encode_child(seq, 1) for seq in (1, 2, 3, 200)]
)
INDEX = blocks.encode_index([LEVEL, blocks.encode_keys([4]), b""])

DECODERS = {
    "uint": (lambda buf: encoding.get_uint(buf, 0), encoding.encode_uint(2**40)),
    "index": (lambda buf: encoding.decode_index(buf, 0), encoding.encode_index(2**40)),
    "buffer": (lambda buf: encoding.get_buffer(buf, 0), encoding.encode_buffer(b"abc")),
    "utf8": (lambda buf: encoding.get_utf8(buf, 0), encoding.encode_buffer("aä€".encode())),
    "manifest": (decode_manifest, MANIFEST.encode()),
    "old-manifest": (decode_manifest, Manifest((Signer(b"\x01" * 32),), version=0, quorum=1).encode()),
    "static-manifest": (decode_manifest, Manifest(version=0, prologue=Prologue(b"\x03" * 32, 0)).encode()),
    "stored-manifest": (decode_stored_manifest, MANIFEST.encode_stored()),
    "store-head": (
        records.StoreHead.decode,
        records.StoreHead(1, 300, 0, b"\x01" * 32, b"\x02" * 32).encode(),
    ),
    "core-record": (records.CoreRecord.decode, records.CoreRecord(1, 300, "näme", b"\x01" * 32).encode()),
    "auth": (records.Auth.decode, records.Auth(b"\x01" * 32, b"\x02" * 32, MANIFEST, PAIR).encode()),
    "hints": (records.Hints.decode, records.Hints(1, 300, 7).encode()),
    "node": (lambda buf: get_node(buf, 0)[0], encode_node(Node(300, 70_000, b"\x01" * 32))),
    "varint": (lambda buf: protobuf.get_varint(buf, 0), protobuf.encode_varint(2**40)),
    "bee-delete": (blocks.decode_block, blocks.encode_block(INDEX, b"key", None)),
    "bee-long-delete": (blocks.decode_block, blocks.encode_block(INDEX * 9, b"k" * 200, None)),
}

# A cut may leave something that is whole: no optional fields, fewer levels.
LENIENT = {
    "core-head": (
        records.CoreHead.decode,
        records.CoreHead(1, 300, b"\x01" * 32, b"\x02" * 68, 1_700_000_000_000).encode(),
    ),
    "bee-header": (blocks.decode_header, blocks.encode_header(Metadata(b"\x01" * 32, b"data"))),
    "bee-put": (blocks.decode_block, blocks.encode_block(INDEX, b"key", b"value")),
    "bee-level": (blocks.decode_level, LEVEL),
    "bee-first-level": (lambda buf: blocks.get_level(buf, 0), INDEX),
    "bee-last-level": (lambda buf: blocks.get_level(buf, 2), INDEX),
    "bee-index": (lambda buf: blocks.holds(buf, 4), INDEX),
}

EVERY = pytest.mark.parametrize(("decode", "whole"), (DECODERS | LENIENT).values(), ids=[*DECODERS, *LENIENT])


@EVERY
def test_whole_bytes_are_accepted(decode, whole):
    assert not refuses(decode, whole)


@pytest.mark.parametrize(("decode", "whole"), DECODERS.values(), ids=DECODERS)
def test_bytes_that_are_cut_off_are_refused(decode, whole):
    assert [cut for cut in cuts(whole) if not refuses(decode, cut)] == []


@EVERY
def test_a_cut_anywhere_gives_the_documented_error_or_a_value(decode, whole):
    for cut in cuts(whole):
        refuses(decode, cut)


@EVERY
def test_a_changed_byte_gives_the_documented_error_or_a_value(decode, whole):
    for damaged in flips(whole):
        refuses(decode, damaged)


@EVERY
@given(data=st.binary(max_size=120))
def test_random_bytes_give_the_documented_error_or_a_value(decode, whole, data):
    refuses(decode, data)


@EVERY
@given(data=st.data())
def test_random_bytes_in_the_middle_give_the_documented_error_or_a_value(decode, whole, data):
    place = data.draw(st.integers(0, len(whole)))
    refuses(
        decode,
        whole[:place] + data.draw(st.binary(max_size=12)) + whole[place + data.draw(st.integers(0, 12)) :],
    )


@pytest.mark.parametrize(
    ("decode", "record"),
    [(records.StoreHead.decode, "store head"), (records.CoreRecord.decode, "core record")],
    ids=["store-head", "core-record"],
)
def test_a_record_of_another_version_is_refused(decode, record):
    with pytest.raises(DecodingError, match=f"a {record} has version 2, found 1"):
        decode(b"\x01" + bytes(60))
