from functools import partial

import pytest
from hypothesis import given

from hypercore.encoding import encode_uint
from hypercore.errors import BadArgument, DecodingError
from hypercore.merkle import Node
from hypercore.proofs import BlockProof, HashProof, Proof, SeekProof, UpgradeProof
from hypercore.wire import Data, block_data_pieces, decode_block_data, decode_data
from hypercore.wire.data import MAX_NODES
from tests.data.vectors import vectors
from tests.hypercore.damage import refuses
from tests.hypercore.wire.values import NODES, UINTS, VALUES
from tests.memory import traced

raw = bytes.fromhex


def data_of_the_vectors(section):
    """Iterate over every Data anywhere in the vectors of proofs."""
    if isinstance(section, dict):
        for name, value in section.items():
            if name in ("dataWire", "data", "upgrade", "manifestInData") and isinstance(value, str):
                yield raw(value)
            else:
                yield from data_of_the_vectors(value)
    elif isinstance(section, list):
        for each in section:
            yield from data_of_the_vectors(each)


def test_data_of_the_reference_is_read_and_written_back():
    messages = list(data_of_the_vectors(vectors("proofs")))
    assert len(messages) > 500
    for encoded in messages:
        assert decode_data(encoded, 0, len(encoded)).encode() == encoded


@given(request=UINTS, fork=UINTS, index=UINTS, value=VALUES, nodes=NODES)
def test_a_block_alone_is_recognised(request, fork, index, value, nodes):
    encoded = Data(request, Proof(fork, BlockProof(index, nodes, value))).encode()
    plain = decode_block_data(encoded + b"\x01", 0, len(encoded))
    assert plain == (None if nodes else (request, fork, index, value))


@given(request=UINTS, fork=UINTS, index=UINTS, value=VALUES, nodes=NODES)
def test_a_block_alone_has_a_faster_way(request, fork, index, value, nodes):
    data = Data(request, Proof(fork, BlockProof(index, nodes, value)))
    encoded = data.encode()
    assert decode_data(b"\x09" + encoded + b"\x01", 1, 1 + len(encoded)) == data
    # With its flags in a longer form it takes the other way.
    assert decode_data(b"\xfd\x01\x00" + encoded[1:], 0, len(encoded) + 2) == data
    bare = Data(request, Proof(fork, BlockProof(index, [], value)))
    assert b"".join(block_data_pieces(request, fork, index, value)) == bare.encode()


@given(request=UINTS, index=UINTS, nodes=NODES)
def test_a_block_that_ends_too_early_is_refused_whatever_stands_behind_it(request, index, nodes):
    encoded = Data(request, Proof(0, BlockProof(index, nodes, b"value"))).encode()
    for end in range(len(encoded)):
        for frame in (encoded[:end], encoded, encoded[:end] + bytes(60)):
            assert refuses(partial(decode_data, pos=0, end=end), frame)


def test_the_value_of_a_block_is_not_copied_to_be_sent():
    value = bytes(70_000)
    for pieces in (Data(1, Proof(0, BlockProof(2, [], value))).pieces(), block_data_pieces(1, 0, 2, value)):
        assert any(piece is value for piece in pieces)
        assert sum(map(len, pieces)) < len(value) + 20


def test_a_value_does_not_hold_the_frame_that_it_came_in():
    encoded = Data(1, Proof(0, BlockProof(2, [], b"value"))).encode()
    block = decode_data(encoded, 0, len(encoded)).proof.block
    assert block
    assert type(block.value) is bytes
    assert block.value == b"value"


def test_a_block_is_sent_with_its_value():
    with pytest.raises(BadArgument, match="block 7"):
        Data(1, Proof(0, BlockProof(7, []))).encode()


def test_a_data_without_any_part_is_read():
    assert decode_data(raw("000102"), 0, 3) == Data(1, Proof(2))


LISTS = {
    "block": lambda nodes: Proof(0, block=BlockProof(1, nodes, b"value")),
    "hash": lambda nodes: Proof(0, hash=HashProof(1, nodes)),
    "seek": lambda nodes: Proof(0, seek=SeekProof(1, nodes)),
    "upgrade": lambda nodes: Proof(0, upgrade=UpgradeProof(0, 1, nodes, [], None)),
    "additional": lambda nodes: Proof(0, upgrade=UpgradeProof(0, 1, [], nodes, None)),
}


@pytest.mark.parametrize("proof_with", LISTS.values(), ids=LISTS)
def test_a_list_has_as_many_nodes_as_a_tree_can_need_and_no_more(proof_with):
    nodes = [Node(index, 1, bytes(32)) for index in range(MAX_NODES)]
    encoded = Data(1, proof_with(nodes)).encode()
    assert decode_data(encoded, 0, len(encoded)) == Data(1, proof_with(nodes))
    too_many = Data(1, proof_with([*nodes, nodes[0]])).encode()
    with pytest.raises(DecodingError, match="at most 128 nodes"):
        decode_data(too_many, 0, len(too_many))


CLAIMS = {
    "size-of-the-value": ("01010000", 2**53 - 1),
    "nodes-of-a-block": ("0101000000", 100),
    "very-many-nodes": ("0101000000", 2**53 - 1),
    "nodes-of-an-upgrade": ("0801000001", 100),
    "size-of-the-signature": ("08010000010000", 2**53 - 1),
    "signers-of-the-manifest": ("10010001000001", 2**20),
}


@pytest.mark.parametrize(("head", "number"), CLAIMS.values(), ids=CLAIMS)
def test_a_count_or_size_that_cannot_follow_costs_nothing(head, number):
    message = raw(head) + encode_uint(number) + bytes(20)
    frame = message + bytes(100_000)
    with traced() as memory, pytest.raises(DecodingError):
        decode_data(frame, 0, len(message))
    assert memory.peak < 20_000
