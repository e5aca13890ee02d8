import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import flat_tree
from hypercore.encoding import MAX_UINT
from hypercore.errors import InvalidOperation
from hypercore.manifest import Manifest, Prologue
from hypercore.merkle import MerkleTree
from hypercore.proofs import NodeRequest, Proof, ProofMaker, ProofRequest, SeekRequest, UpgradeRequest
from tests.data.vectors import vectors
from tests.hypercore.proofs.changes import node_lists
from tests.hypercore.proofs.messages import decode_data, request_of
from tests.hypercore.proofs.strategies import BLOCKS, UINTS, exchanges
from tests.hypercore.proofs.trees import PAIR, Source

VECTORS = vectors("proofs")
TEXTS = [bytes.fromhex(block) for block in VECTORS["blocks"]]


def named(section):
    return [pytest.param(case, id=case["name"]) for case in VECTORS[section]["cases"]]


def in_words(sample):
    parts = [f"{kind}-{'-'.join(map(str, values.values()))}" for kind, values in sample["request"].items()]
    return "-".join(["of", str(sample["length"]), *parts])


def assert_answers(source, case, *, signed=False):
    request = request_of(case["request"])
    if "error" in case:
        assert case["error"]["code"] == "INVALID_OPERATION"
        with pytest.raises(InvalidOperation):
            source.answer(request)
    else:
        assert source.answer(request, signed=signed) == decode_data(bytes.fromhex(case["dataWire"]))


@pytest.mark.parametrize("case", named("proofs"))
def test_a_request_is_answered_as_by_the_reference(case):
    assert_answers(Source(TEXTS[:11]), case, signed=True)


@pytest.mark.parametrize("case", named("seekInLaterRoot"))
def test_a_place_right_of_the_first_root_is_proven(case):
    assert_answers(Source(TEXTS[:12]), case)


@pytest.mark.parametrize("case", named("prologueProofs"))
def test_a_prologue_is_sent_whole(case):
    prologue = VECTORS["prologueProofs"]["prologue"]
    source = Source(TEXTS[:11], prologue=Prologue(bytes.fromhex(prologue["hash"]), prologue["length"]))
    assert_answers(source, case)


@pytest.mark.parametrize("sample", VECTORS["proofSamples"], ids=in_words)
def test_a_random_request_is_answered_as_by_the_reference(sample):
    assert_answers(Source(TEXTS[: sample["length"]]), sample)


def test_the_vectors_travel_with_the_manifest_of_their_core():
    proof = decode_data(bytes.fromhex(VECTORS["proofs"]["manifestInData"]))
    assert proof == Proof(0, manifest=Manifest.for_key(PAIR.public_key))
    assert proof.manifest is not None
    assert proof.manifest.key().hex() == VECTORS["proofs"]["key"]


def test_an_empty_tree_proves_nothing():
    maker = ProofMaker(MerkleTree(), lambda index: None, fork=3, signature=None)
    assert maker.make(ProofRequest(block=NodeRequest(0), upgrade=UpgradeRequest(0, 1))) == Proof(3)


def test_a_block_and_a_hash_at_once_are_refused():
    with pytest.raises(InvalidOperation, match="not both"):
        Source(TEXTS[:3]).answer(ProofRequest(block=NodeRequest(0), hash=NodeRequest(0)))


@pytest.mark.parametrize(
    "request_",
    [
        ProofRequest(block=NodeRequest(3)),
        ProofRequest(hash=NodeRequest(6)),
        ProofRequest(hash=NodeRequest(5)),
    ],
    ids=["block", "leaf", "parent"],
)
def test_a_node_outside_of_the_tree_is_refused(request_):
    with pytest.raises(InvalidOperation):
        Source(TEXTS[:3]).answer(request_)


def test_an_incomplete_subtree_has_no_hash():
    with pytest.raises(InvalidOperation):
        Source(TEXTS[:3]).answer(ProofRequest(hash=NodeRequest(3)))


def test_a_made_proof_of_a_block_leaves_its_value_to_the_caller():
    proof = Source(TEXTS[:3]).maker().make(ProofRequest(block=NodeRequest(0)))
    assert proof.block is not None
    assert proof.block.value is None


@given(exchange=exchanges())
def test_an_honest_request_is_answered_in_full(exchange):
    request, proof = exchange.request, exchange.source.answer(exchange.request)
    for name in ("block", "hash", "upgrade"):
        assert (getattr(request, name) is None) == (getattr(proof, name) is None)
    if request.upgrade is not None:
        assert (proof.upgrade.start, proof.upgrade.length) == (request.upgrade.start, request.upgrade.length)
        assert proof.upgrade.signature == exchange.source.signature


@given(exchange=exchanges())
def test_a_proof_holds_each_node_once_and_only_nodes_of_the_tree(exchange):
    nodes = [node for part in node_lists(exchange.source.answer(exchange.request)) for node in part]
    assert exchange.source.owns(nodes)
    assert len({node.index for node in nodes}) == len(nodes)


@given(exchange=exchanges())
def test_a_copy_is_not_sent_what_it_knows(exchange):
    known = exchange.copy.nodes.keys()
    proof = exchange.source.answer(exchange.request)
    parts = node_lists(proof)
    asked = set() if proof.hash is None else {proof.hash.index}
    if exchange.request.seek is None:
        assert not {node.index for part in parts for node in part} & known - asked


@given(exchange=exchanges(), data=st.data())
def test_a_tree_with_a_node_missing_answers_the_same_or_not_at_all(exchange, data):
    source = exchange.source
    whole = source.answer(exchange.request)
    maker = source.maker(signature=source.signature)
    lost = source.nodes.pop(data.draw(st.sampled_from(sorted(source.nodes))))
    try:
        proof = maker.make(exchange.request)
    except InvalidOperation:
        return
    source.nodes[lost.index] = lost
    if exchange.request.seek is None:
        assert node_lists(proof) == node_lists(whole)
    assert source.owns(node for part in node_lists(proof) for node in part)


NODE_REQUESTS = st.none() | st.builds(NodeRequest, UINTS, UINTS)


@given(
    blocks=BLOCKS,
    request=st.builds(
        ProofRequest,
        NODE_REQUESTS,
        NODE_REQUESTS,
        st.none() | st.builds(SeekRequest, UINTS, UINTS),
        st.none() | st.builds(UpgradeRequest, UINTS, UINTS),
    ),
)
def test_any_request_is_answered_or_refused_after_few_reads(blocks, request):
    source = Source(blocks)
    reads = []

    def read(index):
        reads.append(index)
        return source.nodes.get(index)

    maker = ProofMaker(source.tree, read, fork=0, signature=b"")
    try:
        proof = maker.make(request)
    except InvalidOperation:
        pass
    else:
        assert source.owns(node for part in node_lists(proof) for node in part)
    assert len(reads) < 100


LARGE = MAX_UINT


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(ProofRequest(block=NodeRequest(LARGE, LARGE)), id="block"),
        pytest.param(ProofRequest(block=NodeRequest(0, LARGE)), id="levels"),
        pytest.param(ProofRequest(hash=NodeRequest(LARGE, LARGE)), id="hash"),
        pytest.param(ProofRequest(block=NodeRequest(0), seek=SeekRequest(LARGE)), id="seek"),
        pytest.param(ProofRequest(upgrade=UpgradeRequest(0, LARGE)), id="length"),
        pytest.param(ProofRequest(upgrade=UpgradeRequest(LARGE, LARGE)), id="start"),
    ],
)
def test_the_largest_numbers_are_refused(request_):
    with pytest.raises(InvalidOperation):
        Source(TEXTS).answer(request_)


def test_a_padding_larger_than_the_blocks_finds_nothing():
    request = ProofRequest(seek=SeekRequest(5, LARGE), upgrade=UpgradeRequest(0, 11))
    assert Source(TEXTS[:11]).answer(request).seek is None


@given(blocks=BLOCKS)
def test_the_bytes_left_of_every_node_are_counted(blocks):
    source = Source(blocks)
    maker = source.maker()
    for index in source.nodes:
        first = flat_tree.spans(index)[0] // 2
        assert maker.byte_offset(index) == sum(map(len, blocks[:first]))
    assert maker.byte_offset(2 * len(blocks)) == source.tree.byte_length


@pytest.mark.parametrize("index", [8, 13, LARGE - 1], ids=["leaf", "parent", "largest"])
def test_a_node_behind_the_end_has_no_byte_offset(index):
    with pytest.raises(InvalidOperation):
        Source(TEXTS[:3]).maker().byte_offset(index)


@given(blocks=BLOCKS, data=st.data())
def test_a_seek_part_begins_above_the_byte(blocks, data):
    source = Source(blocks)
    offset = data.draw(st.integers(0, max(source.tree.byte_length - 1, 0)))
    request = ProofRequest(seek=SeekRequest(offset), upgrade=UpgradeRequest(0, len(blocks)))
    seek = source.answer(request).seek
    if source.tree.byte_length:
        assert seek is not None
        first = source.maker().byte_offset(seek.nodes[0].index)
        assert first <= offset <= first + seek.nodes[0].size


@pytest.mark.parametrize(("lost", "found"), [((), 4), ((4,), 5), ((1,), 3)], ids=["none", "leaf", "parent"])
def test_a_seek_goes_down_as_far_as_nodes_are_known(lost, found):
    source = Source([b"aa"] * 8)
    for index in lost:
        del source.nodes[index]
    seek = source.answer(ProofRequest(seek=SeekRequest(5), upgrade=UpgradeRequest(0, 8))).seek
    assert seek is not None
    assert seek.nodes[0].index == found


def test_a_seek_to_the_beginning_of_empty_blocks_needs_no_part():
    request = ProofRequest(block=NodeRequest(0, 1), seek=SeekRequest(0))
    assert Source([b"", b""]).answer(request).seek is None


def test_a_seek_to_the_end_of_the_subtree_is_refused():
    with pytest.raises(InvalidOperation):
        Source([b"aa"] * 4).answer(ProofRequest(block=NodeRequest(0, 1), seek=SeekRequest(4)))


@given(blocks=BLOCKS, padding=st.integers(0, 9), block=st.none() | st.integers(0, 23), data=st.data())
def test_padding_does_not_count_in_a_seek(blocks, padding, block, data):
    offset = data.draw(st.integers(0, sum(map(len, blocks)) + 1))
    request = ProofRequest(seek=SeekRequest(offset), upgrade=UpgradeRequest(0, len(blocks)))
    if block is not None:
        first = flat_tree.full_roots(len(blocks))[0]
        block %= flat_tree.leaf_count(first)
        request = ProofRequest(block=NodeRequest(block, flat_tree.depth(first)), seek=SeekRequest(offset))
    plain = indexes_in_answer(Source(blocks), request)
    request.seek = SeekRequest(offset, padding)
    padded = Source([bytes(padding) + each for each in blocks])
    assert indexes_in_answer(padded, request) == plain


def indexes_in_answer(source, request):
    try:
        return [[node.index for node in nodes] for nodes in node_lists(source.answer(request))]
    except InvalidOperation:
        return None
