"""Answering what a peer asks for."""

from itertools import pairwise

import pytest

from hypercore import KeyPair
from hypercore.errors import StorageError
from hypercore.merkle import MerkleTree
from hypercore.proofs import (
    BlockProof,
    NodeRequest,
    Proof,
    ProofRequest,
    SeekRequest,
    UpgradeRequest,
    verify_proof,
)
from hypercore.wire import INVALID_REQUEST, NOT_AVAILABLE, Cancel, Data, NoData, Request, Sync
from tests.hypercore.replication.copying import blocks_of, writer_of
from tests.hypercore.replication.played import PlayedPeer

BLOCKS = blocks_of(8)


def block_request(id_, index=0, *, priority=0, fork=0, nodes=0):
    return Request(id_, fork, ProofRequest(block=NodeRequest(index, nodes)), priority=priority)


def block_data(id_, index):
    return Data(id_, Proof(0, BlockProof(index, [], BLOCKS[index])))


class Asker:
    """A core in a store, and a peer that asks for it."""

    def __init__(self, network, store, core):
        self.network = network
        self.peer = PlayedPeer([core.key])
        self.end = network.connect_to(store, self.peer)
        network.run()

    def ask(self, *requests):
        """Say something, and return the answers."""
        self.peer.heard.clear()
        self.peer.say(*requests)
        self.network.run()
        return [message for message in self.peer.heard if isinstance(message, (Data, NoData))]


@pytest.fixture
def core(store):
    return writer_of(BLOCKS, store)


@pytest.fixture
def asker(network, store, core):
    return Asker(network, store, core)


# --- one request --------------------------------------------------------------------------------------------


def test_a_block_is_answered_with_its_bytes(asker):
    assert asker.ask(block_request(7, 3)) == [block_data(7, 3)]


@pytest.mark.parametrize(
    "wanted",
    [
        ProofRequest(block=NodeRequest(3, 2)),
        ProofRequest(hash=NodeRequest(4, 1)),
        ProofRequest(hash=NodeRequest(1, 2), seek=SeekRequest(25)),
        ProofRequest(upgrade=UpgradeRequest(0, 8)),
        ProofRequest(upgrade=UpgradeRequest(3, 2)),
        ProofRequest(block=NodeRequest(7), upgrade=UpgradeRequest(5, 3)),
        ProofRequest(seek=SeekRequest(45), upgrade=UpgradeRequest(3, 5)),
    ],
    ids=["block", "hash", "seek", "whole-tree", "part-of-the-tree", "block-and-upgrade", "seek-and-upgrade"],
)
def test_whatever_can_be_proven_is(asker, core, wanted):
    (answer,) = asker.ask(Request(9, 0, wanted))
    expected = core.proof(wanted)
    expected.manifest = None
    assert answer == Data(9, expected)


def test_what_a_truth_proves_holds(asker):
    (answer,) = asker.ask(Request(1, 0, ProofRequest(upgrade=UpgradeRequest(0, 8)), manifest=True))
    assert answer.proof.manifest is not None
    assert verify_proof(MerkleTree(), answer.proof).tree.length == 8


def test_of_an_empty_core_only_the_manifest_can_be_had(network, store):
    core = store.get(name="empty")
    asker = Asker(network, store, core)
    assert asker.ask(Request(1, 0, ProofRequest(), manifest=True)) == [
        Data(1, Proof(0, manifest=core.manifest))
    ]
    assert asker.ask(Request(2, 0, ProofRequest())) == [Data(2, Proof(0))]


def test_the_tree_of_an_empty_core_is_empty(network, store, core):
    """Version 10 asks for it after a truncation to nothing, and waits for the answer before it asks again."""
    core.truncate(0)
    asker = Asker(network, store, core)
    assert asker.ask(Request(1, 1, ProofRequest(upgrade=UpgradeRequest(0, 0)))) == [Data(1, Proof(1))]


def test_who_asks_for_a_tree_that_grew_meanwhile_is_told_the_length_again(asker):
    """The reference asks for a fork once, and again only after a Sync."""
    assert asker.ask(Request(1, 0, ProofRequest(upgrade=UpgradeRequest(0, 0)))) == [
        NoData(1, INVALID_REQUEST)
    ]
    assert [sync.length for sync in asker.peer.heard_of(Sync)] == [8]


def test_a_core_whose_key_is_its_manifest_sends_none(network, store):
    pair = KeyPair.generate()
    core = store.get(key=pair.public_key, key_pair=pair)
    core.append(b"block")
    (answer,) = Asker(network, store, core).ask(
        Request(1, 0, ProofRequest(upgrade=UpgradeRequest(0, 1)), manifest=True)
    )
    assert answer.proof.manifest is None
    assert answer.proof.upgrade.signature == core.signature


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(block_request(5, 8), id="behind-the-end"),
        pytest.param(block_request(5, 2**53 - 1), id="at-the-last-number"),
        pytest.param(block_request(5, 4), id="cleared"),
        pytest.param(
            Request(5, 0, ProofRequest(NodeRequest(4), upgrade=UpgradeRequest(0, 8))), id="and-upgrade"
        ),
    ],
)
def test_what_is_not_here_is_refused(asker, core, request_):
    core.clear(4)
    assert asker.ask(request_) == [NoData(5, NOT_AVAILABLE)]


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(block_request(5, 0, fork=1), id="block"),
        pytest.param(block_request(5, 0, fork=1, nodes=3), id="proof"),
        pytest.param(Request(5, 7, ProofRequest(upgrade=UpgradeRequest(0, 8))), id="tree"),
    ],
)
def test_what_is_of_another_fork_is_refused_without_a_reason(asker, request_):
    """Version 11 asks nothing more of a peer that has told it 32 times that something is not available."""
    assert asker.ask(request_) == [NoData(5)]


def test_what_is_not_here_is_refused_but_for_the_manifest(asker, core):
    request = Request(5, 3, ProofRequest(upgrade=UpgradeRequest(0, 8)), manifest=True)
    assert asker.ask(request) == [Data(5, Proof(0, manifest=core.manifest))]


IMPOSSIBLE = {
    "upgrade-beyond-the-end": ProofRequest(upgrade=UpgradeRequest(0, 9)),
    "upgrade-from-beyond-the-end": ProofRequest(upgrade=UpgradeRequest(9, 1)),
    "upgrade-of-nothing": ProofRequest(upgrade=UpgradeRequest(3, 0)),
    "huge-upgrade": ProofRequest(upgrade=UpgradeRequest(2**53 - 1, 2**53 - 1)),
    "node-beyond-the-end": ProofRequest(hash=NodeRequest(16)),
    "too-many-levels": ProofRequest(block=NodeRequest(0, 4)),
    "far-too-many-levels": ProofRequest(hash=NodeRequest(1, 2**53 - 1)),
    "seek-behind-the-subtree": ProofRequest(hash=NodeRequest(0, 1), seek=SeekRequest(25)),
    "padding-above-all-sizes": ProofRequest(hash=NodeRequest(0, 3), seek=SeekRequest(25, 2**53 - 1)),
    "block-and-hash": ProofRequest(block=NodeRequest(0), hash=NodeRequest(2)),
    "block-outside-of-the-upgrade": ProofRequest(block=NodeRequest(7), upgrade=UpgradeRequest(0, 4)),
}


@pytest.mark.parametrize("wanted", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_no_proof_can_show_is_refused_as_invalid(asker, wanted):
    assert asker.ask(Request(5, 0, wanted)) == [NoData(5, INVALID_REQUEST)]


def test_who_keeps_asking_for_what_cannot_be_is_sent_away(asker):
    invalid = Request(5, 0, ProofRequest(upgrade=UpgradeRequest(0, 9)))
    assert len(asker.ask(*[invalid] * 63)) == 63
    assert asker.end.error is None
    asker.ask(block_request(6))
    assert asker.end.error is None
    asker.ask(invalid)
    assert "64 requests that do not fit the core" in str(asker.end.error)


def test_who_asks_for_what_can_be_may_ask_for_what_cannot_be_now_and_then(asker):
    invalid = Request(5, 0, ProofRequest(upgrade=UpgradeRequest(0, 9)))
    valid = Request(6, 0, ProofRequest(upgrade=UpgradeRequest(0, 8)))
    for _ in range(200):
        assert len(asker.ask(invalid, valid)) == 2
    assert asker.end.error is None
    asker.ask(*[valid] * 200)
    asker.ask(*[invalid] * 64)
    assert "64 requests that do not fit the core" in str(asker.end.error)


def test_a_proof_is_made_from_the_tree_as_it_is_now(asker, core):
    wanted = ProofRequest(upgrade=UpgradeRequest(0, 5))
    for _ in range(2):
        (answer,) = asker.ask(Request(1, core.fork, wanted))
        assert answer.proof.upgrade.signature == core.signature
        core.append(b"more")
    core.truncate(5)
    (answer,) = asker.ask(Request(1, 1, wanted))
    assert answer.proof.fork == 1
    assert answer.proof.upgrade.additional_nodes == []


# --- many requests ------------------------------------------------------------------------------------------


def test_the_requests_of_a_frame_are_answered_in_a_frame(asker):
    asker.end.stream.log.clear()
    answers = asker.ask(*[block_request(10 + index, index) for index in range(8)])
    assert answers == [block_data(10 + index, index) for index in range(8)]
    assert len(asker.end.stream.log) == 1


def test_while_there_is_no_room_requests_wait(asker):
    asker.end.block(True)
    assert asker.ask(block_request(1, 1), block_request(2, 2)) == []
    assert asker.end.connection.is_waiting
    asker.peer.heard.clear()
    asker.end.block(False)
    asker.network.run()
    assert asker.peer.heard == [block_data(1, 1), block_data(2, 2)]
    assert not asker.end.connection.is_waiting


def waiting(asker, *messages):
    """Say something while there is no room; return the ids that are answered afterwards, in order."""
    asker.end.block(True)
    asker.ask(*messages)
    asker.peer.heard.clear()
    asker.end.block(False)
    asker.network.run()
    return [answer.request for answer in asker.peer.heard]


def test_urgent_requests_go_first_and_of_them_the_latest(asker):
    requests = [block_request(id_, priority=id_ in (3, 4)) for id_ in range(1, 6)]
    assert waiting(asker, *requests) == [4, 3, 1, 2, 5]


def test_a_cancelled_request_is_not_answered(asker):
    requests = [block_request(1), block_request(2, priority=1), block_request(3)]
    assert waiting(asker, *requests, Cancel(2), Cancel(1), Cancel(99)) == [3]


def test_a_request_that_is_repeated_replaces_the_one_before(asker):
    assert waiting(asker, block_request(1, 1), block_request(2), block_request(1, 5)) == [2, 1]
    assert asker.peer.heard[1] == block_data(1, 5)
    assert waiting(asker, block_request(1), block_request(1, priority=1)) == [1]


def test_of_a_mebibyte_that_waits_no_more_is_added(network, store):
    blocks = [bytes([index]) * 300_000 for index in range(40)]
    asker = Asker(network, store, writer_of(blocks, store))
    asker.end.other.is_held = True
    sent = []
    asker.peer.say(*[block_request(index, index) for index in range(40)])
    while asker.end.step() | asker.end.other.step():
        sent.append(asker.end.bytes_sent)
    steps = [after - before for before, after in pairwise(sent)]
    assert max(steps) < 1_500_000
    asker.end.other.is_held = False
    network.run()
    assert [answer.request for answer in asker.peer.heard_of(Data)] == list(range(40))


def test_whose_requests_pile_up_is_sent_away(asker):
    asker.end.block(True)
    for start in range(0, 65_536, 8192):
        asker.ask(*[block_request(id_) for id_ in range(start, start + 8192)])
    assert asker.end.error is None
    asker.ask(block_request(65_536))
    assert "more than 65536 requests wait" in str(asker.end.error)


def test_requests_of_a_core_that_is_truncated_meanwhile_are_refused(asker, core):
    asker.end.block(True)
    asker.ask(block_request(1, 1), Request(2, 0, ProofRequest(upgrade=UpgradeRequest(0, 8))))
    core.truncate(4)
    asker.end.block(False)
    asker.peer.heard.clear()
    asker.network.run()
    assert asker.peer.heard_of(NoData) == [NoData(1), NoData(2)]


# --- storage that fails -------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_refused_and_told(network, faulty_reader, faulty):
    core = writer_of(BLOCKS, faulty_reader)
    asker = Asker(network, faulty_reader, core)
    error = StorageError("a bad sector")
    with faulty.failing_reads(error):
        answers = asker.ask(block_request(1, 1), Request(2, 0, ProofRequest(hash=NodeRequest(0, 1))))
    assert answers == [NoData(1, NOT_AVAILABLE), NoData(2, NOT_AVAILABLE)]
    assert asker.end.reported == [error, error]
    assert asker.end.error is None
    assert asker.ask(block_request(3, 1)) == [block_data(3, 1)]


def test_another_connection_is_answered_while_one_is_blocked(network, store, core):
    one, other = Asker(network, store, core), Asker(network, store, core)
    one.end.block(True)
    assert one.ask(block_request(1)) == []
    assert other.ask(block_request(1)) == [block_data(1, 0)]
