from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore.errors import BadArgument, DecodingError
from hypercore.proofs import NodeRequest, ProofRequest
from hypercore.wire import Request, decode_block_request, decode_request, encode_block_requests
from tests.data.vectors import vectors
from tests.hypercore.damage import refuses
from tests.hypercore.proofs.messages import request_of
from tests.hypercore.wire.values import UINTS

raw = bytes.fromhex
FIRST = st.one_of(st.integers(0, 0x200), st.integers(0xFF00, 0x10100), st.integers(0, 2**53 - 65))
PROOFS = vectors("proofs")
CASES = [
    each
    for section in ("proofs", "seekInLaterRoot", "prologueProofs")
    for each in PROOFS[section]["cases"]
] + PROOFS["proofSamples"]  # fmt: skip


def test_requests_for_proofs_are_those_of_the_reference():
    for case in CASES:
        request, encoded = Request(1, 0, request_of(case["request"])), raw(case["requestWire"])
        assert request.encode() == encoded
        assert decode_request(encoded, 0, len(encoded)) == request


def block_request(id_, fork, index, nodes=0):
    return Request(id_, fork, ProofRequest(NodeRequest(index, nodes)))


@given(id_=UINTS, fork=UINTS, index=UINTS, nodes=UINTS)
def test_a_request_for_a_block_arrives_as_it_was_sent(id_, fork, index, nodes):
    request = block_request(id_, fork, index, nodes)
    encoded = request.encode()
    assert decode_request(encoded + b"\x00", 0, len(encoded)) == request
    # With its flags in a longer form it takes another way.
    assert decode_request(b"\xfd\x01\x00" + encoded[1:], 0, len(encoded) + 2) == request


@given(id_=UINTS, fork=UINTS, index=UINTS, nodes=UINTS)
def test_a_request_for_a_block_without_a_proof_has_a_faster_way(id_, fork, index, nodes):
    encoded = block_request(id_, fork, index, nodes).encode()
    plain = decode_block_request(encoded + b"\x00", 0, len(encoded))
    assert plain == (None if nodes else (id_, fork, index))


@given(id_=FIRST, fork=UINTS, index=FIRST, count=st.integers(0, 64))
def test_requests_for_consecutive_blocks_have_a_faster_way(id_, fork, index, count):
    requests = [block_request(id_ + place, fork, index + place) for place in range(count)]
    assert encode_block_requests(id_, fork, index, count) == [each.encode() for each in requests]


@given(id_=UINTS, fork=UINTS, index=UINTS, nodes=UINTS)
def test_a_request_for_a_block_that_ends_too_early_is_refused(id_, fork, index, nodes):
    encoded = block_request(id_, fork, index, nodes).encode()
    for end in range(len(encoded)):
        for frame in (encoded[:end], encoded + bytes(9)):
            assert refuses(partial(decode_request, pos=0, end=end), frame)


@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_numbers_above_the_largest_are_refused(place):
    encoded = bytearray(block_request(1, 2, 3, 4).encode())
    encoded[place : place + 1] = b"\xff" + (2**53).to_bytes(8, "little")
    with pytest.raises(DecodingError, match="above"):
        decode_request(bytes(encoded), 0, len(encoded))


def test_numbers_that_cannot_be_sent_are_refused():
    with pytest.raises(BadArgument):
        encode_block_requests(1, 0, 2**53, 1)
