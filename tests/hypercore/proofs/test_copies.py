"""Copies take proofs as those of the reference do."""

import pytest

from hypercore import Hypercore
from hypercore.errors import HypercoreError, InvalidChecksum, InvalidOperation, InvalidSignature
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest
from tests.data.vectors import vectors
from tests.hypercore.proofs.messages import decode_data

VECTORS = vectors("proofs")
KEY = VECTORS["proofs"]["key"]
ERRORS = {
    "INVALID_OPERATION": InvalidOperation,
    "INVALID_CHECKSUM": InvalidChecksum,
    "INVALID_SIGNATURE": InvalidSignature,
    None: InvalidSignature,  # where the reference fails to decode a signature
}


def outcome(copy, case):
    """Return what became of a proof: whether it was of this fork, or the error it was refused with."""
    try:
        return copy.apply_proof(decode_data(bytes.fromhex(case["dataWire"])))
    except HypercoreError as error:
        return type(error)


def expected(case):
    return ERRORS[case["error"]["code"]] if "error" in case else case["result"]


@pytest.mark.parametrize("case", VECTORS["applyProofNegative"], ids=lambda case: case["label"])
def test_a_copy_that_knows_its_key_takes_and_refuses_what_the_reference_does(case):
    with Hypercore(key=KEY) as copy:
        assert outcome(copy, case) == expected(case)
        assert copy.length == case["length"]


def test_a_copy_grows_as_in_the_reference():
    with Hypercore(key=KEY) as copy:
        for case in VECTORS["applyProof"]:
            assert (case["label"], outcome(copy, case)) == (case["label"], expected(case))
            assert (copy.length, copy.fork) == (case["length"], case["fork"])
            assert copy.contiguous_length == case["contiguousLength"]
            assert [copy.missing_nodes(2 * block) for block in range(11)] == case["missing"]


def test_a_copy_has_the_blocks_that_were_proven():
    blocks = [bytes.fromhex(block) for block in VECTORS["blocks"]]
    with Hypercore(key=KEY) as copy:
        for case in VECTORS["applyProof"]:
            outcome(copy, case)
        proven = {
            case["request"]["block"]["index"]
            for case in VECTORS["applyProof"]
            if case.get("result") and "block" in case["request"]
        }
        assert {index for index in range(11) if copy.has(index)} == proven
        assert [copy.get(index) for index in sorted(proven)] == [blocks[index] for index in sorted(proven)]


class TestSizesThatNoHashBinds:
    """Two siblings that come as hashes: only the sum of their sizes is part of what is hashed."""

    @pytest.fixture
    def source(self):
        with Hypercore() as source:
            source.append([b"aaaa", b"bb", b"cccc", b"d"])
            yield source

    @pytest.fixture
    def copy(self, source):
        with Hypercore(key=source.key) as copy:
            copy.apply_proof(source.proof(ProofRequest(upgrade=UpgradeRequest(0, 4))))
            yield copy

    @pytest.fixture
    def lie(self, source):
        proof = source.proof(ProofRequest(hash=NodeRequest(0, 2)))
        proof.hash.nodes[0].size += 1
        proof.hash.nodes[1].size -= 1
        return proof

    def test_a_wrong_size_does_not_keep_the_block_out(self, source, copy, lie):
        copy.apply_proof(lie)
        request = ProofRequest(block=NodeRequest(0, copy.missing_nodes(0)))
        assert copy.apply_proof(source.proof(request))
        assert copy.get(0) == b"aaaa"

    def test_a_wrong_size_does_not_replace_a_right_one(self, source, copy, lie):
        for block in range(4):
            request = ProofRequest(block=NodeRequest(block, copy.missing_nodes(2 * block)))
            copy.apply_proof(source.proof(request))
        copy.apply_proof(lie)
        assert copy.seek(4) == (1, 0)

    def reorg(self, source, copy, index):
        """Go over to the source's fork, whose answers lie about the sizes of a leaf and its sibling."""
        reorg = copy.begin_reorg(source.proof(ProofRequest(upgrade=UpgradeRequest(0, source.length))))
        while reorg.wanted is not None:
            answer = source.proof(ProofRequest(hash=reorg.wanted))
            nodes = answer.hash.nodes
            if nodes[0].index == index:
                nodes[0].size += 1
                nodes[1].size -= 1
            reorg.update(answer)
        copy.apply_reorg(reorg)
        return reorg.ancestors

    @pytest.mark.parametrize(("lie_about", "common"), [(0, 3), (4, 2)], ids=["kept blocks", "changed blocks"])
    def test_a_wrong_size_in_a_reorg_neither_stays_nor_keeps_blocks_out(
        self, source, copy, lie_about, common
    ):
        for block in range(4):
            copy.apply_proof(
                source.proof(ProofRequest(block=NodeRequest(block, copy.missing_nodes(2 * block))))
            )
        source.truncate(3)
        source.append(b"other")
        assert self.reorg(source, copy, lie_about) == common
        assert copy.seek(4) == (1, 0)
        for block in range(common, 4):
            copy.apply_proof(
                source.proof(ProofRequest(block=NodeRequest(block, copy.missing_nodes(2 * block))))
            )
        assert list(copy.read_stream()) == [b"aaaa", b"bb", b"cccc", b"other"]
        assert copy.seek(11) == (3, 1)
        assert copy.audit() == []
