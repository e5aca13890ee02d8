"""Peers that answer with something else than was asked: they lose their connection, and nothing is kept."""

from copy import deepcopy

import pytest

from hypercore.merkle import Node
from hypercore.proofs import (
    BlockProof,
    HashProof,
    NodeRequest,
    ProofRequest,
    SeekProof,
    UpgradeProof,
    UpgradeRequest,
)
from hypercore.replication import SingleCore
from hypercore.wire import Data, Range, Request
from tests.hypercore.replication.copying import (
    assert_equal,
    begin_download,
    begin_get,
    blocks_of,
    download,
    writer_of,
)
from tests.hypercore.replication.played import PlayedServer, only

COUNT = 200


@pytest.fixture
def core():
    return writer_of(blocks_of(COUNT))


def changed(node, **changes):
    known = {"index": node.index, "size": node.size, "hash": node.hash} | changes
    return Node(known["index"], known["size"], known["hash"])


def flip(data, place=0):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def with_node(nodes, place, **changes):
    if nodes:
        nodes[place] = changed(nodes[place], **changes)


# --- lies about blocks --------------------------------------------------------------------------------------


def put(part, **changes):
    for name, value in changes.items():
        setattr(part, name, value)


def set_block(proof, **changes):
    put(proof.block, **changes)


def put_node(proof, index):
    proof.block, proof.hash = None, HashProof(index, [Node(index, 10, bytes(32))])


def add_node(proof, index):
    proof.upgrade.additional_nodes.append(Node(index, 10, bytes(32)))


BLOCK_LIES = {
    "another-value": lambda proof: set_block(proof, value=flip(proof.block.value)),
    "a-longer-value": lambda proof: set_block(proof, value=proof.block.value + b"x"),
    "a-shorter-value": lambda proof: set_block(proof, value=proof.block.value[:-1]),
    "no-value": lambda proof: set_block(proof, value=b""),
    "another-index": lambda proof: set_block(proof, index=proof.block.index + 1),
    "an-index-behind-the-end": lambda proof: set_block(proof, index=COUNT),
    "the-largest-index": lambda proof: set_block(proof, index=2**53 - 1),
    "another-fork": lambda proof: put(proof, fork=proof.fork + 1),
    "nothing": lambda proof: put(proof, block=None),
    "a-node-instead": lambda proof: put_node(proof, 2 * proof.block.index),
    "an-upgrade-as-well": lambda proof: put(proof, upgrade=UpgradeProof(0, COUNT, [], [], bytes(68))),
}


@pytest.mark.parametrize("alone", [True, False], ids=["one-block", "a-subtree"])
@pytest.mark.parametrize("lie", BLOCK_LIES.values(), ids=BLOCK_LIES)
def test_a_lie_about_a_block_ends_the_connection(network, store, core, lie, alone):
    def answer(request, true):
        if only(request.proof) == "block":
            lie(true.proof)
        return true

    peer = PlayedServer(core, answer)
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    begin_get(copy, 77) if alone else begin_download(copy)
    network.run()
    assert end.error is not None
    assert list(copy.stored_ranges()) == []
    assert copy.audit() == []
    network.connect(store, SingleCore(core))
    download(network, copy)
    assert_equal(copy, core)


NODE_LIES = {
    "another-hash": lambda nodes: with_node(nodes, 0, hash=bytes(32)),
    "another-last-hash": lambda nodes: with_node(nodes, -1, hash=bytes(32)),
    "another-index": lambda nodes: with_node(nodes, 0, index=nodes[0].index + 2),
    "the-largest-index": lambda nodes: with_node(nodes, 0, index=2**53 - 1),
    "another-size": lambda nodes: with_node(nodes, 0, size=nodes[0].size + 1),
    "the-largest-size": lambda nodes: with_node(nodes, -1, size=2**53 - 1),
    "a-node-less": lambda nodes: nodes.pop(),
    "a-node-more": lambda nodes: nodes.append(nodes[-1]),
    "no-nodes": lambda nodes: nodes.clear(),
    "the-other-way-round": lambda nodes: nodes.reverse(),
    "too-many-nodes": lambda nodes: nodes.extend(nodes * (100 // len(nodes))),
}


@pytest.mark.parametrize("part", ["block", "hash"])
@pytest.mark.parametrize("lie", NODE_LIES.values(), ids=NODE_LIES)
def test_a_lie_about_the_nodes_of_a_proof_ends_the_connection(network, store, core, lie, part):
    def answer(request, true):
        proof = getattr(true.proof, part)
        if only(request.proof) == part and proof.nodes:
            lie(proof.nodes)
        return true

    peer = PlayedServer(core, answer)
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    begin_get(copy, 77) if part == "block" else begin_download(copy, 0, 128)
    network.wait(10)
    assert end.error is not None
    assert list(copy.stored_ranges()) == []
    network.connect(store, SingleCore(core))
    download(network, copy)
    assert_equal(copy, core)


# --- lies about the tree ------------------------------------------------------------------------------------


def set_upgrade(proof, **changes):
    put(proof.upgrade, **changes)


UPGRADE_LIES = {
    "another-start": lambda proof: set_upgrade(proof, start=1),
    "less": lambda proof: set_upgrade(proof, length=proof.upgrade.length - 1),
    "more": lambda proof: set_upgrade(proof, length=proof.upgrade.length + 1),
    "nothing": lambda proof: set_upgrade(proof, length=0),
    "all-that-there-can-be": lambda proof: set_upgrade(proof, length=2**52),
    "another-signature": lambda proof: set_upgrade(proof, signature=flip(proof.upgrade.signature, 20)),
    "a-cut-off-signature": lambda proof: set_upgrade(proof, signature=proof.upgrade.signature[:-1]),
    "no-signature": lambda proof: set_upgrade(proof, signature=None),
    "a-long-signature": lambda proof: set_upgrade(proof, signature=bytes(1 << 16)),
    "another-hash": lambda proof: with_node(proof.upgrade.nodes, 0, hash=bytes(32)),
    "another-size": lambda proof: with_node(proof.upgrade.nodes, 0, size=5),
    "the-largest-size": lambda proof: with_node(proof.upgrade.nodes, 0, size=2**53 - 1),
    "another-index": lambda proof: with_node(proof.upgrade.nodes, 0, index=5),
    "no-nodes": lambda proof: proof.upgrade.nodes.clear(),
    "a-node-behind-the-end": lambda proof: proof.upgrade.additional_nodes.append(
        Node(2 * COUNT, 10, bytes(32))
    ),
    "no-upgrade": lambda proof: put(proof, upgrade=None),
    "another-fork": lambda proof: put(proof, fork=1),
    "no-manifest": lambda proof: put(proof, manifest=None),
    "the-manifest-of-another-core": lambda proof: put(proof, manifest=writer_of([b"x"]).manifest),
    "a-block-as-well": lambda proof: put(proof, block=BlockProof(0, [], b"x")),
    "a-seek-as-well": lambda proof: put(proof, seek=SeekProof(5, [])),
}


@pytest.mark.parametrize("lie", UPGRADE_LIES.values(), ids=UPGRADE_LIES)
def test_a_lie_about_the_tree_ends_the_connection(network, store, core, lie):
    def answer(request, true):
        if only(request.proof) == "upgrade":
            lie(true.proof)
        return true

    end = network.connect_to(store, PlayedServer(core, answer))
    copy = store.get(key=core.key)
    network.wait(10)
    assert end.error is not None
    assert copy.length == 0
    network.connect(store, SingleCore(core))
    download(network, copy)
    assert_equal(copy, core)


def test_one_who_shows_an_older_tree_than_it_claims_proves_nothing(network, store):
    """Its signature is true, but of a tree that is known already."""
    core = writer_of(blocks_of(5))
    old = core.proof(ProofRequest(upgrade=UpgradeRequest(0, 5))).upgrade
    assert old is not None
    copy = store.get(key=core.key)
    end = network.connect(store, SingleCore(core))
    download(network, copy)
    end.close()
    core.append(blocks_of(3))

    def answer(request, true):
        if only(request.proof) == "upgrade":
            set_upgrade(true.proof, nodes=old.nodes, additional_nodes=[], signature=old.signature)
        return true

    end = network.connect_to(store, PlayedServer(core, answer))
    network.wait(10)
    assert end.error is not None
    assert copy.length == 5
    assert copy.audit() == []


# --- answers at the wrong time ------------------------------------------------------------------------------


def test_a_block_of_a_subtree_that_comes_twice_ends_the_connection(network, store, core):
    said: list[Request] = []

    def answer(request, true):
        if only(request.proof) == "block" and not said:
            said.append(request)
            peer.say(deepcopy(true))
        return true

    peer = PlayedServer(core, answer)
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    begin_download(copy)
    network.run()
    assert "answered twice" in str(end.error)
    assert copy.audit() == []


def test_what_is_answered_twice_or_not_asked_for_is_ignored(network, store, core):
    answers = []

    def answer(request, true):
        answers.append(deepcopy(true))
        return true

    peer = PlayedServer(core, answer)
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    begin_get(copy, 77)
    network.run()
    peer.say(*answers)
    for id_ in (1, 5, 64, 2**53 - 1):
        peer.say(Data(id_, core.proof(ProofRequest(block=NodeRequest(3, 7)))))
    network.run()
    assert end.error is None
    assert list(copy.stored_ranges()) == [(77, 78)]
    assert copy.audit() == []


def tree_alone(request, true):
    return true if request.proof.upgrade else None


def test_what_was_asked_of_one_is_not_taken_from_another(network, store, core):
    copy = store.get(key=core.key)
    one, other = (
        PlayedServer(core, lambda request, true: true if request.proof.upgrade else None) for _ in "ab"
    )
    end = network.connect_to(store, one)
    network.run()
    end_of_other = network.connect_to(store, other)
    network.run()
    begin_get(copy, 77)
    network.run()
    (request,) = [message for message in one.heard + other.heard if getattr(message, "priority", 0)]
    asked, unasked = (one, other) if request in one.heard else (other, one)
    unasked.say(asked.true_answer(request))
    network.run()
    assert list(copy.stored_ranges()) == []
    asked.say(asked.true_answer(request))
    network.run()
    assert list(copy.stored_ranges()) == [(77, 78)]
    assert end.error is end_of_other.error is None


def test_what_a_session_has_said_is_worth_nothing_in_another_one(network, store, core):
    """The answers of one session are said again in another one, whoever they were for."""
    answers = []

    def answer(request, true):
        answers.append(deepcopy(true))
        return true

    copy = store.get(key=core.key)
    end = network.connect_to(store, PlayedServer(core, answer))
    download(network, copy)
    end.close()
    copy.clear(0, COUNT)
    replaying = PlayedServer(core, lambda request, true: None)
    end = network.connect_to(store, replaying)
    network.run()
    begin_download(copy)
    replaying.say(*answers)
    network.run()
    assert list(copy.stored_ranges()) == []
    assert copy.audit() == []


def test_a_peer_may_say_anything_of_what_it_has(network, store, core):
    peer = PlayedServer(core, has=False)
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    begin_download(copy, 0, 2 * COUNT)
    peer.say(Range(False, 0, 2**53 - 1), Range(False, 2**53 - 1, 2**53 - 1), Range(True, 3, 2**53 - 1))
    peer.say(Range(False, 0, COUNT), Range(False, COUNT, 0), Range(True, 0, 0))
    network.run()
    assert end.error is None
    assert_equal(copy, core)
