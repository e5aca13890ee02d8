from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypercore.encoding import MAX_UINT
from hypercore.errors import InvalidChecksum, InvalidOperation, InvalidProof
from hypercore.manifest import Prologue
from hypercore.merkle import MerkleTree, Node
from hypercore.proofs import (
    BlockProof,
    HashProof,
    NodeRequest,
    Proof,
    ProofRequest,
    SeekProof,
    SeekRequest,
    UpgradeProof,
    UpgradeRequest,
    check_root,
    verify_proof,
)
from tests.data.vectors import vectors
from tests.hypercore.proofs.changes import every_change, node_lists
from tests.hypercore.proofs.messages import decode_data
from tests.hypercore.proofs.strategies import NODES, UINTS, damaged, exchanges, flipped
from tests.hypercore.proofs.trees import Copy, Source

VECTORS = vectors("proofs")
SAMPLES = VECTORS["verifySamples"]
BLOCKS = [bytes.fromhex(block) for block in SAMPLES["blocks"]]
ERRORS = {
    "INVALID_OPERATION": InvalidOperation,
    "INVALID_CHECKSUM": InvalidChecksum,
    "INVALID_PROOF": InvalidProof,
}
REFUSED = (InvalidOperation, InvalidProof)


def in_words(case):
    return "-".join(str(case[name]) for name in ("mutation", "sourceLength", "localLength", "localNodes"))


def is_lone_leaf(case, proof):
    """Whether the proof is the hash of one leaf, with a size that the reference does not compare."""
    return case["mutation"] == "hash-size-0" and len(proof.hash.nodes) == 1 and proof.upgrade is None


@pytest.mark.parametrize("case", SAMPLES["cases"], ids=in_words)
def test_a_proof_leads_where_it_leads_in_the_reference(case):
    length = case["localLength"]
    copy = Copy(Source(BLOCKS), length, range(length) if case["localNodes"] == "all" else ())
    proof, result = decode_data(bytes.fromhex(case["dataWire"])), case["result"]
    if is_lone_leaf(case, proof):
        with pytest.raises(InvalidChecksum):
            copy.take(proof)
    elif "error" in result:
        with pytest.raises(ERRORS[result["error"]["code"]]):
            copy.take(proof)
    else:
        tree, nodes = copy.take(proof)
        assert (tree.length, tree.byte_length) == (result["length"], result["byteLength"])
        assert tree.tree_hash().hex() == result["hash"]
        assert [node.index for node in nodes] == result["nodes"]


@given(exchange=exchanges())
def test_an_honest_proof_leads_to_the_tree_and_nodes_of_its_source(exchange):
    source, copy = exchange.source, exchange.copy
    proof = source.answer(exchange.request)
    tree, nodes = copy.take(proof)
    expected = source.tree if proof.upgrade else copy.tree
    assert (tree.roots, tree.length, tree.byte_length) == (
        expected.roots,
        expected.length,
        expected.byte_length,
    )
    assert source.owns(nodes)
    assert copy.accepts(proof)


@given(exchange=exchanges())
def test_an_honest_proof_holds_what_was_asked_for(exchange):
    _, nodes = exchange.copy.take(exchange.source.answer(exchange.request))
    found = {node.index for node in nodes}
    if exchange.request.block is not None:
        assert 2 * exchange.request.block.index in found
    if exchange.request.hash is not None:
        assert exchange.request.hash.index in found


def is_true(source, proof, nodes, tree):
    """Whether everything that would be stored is what the source has."""
    block = proof.block
    return (
        source.owns(nodes)
        and source.owns(tree.roots)
        and (block is None or block.value is None or source.blocks[block.index] == block.value)
    )


@settings(max_examples=500)
@given(exchange=exchanges(), data=st.data())
def test_a_damaged_proof_is_refused_or_leads_to_the_truth(exchange, data):
    proof = data.draw(damaged(exchange.source.answer(exchange.request)))
    before = deepcopy((exchange.copy.tree.roots, proof))
    try:
        if exchange.copy.accepts(proof):
            tree, nodes = exchange.copy.take(proof)
            assert is_true(exchange.source, proof, nodes, tree)
    except REFUSED:
        pass
    assert (exchange.copy.tree.roots, proof) == before


REQUESTS = {
    "upgrade": ProofRequest(upgrade=UpgradeRequest(3, 8)),
    "upgrade-with-more-behind": ProofRequest(upgrade=UpgradeRequest(3, 4)),
    "block": ProofRequest(block=NodeRequest(0, 1)),
    "block-in-upgrade": ProofRequest(block=NodeRequest(5), upgrade=UpgradeRequest(3, 6)),
    "block-beside-upgrade": ProofRequest(block=NodeRequest(1, 1), upgrade=UpgradeRequest(3, 8)),
    "hash-in-upgrade": ProofRequest(hash=NodeRequest(9), upgrade=UpgradeRequest(3, 8)),
    "seek-in-upgrade": ProofRequest(seek=SeekRequest(60), upgrade=UpgradeRequest(3, 8)),
    "seek-beside-block": ProofRequest(
        block=NodeRequest(0, 1), seek=SeekRequest(3), upgrade=UpgradeRequest(3, 8)
    ),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_every_single_change_is_refused_or_leads_to_the_truth(request_):
    source = Source(BLOCKS)
    copy = Copy(source, 3)
    honest = source.answer(request_)
    assert copy.accepts(honest)
    for proof in every_change(honest):
        if accepts(copy, proof):
            tree, nodes = copy.take(proof)
            assert is_true(source, proof, nodes, tree)


@given(exchange=exchanges(), data=st.data())
def test_a_changed_hash_or_value_is_refused(exchange, data):
    proof = exchange.source.answer(exchange.request)
    nodes = [node for part in node_lists(proof) for node in part]
    if proof.block is not None and data.draw(st.booleans()):
        proof.block.value = data.draw(flipped(proof.block.value))
    elif nodes:
        node = data.draw(st.sampled_from(nodes))
        node.hash = data.draw(flipped(node.hash))
    else:
        return
    assert not accepts(exchange.copy, proof)


def accepts(copy, proof):
    try:
        return copy.accepts(proof)
    except REFUSED:
        return False


@given(exchange=exchanges(), data=st.data())
def test_sizes_that_only_add_up_are_not_taken_for_certain(exchange, data):
    proof = exchange.source.answer(exchange.request)
    nodes = [node for part in node_lists(proof) for node in part]
    if len(nodes) < 2:
        return
    larger, smaller = data.draw(st.permutations(nodes))[:2]
    shift = min(data.draw(st.integers(1, 4)), smaller.size)
    larger.size += shift
    smaller.size -= shift
    if accepts(exchange.copy, proof):
        verified = exchange.copy.check(proof)
        assert exchange.source.owns(verified.tree.roots)
        assert exchange.source.owns(node for node in verified.nodes if node.index in verified.bound)
        assert {node.hash for node in verified.nodes} <= {
            node.hash for node in exchange.source.nodes.values()
        }


@given(exchange=exchanges())
def test_every_size_that_was_worked_out_is_certain(exchange):
    proof = exchange.source.answer(exchange.request)
    verified = exchange.copy.check(proof)
    received = {node.index for part in node_lists(proof) for node in part}
    assert {node.index for node in verified.nodes} - received <= verified.bound


@given(exchange=exchanges(), data=st.data())
def test_a_changed_signature_is_refused(exchange, data):
    proof = exchange.source.answer(exchange.request)
    if proof.upgrade is not None:
        # The number of blocks of a patch, the byte before the last, is ignored: the manifest allows none.
        signature, ignored = proof.upgrade.signature[:66], proof.upgrade.signature[66:]
        changed = flipped(signature).map(lambda each: each + ignored)
        proof.upgrade.signature = data.draw(st.none() | changed | st.binary(max_size=80))
        assert not accepts(exchange.copy, proof)


@given(exchange=exchanges(), fork=st.integers(1, MAX_UINT))
def test_the_signature_of_an_upgrade_holds_for_its_fork_only(exchange, fork):
    proof = exchange.source.answer(exchange.request)
    proof.fork = fork
    assert accepts(exchange.copy, proof) == (proof.upgrade is None)


PARTS = {
    "block": st.none() | st.builds(BlockProof, UINTS, st.lists(NODES), st.none() | st.binary(max_size=4)),
    "hash": st.none() | st.builds(HashProof, UINTS, st.lists(NODES)),
    "seek": st.none() | st.builds(SeekProof, UINTS, st.lists(NODES)),
    "upgrade": st.none()
    | st.builds(
        UpgradeProof, UINTS, UINTS, st.lists(NODES), st.lists(NODES), st.none() | st.binary(max_size=70)
    ),
}


@given(exchange=exchanges(), proof=st.builds(Proof, UINTS, **PARTS))
def test_an_invented_proof_is_refused_or_empty(exchange, proof):
    try:
        accepted = exchange.copy.accepts(proof)
    except REFUSED:
        return
    assert not accepted or exchange.copy.take(proof)[1] == []


@given(exchange=exchanges(), other=exchanges(), names=st.sets(st.sampled_from(sorted(PARTS))))
def test_parts_of_two_proofs_do_not_add_up_to_a_lie(exchange, other, names):
    proof, foreign = exchange.source.answer(exchange.request), other.source.answer(other.request)
    for name in names:
        setattr(proof, name, getattr(foreign, name))
    if accepts(exchange.copy, proof):
        tree, nodes = exchange.copy.take(proof)
        assert is_true(exchange.source, proof, nodes, tree) or is_true(other.source, proof, nodes, tree)


def upgrade(start, length, nodes=(), additional=()):
    return Proof(0, upgrade=UpgradeProof(start, length, list(nodes), list(additional), None))


LARGEST = Node(MAX_UINT, MAX_UINT, bytes(32))
LONG = [Node(2 * i, 1, bytes(32)) for i in range(100_000)]


@pytest.mark.parametrize(
    "proof",
    [
        pytest.param(upgrade(0, MAX_UINT), id="length"),
        pytest.param(upgrade(MAX_UINT, MAX_UINT), id="start"),
        pytest.param(upgrade(MAX_UINT, 1, [LARGEST], [LARGEST]), id="nodes"),
        pytest.param(
            upgrade(0, 2**52, [Node(2**52 - 1, MAX_UINT, bytes(32))], [LARGEST]), id="behind-a-large-root"
        ),
        pytest.param(upgrade(0, 1, LONG), id="long-list"),
        pytest.param(upgrade(0, 0), id="no-length"),
        pytest.param(
            upgrade(0, 3, [Node(1, 0, bytes(32)), Node(4, 0, bytes(32))], LONG), id="long-list-behind"
        ),
        pytest.param(Proof(0, block=BlockProof(0, LONG, b"")), id="long-block-list"),
        pytest.param(Proof(0, hash=HashProof(0, LONG)), id="long-hash-list"),
        pytest.param(Proof(0, seek=SeekProof(0, LONG)), id="long-seek-list"),
        pytest.param(Proof(0, block=BlockProof(MAX_UINT, [LARGEST], b"")), id="block"),
        pytest.param(Proof(0, hash=HashProof(MAX_UINT, [LARGEST, LARGEST])), id="hash"),
    ],
)
@pytest.mark.parametrize("length", [0, 3])
def test_exaggerated_proofs_are_refused(length, proof):
    with pytest.raises(REFUSED):
        Copy(Source(BLOCKS), length).take(proof)


def test_sizes_that_add_up_to_more_than_64_bits_are_no_error_of_ours():
    indexes = [0, *((3 << depth) - 1 for depth in range(53))]
    nodes = [Node(index, MAX_UINT, bytes(32)) for index in indexes]
    root = verify_proof(MerkleTree(), Proof(0, hash=HashProof(0, nodes))).root
    assert root is not None
    assert root.size == 54 * MAX_UINT


@pytest.mark.parametrize(
    "node", [Node(2 * MAX_UINT + 1, 0, bytes(32)), Node(0, MAX_UINT + 1, bytes(32))], ids=["index", "size"]
)
def test_a_node_that_no_message_can_hold_is_refused(node):
    with pytest.raises(InvalidProof):
        verify_proof(MerkleTree(), Proof(0, hash=HashProof(node.index, [node])))


def test_additional_nodes_have_to_make_up_a_tree():
    source = Source(BLOCKS[:8])
    nodes = source.nodes
    assert Copy(source, 4).take(upgrade(4, 4, [nodes[11]]))[0].roots == [nodes[7]]
    with pytest.raises(InvalidOperation):
        Copy(source, 0).take(upgrade(0, 4, [nodes[3]], [nodes[9], nodes[13], nodes[9]]))


def test_an_empty_block_is_a_block():
    source = Source([b"", b"x"])
    proof = source.answer(ProofRequest(block=NodeRequest(0, 1)))
    _, nodes = Copy(source, 2).take(proof)
    assert nodes[0] == source.nodes[0]


def test_a_proof_without_parts_changes_nothing():
    copy = Copy(Source(BLOCKS), 3)
    assert copy.take(Proof(0)) == (copy.tree, [])


def test_a_root_that_binds_its_size_overrules_the_known_one():
    check_root(Node(0, 2, bytes(32)), Node(0, 1, bytes(32)), is_bound=True)
    with pytest.raises(InvalidChecksum):
        check_root(Node(0, 1, b"\x01" * 32), Node(0, 1, bytes(32)), is_bound=True)


def test_an_unknown_root_leaves_nothing_to_check_against():
    with pytest.raises(InvalidOperation):
        check_root(Node(0, 1, bytes(32)), None)


@pytest.mark.parametrize(
    "other",
    [Node(2, 1, bytes(32)), Node(0, 2, bytes(32)), Node(0, 1, b"\x01" * 32)],
    ids=["index", "size", "hash"],
)
def test_a_root_that_differs_from_the_known_node_is_refused(other):
    with pytest.raises(InvalidChecksum):
        check_root(other, Node(0, 1, bytes(32)))


class TestPrologue:
    PROLOGUE = Prologue(Source(BLOCKS[:5]).tree.tree_hash(), 5)

    @pytest.mark.parametrize("length", [5, 7, 11], ids=["all", "more", "much-more"])
    def test_an_upgrade_with_all_of_it_is_accepted(self, length):
        proof = Source(BLOCKS[:length]).answer(ProofRequest(upgrade=UpgradeRequest(0, 5)))
        assert verify_proof(MerkleTree(), proof, self.PROLOGUE).tree.length == length

    def test_an_upgrade_from_its_end_on_is_accepted(self):
        source = Source(BLOCKS[:7])
        proof = source.answer(ProofRequest(upgrade=UpgradeRequest(5, 2)))
        assert verify_proof(Copy(source, 5).tree, proof, self.PROLOGUE).tree.length == 7

    @pytest.mark.parametrize(("start", "length"), [(0, 4), (2, 5)], ids=["too-short", "begins-within"])
    def test_an_upgrade_with_a_part_of_it_is_refused(self, start, length):
        source = Source(BLOCKS[:7])
        proof = source.answer(ProofRequest(upgrade=UpgradeRequest(start, length)))
        with pytest.raises(InvalidProof):
            verify_proof(Copy(source, start).tree, proof, self.PROLOGUE)

    def test_other_blocks_are_refused(self):
        proof = Source([b"other", *BLOCKS[1:7]]).answer(ProofRequest(upgrade=UpgradeRequest(0, 5)))
        with pytest.raises(InvalidProof):
            verify_proof(MerkleTree(), proof, self.PROLOGUE)

    def test_it_is_compared_only_where_the_upgrade_stops_at_it(self):
        """A longer upgrade is signed: nobody who signs it needs the prologue to hold."""
        proof = Source([b"other", *BLOCKS[1:7]]).answer(ProofRequest(upgrade=UpgradeRequest(0, 7)))
        assert verify_proof(MerkleTree(), proof, self.PROLOGUE).tree.length == 7
