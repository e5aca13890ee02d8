"""Two trees that were signed for one length and fork: nobody is believed any more. A lie is not that."""

from copy import deepcopy

import pytest

from hypercore import Corestore
from hypercore.errors import CoreConflict
from hypercore.merkle import Node
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest
from hypercore.replication import Replicator
from hypercore.replication.forks import PROBE
from hypercore.wire import Data, Request
from tests.hypercore.replication.copying import (
    assert_equal,
    begin_download,
    begin_update,
    blocks_of,
    download,
    writer_of,
)
from tests.hypercore.replication.played import PlayedServer, only

SEED = b"\x07" * 32


def other_writer(blocks):
    """Return one of several writers that sign with the same key, each in a store of its own."""
    store = Corestore(primary_key=SEED)
    return writer_of(blocks, store), store


def error_of(core):
    return Replicator.of(core.state).exchange.error


def conflict_length(core):
    error = error_of(core)
    assert isinstance(error, CoreConflict)
    return error.length


COMMON = blocks_of(5)


@pytest.fixture
def writers():
    """Two writers whose trees differ behind the fifth block, the second one's is longer."""
    return other_writer([*COMMON, b"one"]), other_writer([*COMMON, b"other", b"and more"])


@pytest.fixture
def reader(network, store):
    """A reader in a store, with the tree of the first writer."""

    def reader(core, source):
        end = network.connect(store, source)
        copy = store.get(key=core.key)
        download(network, copy)
        assert_equal(copy, core)
        return copy, end

    return reader


def test_a_reader_that_is_shown_another_tree_and_who_has_it_both_freeze(network, store, writers, reader):
    (one, one_store), (other, other_store) = writers
    copy, end = reader(one, one_store)
    want = begin_download(copy, 0, 20)
    end_of_other = network.connect(store, other_store)
    network.run()
    assert isinstance(want.error, CoreConflict)
    assert conflict_length(copy) == conflict_length(other) == 6
    assert error_of(one) is None  # it has seen no other tree than its own
    assert "two trees of 6 blocks were signed for fork 0" in str(error_of(copy))
    assert end.error is end_of_other.error is end.other.error is end_of_other.other.error is None
    assert end.connection.cores == end_of_other.connection.cores == {}
    assert list(copy.read_stream()) == list(one.read_stream())
    assert copy.audit() == []


def test_a_frozen_core_is_neither_wanted_nor_served_again(network, store, writers, reader):
    (one, one_store), (_, other_store) = writers
    copy, _ = reader(one, one_store)
    network.connect(store, other_store)
    network.run()
    with pytest.raises(CoreConflict):
        begin_update(copy)
    fresh = Corestore()
    late = fresh.get(key=one.key)
    network.connect(fresh, store)
    network.run()
    assert late.length == 0


def test_the_other_cores_of_the_connections_go_on(network, store, writers, reader):
    (one, one_store), (other, other_store) = writers
    reader(one, one_store)
    elsewhere = writer_of(blocks_of(200), other_store, "elsewhere")
    network.connect(store, other_store)
    copy = store.get(key=elsewhere.key)
    download(network, copy)
    assert_equal(copy, elsewhere)
    assert conflict_length(other) == 6


def test_a_conflict_below_what_is_known_is_found_by_its_blocks(network, store, reader):
    """The trees have one length: only who asks for something learns that they differ."""
    one, one_store = other_writer([*COMMON, b"one"])
    other, other_store = other_writer([*COMMON, b"other"])
    end = network.connect(store, one_store)
    copy = store.get(key=one.key)
    network.run()
    end.close()
    end = network.connect(store, other_store)
    network.run()
    want = begin_download(copy)
    network.run()
    assert isinstance(want.error, CoreConflict)
    assert conflict_length(copy) == conflict_length(other) == 6
    assert end.error is end.other.error is None


def test_a_conflict_is_found_where_the_roots_of_the_blocks_are_known(network, store, reader):
    one, one_store = other_writer(blocks_of(8))
    other, other_store = other_writer(blocks_of(8, size=20))
    copy, end = reader(one, one_store)
    end.close()
    copy.clear(0, 8)
    network.connect(store, other_store)
    network.run()
    want = begin_download(copy)
    network.run()
    assert isinstance(want.error, CoreConflict)
    assert conflict_length(copy) == conflict_length(other) == 8


def test_a_channel_that_is_being_opened_when_the_conflict_is_found_is_closed(network, store, writers, reader):
    (one, one_store), (_, other_store) = writers
    copy, _ = reader(one, one_store)
    late = Corestore()
    latecomer = late.get(key=one.key)
    end = network.connect(late, store, piece=1)
    while not end.other.connection.cores:
        end.step()
        end.other.step()
    end.other.is_held = True  # it has opened the channel, and does not know yet that the other side has, too
    network.connect(store, other_store)
    network.run()
    assert conflict_length(copy) == 6
    end.other.is_held = False
    network.run()
    assert end.error is end.other.error is None
    assert latecomer.length == 0
    assert end.other.said() == []
    assert Replicator.of(copy.state).peers == []


# --- what is no conflict ------------------------------------------------------------------------------------


def proof_of(core, length, **parts):
    return core.proof(ProofRequest(upgrade=UpgradeRequest(0, length), **parts))


def shift_sizes(proof, one, other, by=1):
    """Let a node claim to be larger, and its sibling to be as much smaller: their parent stays the same."""
    changed = deepcopy(proof)
    upgrade = changed.upgrade
    for nodes in (upgrade.nodes, upgrade.additional_nodes):
        for place, node in enumerate(nodes):
            if node.index == one:
                nodes[place] = Node(node.index, node.size + by, node.hash)
            elif node.index == other:
                nodes[place] = Node(node.index, node.size - by, node.hash)
    return changed


def with_more_nodes(proof):
    changed = deepcopy(proof)
    changed.upgrade.nodes.append(Node(20, 1, bytes(32)))
    return changed


HARMLESS = {
    "the-tree-itself": lambda core: proof_of(core, 7),
    "a-part-of-the-tree": lambda core: proof_of(core, 5),
    "the-tree-and-a-block": lambda core: proof_of(core, 7, block=NodeRequest(2)),
    "the-tree-and-a-root-that-is-a-block": lambda core: proof_of(core, 7, block=NodeRequest(6)),
    "the-tree-and-a-node": lambda core: proof_of(core, 7, hash=NodeRequest(1)),
    "sizes-that-only-fit-together": lambda core: shift_sizes(proof_of(core, 1), 0, 2),
    "more-nodes-than-roots": lambda core: with_more_nodes(proof_of(core, 7)),
    "a-wrong-root": lambda core: shift_sizes(proof_of(core, 7), 3, 9),
}


@pytest.mark.parametrize("make", HARMLESS.values(), ids=HARMLESS)
def test_what_shows_no_other_tree_is_no_conflict(network, store, make):
    core = writer_of(blocks_of(7))
    peer = PlayedServer(core)
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    download(network, copy)
    peer.say(Data(PROBE, make(core)))
    network.run()
    assert_equal(copy, core)
    assert error_of(copy) is None
    assert end.error is None


def test_a_tree_of_another_fork_is_no_conflict(network, store):
    core, _ = other_writer(blocks_of(7))
    peer = PlayedServer(core)
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    forked, _ = other_writer(blocks_of(7))
    forked.truncate(5)
    forked.append([b"x", b"y"])
    peer.say(Data(PROBE, proof_of(forked, 7)))
    download(network, copy)
    assert error_of(copy) is None
    assert end.error is None


def lie_about_upgrades(request, answer):
    if only(request.proof) == "upgrade" and request.id != PROBE and request.proof.upgrade.start:
        node = answer.proof.upgrade.nodes[0]
        answer.proof.upgrade.nodes[0] = Node(node.index, node.size, bytes(32))
    return answer


def test_who_lies_about_an_upgrade_is_asked_for_its_tree_and_sent_away(network, store):
    core = writer_of(blocks_of(7))
    peer = PlayedServer(core, lie_about_upgrades)
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    core.append(b"more")
    peer.say(peer.sync(7))
    network.run()
    assert PROBE in [request.id for request in peer.heard_of(Request)]
    assert "no other tree that would explain it" in str(end.error)
    assert error_of(copy) is None
    assert copy.length == 7


def test_who_lies_and_does_not_show_its_tree_is_asked_nothing_more(network, store):
    core = writer_of(blocks_of(7))

    def answer(request, true):
        return None if request.id == PROBE else lie_about_upgrades(request, true)

    peer = PlayedServer(core, answer)
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    core.append(b"more")
    peer.say(peer.sync(7))
    network.run()
    peer.heard.clear()
    want = begin_download(copy, 0, 8)
    network.wait(100)
    assert peer.heard_of(Request) == []
    assert not want.is_done
    assert end.error is None


def test_a_conflict_that_is_shown_unasked_is_believed_and_answered(network, store):
    core, _ = other_writer([*COMMON, b"one"])
    other, _ = other_writer([*COMMON, b"other", b"more"])
    peer = PlayedServer(core)
    network.connect_to(store, peer)
    copy = store.get(key=core.key)
    download(network, copy)
    peer.heard.clear()
    peer.say(Data(PROBE, proof_of(other, 6)))
    network.run()
    assert conflict_length(copy) == 6
    (shown,) = peer.heard_of(Data)
    assert shown.request == PROBE
    assert shown.proof.upgrade.nodes == core.proof(ProofRequest(upgrade=UpgradeRequest(0, 6))).upgrade.nodes
    assert peer.closed == [peer.channel.id]


def test_a_sparse_reader_shows_the_conflict_as_well(network, store):
    core, _ = other_writer([*COMMON, *blocks_of(300)])
    other, _ = other_writer([*COMMON, b"other", *blocks_of(20)])
    peer = PlayedServer(core)
    network.connect_to(store, peer)
    copy = store.get(key=core.key)
    download(network, copy, 5, 6)
    peer.say(Data(PROBE, proof_of(other, 6)))
    network.run()
    assert conflict_length(copy) == 6
    assert peer.closed == [peer.channel.id]
