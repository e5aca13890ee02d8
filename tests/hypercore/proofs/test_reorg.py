import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore.errors import InvalidOperation, InvalidProof
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest
from hypercore.proofs.reorg import Reorg
from tests.data.vectors import vectors
from tests.hypercore.proofs.messages import decode_data
from tests.hypercore.proofs.strategies import BLOCKS, damaged
from tests.hypercore.proofs.trees import Source

REFUSED = (InvalidOperation, InvalidProof)


def in_words(case):
    return f"{case['oldLength']}-to-{case['newLength']}-with-{case['common']}-in-common"


def numbered(length):
    return [f"a{number}".encode() for number in range(length)]


def whole(source):
    return source.answer(ProofRequest(upgrade=UpgradeRequest(0, source.tree.length)))


def begin(local, proof):
    return Reorg(local.nodes.get, local.tree.length, proof)


def follow(local, remote):
    """Ask for everything that is wanted; return the finished reorg and how often it asked."""
    reorg, rounds = begin(local, whole(remote)), 0
    while (wanted := reorg.wanted) is not None:
        reorg.update(remote.answer(ProofRequest(hash=wanted)))
        rounds += 1
    return reorg, rounds


@pytest.mark.parametrize("case", vectors("proofs")["reorg"], ids=in_words)
def test_going_over_to_a_fork_ends_as_in_the_reference(case):
    reorg = begin(Source(numbered(case["oldLength"])), decode_data(bytes.fromhex(case["upgrade"])))
    for turn in case["rounds"]:
        assert reorg.wanted == NodeRequest(2 * turn["want"]["start"], turn["want"]["nodes"])
        reorg.update(decode_data(bytes.fromhex(turn["data"])))
        assert reorg.is_finished == turn["done"]
    result = case["result"]
    assert reorg.is_finished
    assert (reorg.ancestors, reorg.fork) == (result["ancestors"], result["fork"])
    assert (reorg.tree.length, reorg.tree.tree_hash().hex()) == (result["length"], result["hash"])
    assert [node.index for node in reorg.nodes] == result["nodes"]


@given(common=st.lists(st.binary(max_size=3), max_size=20), ours=BLOCKS, theirs=BLOCKS)
def test_what_two_forks_have_in_common_is_found(common, ours, theirs):
    local, remote = Source(common + ours), Source(common + theirs)
    same = 0
    while same < min(local.tree.length, remote.tree.length) and local.blocks[same] == remote.blocks[same]:
        same += 1
    reorg, rounds = follow(local, remote)
    assert reorg.is_finished
    assert reorg.ancestors == same
    assert remote.owns(reorg.nodes)
    assert reorg.tree.roots == remote.tree.roots
    assert rounds <= 6


@given(blocks=BLOCKS, more=BLOCKS)
def test_a_fork_that_is_a_part_of_this_one_needs_no_more_questions(blocks, more):
    local = Source(blocks + more)
    part = Source(blocks)
    part.nodes = {root.index: root for root in part.tree.roots}
    reorg, rounds = follow(local, part)
    assert (reorg.ancestors, rounds) == (len(blocks), 0)


@given(blocks=BLOCKS)
def test_a_core_without_blocks_has_nothing_in_common(blocks):
    reorg = Reorg(lambda index: None, 0, whole(Source(blocks)))
    assert reorg.is_finished
    assert reorg.ancestors == 0


@given(ours=BLOCKS, theirs=BLOCKS, data=st.data())
def test_a_damaged_answer_is_refused_or_leads_to_the_truth(ours, theirs, data):
    local, remote = Source(ours), Source(theirs)
    reorg = begin(local, whole(remote))
    while (wanted := reorg.wanted) is not None:
        honest = remote.answer(ProofRequest(hash=wanted))
        nodes = list(reorg.nodes)
        try:
            reorg.update(data.draw(damaged(honest)))
        except REFUSED:
            assert (reorg.nodes, reorg.wanted) == (nodes, wanted)
            reorg.update(honest)
        assert remote.owns(reorg.nodes)


@given(blocks=BLOCKS, data=st.data())
def test_a_damaged_proof_of_another_fork_is_refused_or_has_another_tree_hash(blocks, data):
    remote = Source(blocks)
    proof = data.draw(damaged(whole(remote)))
    try:
        reorg = begin(Source([b"ours"]), proof)
    except REFUSED:
        return
    if reorg.tree.tree_hash() == remote.tree.tree_hash():
        assert remote.owns(reorg.nodes)


def test_the_proof_of_a_part_is_no_fork():
    remote = Source(numbered(7))
    proof = remote.answer(ProofRequest(upgrade=UpgradeRequest(3, 4)))
    with pytest.raises(InvalidProof):
        begin(Source(numbered(3)), proof)


def test_a_proof_without_upgrade_is_no_fork():
    with pytest.raises(InvalidProof):
        begin(Source(numbered(3)), Source(numbered(3)).answer(ProofRequest(block=NodeRequest(0, 1))))


def test_a_block_that_belongs_elsewhere_is_refused():
    proof = whole(Source(numbered(3)))
    proof.block = Source([b"other"]).answer(ProofRequest(block=NodeRequest(0))).block
    with pytest.raises(InvalidProof):
        begin(Source([b"ours"]), proof)


def test_an_answer_that_leads_no_further_is_refused():
    local, remote = Source(numbered(8)), Source([*numbered(5), b"new", *numbered(2)])
    reorg = begin(local, whole(remote))
    root = remote.answer(ProofRequest(hash=NodeRequest(7)))
    with pytest.raises(InvalidProof):
        reorg.update(root)


def test_an_answer_of_yet_another_fork_is_refused_and_forgotten():
    local, remote = Source(numbered(8)), Source([*numbered(5), b"new", *numbered(2)])
    liar = Source([*numbered(5), b"lie", *numbered(2)])
    reorg = begin(local, whole(remote))
    rounds = 0
    while (wanted := reorg.wanted) is not None:
        nodes, bound, rounds = list(reorg.nodes), set(reorg.bound), rounds + 1
        with pytest.raises(InvalidProof, match="does not lead to node"):
            reorg.update(liar.answer(ProofRequest(hash=wanted)))
        assert (reorg.nodes, reorg.bound, reorg.wanted) == (nodes, bound, wanted)
        reorg.update(remote.answer(ProofRequest(hash=wanted)))
    assert (reorg.ancestors, rounds > 0) == (5, True)


def test_an_answer_to_nothing_is_refused():
    remote = Source(numbered(3))
    reorg = begin(remote, whole(remote))
    with pytest.raises(InvalidOperation):
        reorg.update(remote.answer(ProofRequest(hash=NodeRequest(0))))
