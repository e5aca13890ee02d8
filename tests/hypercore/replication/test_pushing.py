"""Sending blocks that nobody asked for, and messages of applications."""

import pytest

from hypercore import Corestore, Hypercore, KeyPair
from hypercore.errors import BadArgument, BlockNotAvailable, StorageError
from hypercore.manifest import Manifest, Prologue, Signer
from hypercore.merkle import MerkleTree, Node
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest, verify_proof
from hypercore.replication import Replicator, SingleCore
from hypercore.replication.forks import PROBE
from hypercore.wire import Data, Extension, Request, Sync
from tests.hypercore.replication.copying import assert_equal, begin_download, blocks_of, download, writer_of
from tests.hypercore.replication.played import PlayedPeer, PlayedServer

COUNT = 20


@pytest.fixture
def core():
    return writer_of(blocks_of(COUNT))


@pytest.fixture
def copy(network, store, core):
    """A copy of a core that takes what is pushed, connected to it."""
    copy = store.get(key=core.key)
    Replicator.of(copy.state).set_push(True)
    network.connect(store, SingleCore(core))
    network.run()
    return copy


def push(core, index):
    return Replicator.of(core.state).push(index)


def test_a_pushed_block_arrives_without_being_asked_for(network, core, copy):
    (end, _) = network.ends
    end.forget()
    assert push(core, 7) == 1
    network.run()
    assert list(copy.stored_ranges()) == [(7, 8)]
    assert end.said(Request) == []
    assert copy.audit() == []


def test_a_block_may_be_pushed_before_the_peer_knows_that_it_exists(network, core, copy):
    (end, _) = network.ends
    end.is_held = True
    core.append([b"new", b"newest"])
    push(core, COUNT + 1)
    end.is_held = False
    network.run()
    assert copy.length == COUNT + 2
    assert copy.get(COUNT + 1) == b"newest"
    assert copy.audit() == []


def test_the_first_that_a_peer_hears_of_a_core_may_be_a_block(network, store):
    core = Corestore().get(name="core")
    copy = store.get(key=core.key)
    Replicator.of(copy.state).set_push(True)
    end = network.connect(store, SingleCore(core))
    network.run()
    end.is_held = True
    core.append(blocks_of(5))
    assert push(core, 3) == 1
    end.is_held = False
    network.run()
    assert copy.get(3) == blocks_of(5)[3]
    assert copy.manifest == core.manifest


@pytest.mark.parametrize("more", [0, 3])
def test_a_block_of_a_core_with_a_prologue_can_be_pushed(network, store, more):
    pair, blocks = KeyPair.generate(), blocks_of(5)
    tree, _ = MerkleTree().append_blocks(blocks)
    prologue = Prologue(tree.tree_hash(), 5)
    core = Hypercore(key_pair=pair, manifest=Manifest.create(Signer(pair.public_key), prologue=prologue))
    copy = store.get(key=core.key)
    Replicator.of(copy.state).set_push(True)
    end = network.connect(store, SingleCore(core))
    network.run()
    end.is_held = True
    core.append(blocks)
    if more:
        core.append(blocks_of(more))
    push(core, 4)
    end.is_held = False
    network.run()
    assert end.error is None
    assert copy.length == 5 + more
    download(network, copy)
    assert_equal(copy, core)


def test_who_does_not_take_it_is_not_pushed_to(network, core, copy):
    Replicator.of(copy.state).set_push(False)
    network.run()
    assert push(core, 7) == 0


def test_what_is_pushed_to_one_who_does_not_take_it_is_ignored(network, store, core):
    copy = store.get(key=core.key)
    peer = PlayedServer(core)
    end = network.connect_to(store, peer)
    network.run()
    peer.say(Data(PROBE, core.proof(ProofRequest(block=NodeRequest(3, 4)))))
    network.run()
    assert list(copy.stored_ranges()) == []
    assert end.error is None


def test_what_is_not_here_cannot_be_pushed(core, copy):
    with pytest.raises(BlockNotAvailable):
        push(core, COUNT)


@pytest.mark.parametrize("length", [1, 5, 16, COUNT])
def test_a_block_is_proven_up_to_our_own_roots_to_one_who_is_longer(network, store, length):
    core = writer_of(blocks_of(length), store)
    peer = PlayedServer(core)
    network.connect_to(store, peer)
    network.run()
    peer.say(peer.sync(length=COUNT + 1, can_upgrade=False, downloading=True, allow_push=True))
    network.run()
    assert push(core, 0) == 1
    network.run()
    (data,) = peer.heard_of(Data)
    root = verify_proof(core.state.tree, data.proof).root
    assert root == core.state.tree.roots[0]


@pytest.mark.parametrize(("pruned", "takers"), [(0, 2), (8, 1)])
def test_who_cannot_be_shown_a_block_is_left_out(network, store, pruned, takers):
    """A node is pruned that leads from the length of one peer to the block; the other needs another one."""
    core = writer_of(blocks_of(COUNT), store)
    for length in (5, 8):
        peer = PlayedPeer([core.key])
        network.connect_to(store, peer)
        network.run()
        peer.say(Sync(0, length, COUNT, False, True, True, False, True))
    network.run()
    core.clear_ranges([(0, pruned)], prune=True)
    assert push(core, 17) == takers


def test_no_block_stands_in_the_place_of_a_root_of_a_whole_tree(network, store):
    """Version 11, if it has the tree already, takes such a one for another and gives the core up for good."""
    core = writer_of(blocks_of(COUNT), store)
    peer = PlayedPeer([core.key])
    network.connect_to(store, peer)
    network.run()
    peer.say(Sync(0, 0, 0, False, True, True, False, True))
    network.run()
    assert push(core, 3) == push(core, 4) == 1
    network.run()
    tree, *blocks = [data.proof for data in peer.heard_of(Data)]
    assert (tree.block, tree.upgrade.start, tree.manifest) == (None, 0, core.manifest)
    assert [(proof.block.index, proof.upgrade) for proof in blocks] == [(3, None), (4, None)]


def test_a_tree_that_was_just_sent_is_not_pushed_again(network, store):
    core = writer_of(blocks_of(COUNT), store)
    peer = PlayedPeer([core.key])
    network.connect_to(store, peer)
    network.run()
    peer.say(Sync(0, 0, 0, False, True, True, False, True))
    peer.say(Request(1, 0, ProofRequest(upgrade=UpgradeRequest(0, COUNT)), manifest=True))
    network.run()
    push(core, 3)
    core.append([b"more"] * 2)
    push(core, COUNT)
    push(core, COUNT + 1)
    network.run()
    pushed = [data.proof for data in peer.heard_of(Data) if data.request == PROBE]
    upgrades = [proof.upgrade and (proof.upgrade.start, proof.upgrade.length) for proof in pushed]
    assert upgrades == [None, (COUNT, 2), None]


def test_a_push_that_is_late_is_not_the_peers_fault(network, store, core):
    """It was made for a tree that is no longer the one here."""
    copy = store.get(key=core.key)
    Replicator.of(copy.state).set_push(True)
    peer = PlayedServer(core)
    end = network.connect_to(store, peer)
    network.run()
    stale = core.proof(ProofRequest(block=NodeRequest(3), upgrade=UpgradeRequest(0, COUNT)))
    peer.say(Data(PROBE, stale), Data(PROBE, stale))
    other_fork = core.proof(ProofRequest(block=NodeRequest(5, 4)))
    other_fork.fork = 7
    peer.say(Data(PROBE, other_fork))
    network.run()
    assert end.error is None
    assert list(copy.stored_ranges()) == [(3, 4)]
    assert copy.audit() == []


@pytest.mark.parametrize("lie", ["value", "node", "signature"])
def test_who_pushes_a_lie_is_sent_away(network, store, core, lie):
    copy = store.get(key=core.key)
    Replicator.of(copy.state).set_push(True)
    peer = PlayedServer(core, lambda request, true: None)
    end = network.connect_to(store, peer)
    network.run()
    proof = core.proof(ProofRequest(block=NodeRequest(3), upgrade=UpgradeRequest(0, COUNT)))
    if lie == "value":
        proof.block.value += b"!"
    elif lie == "node":
        proof.upgrade.nodes[-1] = Node(proof.upgrade.nodes[-1].index, 5, bytes(32))
    else:
        proof.upgrade.signature = bytes(len(proof.upgrade.signature))
    peer.say(Data(PROBE, proof))
    network.run()
    assert "pushed block" in str(end.error)
    assert copy.length == 0
    assert list(copy.stored_ranges()) == []


def test_a_storage_that_fails_loses_the_push_and_nothing_else(network, faulty_reader, faulty, core):
    copy = faulty_reader.get(key=core.key)
    Replicator.of(copy.state).set_push(True)
    end = network.connect(faulty_reader, SingleCore(core))
    network.run()
    error = StorageError("the disk is full")
    with faulty.failing(error):
        push(core, 3)
        network.run()
    assert end.reported == [error]
    assert end.error is None
    push(core, 3)
    network.run()
    assert list(copy.stored_ranges()) == [(3, 4)]


# --- messages of applications -------------------------------------------------------------------------------


def listen(core, name):
    heard = []
    Replicator.of(core.state).listeners.setdefault(name, []).append(
        lambda message, peer: heard.append(message)
    )
    return heard


def test_messages_arrive_in_their_order_and_under_their_names(network, core, copy):
    one, other = listen(copy, "one"), listen(copy, "other")
    replicator = Replicator.of(core.state)
    for number in range(3):
        assert replicator.broadcast("one", b"%d" % number) == 1
        replicator.broadcast("other", b"%d" % (10 + number))
        replicator.broadcast("nobody", b"")
    network.run()
    assert one == [b"0", b"1", b"2"]
    assert other == [b"10", b"11", b"12"]


def test_as_many_messages_arrive_as_are_sent(network, core, copy):
    heard = listen(copy, "much")
    for number in range(5000):
        Replicator.of(core.state).broadcast("much", b"%d" % number)
    network.run()
    assert len(heard) == 5000


def test_a_message_is_answered_to_who_sent_it(network, core, copy):
    heard = listen(copy, "echo")
    Replicator.of(core.state).listeners["echo"] = [lambda message, peer: peer.extend("echo", message * 2)]
    Replicator.of(copy.state).broadcast("echo", b"hello")
    network.run()
    assert heard == [b"hellohello"]


def test_a_message_without_a_name_has_that_of_the_one_before(network, store, core):
    copy = store.get(key=core.key)
    heard = listen(copy, "name")
    peer = PlayedServer(core)
    network.connect_to(store, peer)
    network.run()
    peer.say(Extension("", b"too early"), Extension("name", b"1"), Extension("", b"2"), Extension("x", b""))
    peer.say(Extension("", b"not ours"), Extension("name", b"3"))
    network.run()
    assert heard == [b"1", b"2", b"3"]


def test_a_listener_that_raises_is_reported_and_ends_nothing(network, core, copy_of):
    copy, end = copy_of(core)

    def fail(message, peer):
        raise ValueError(message.decode())

    Replicator.of(copy.state).listeners["name"] = [fail]
    heard = listen(copy, "name")
    want = begin_download(copy)
    for message in (b"1", b"2"):
        Replicator.of(core.state).broadcast("name", message)
    network.run()
    assert [str(error) for error in end.reported] == ["1", "2"]
    assert heard == [b"1", b"2"]
    assert want.is_done
    assert end.error is end.other.error is None


def test_one_who_answers_and_raises_is_reported_and_ends_nothing(network, core, copy_of):
    copy, end = copy_of(core)

    class Failing:
        def answer(self, message):
            raise ValueError(message.decode())

    failing = Failing()
    core.answer_messages("name", failing.answer)
    Replicator.of(copy.state).broadcast("name", b"1")
    download(network, copy)
    assert [str(error) for error in end.other.reported] == ["1"]
    assert end.error is end.other.error is None


def test_a_message_that_is_too_long_is_refused_where_it_is_sent(network, core, copy):
    with pytest.raises(BadArgument):
        Replicator.of(core.state).broadcast("name", bytes(1 << 24))
    with pytest.raises(BadArgument):
        Replicator.of(core.state).broadcast("n" * 2000, b"")


class Answerer:
    def __init__(self):
        self.asked = []

    def answer(self, message):
        self.asked.append(message)
        return [message[::-1]]


def test_who_asks_much_is_not_answered_all_of_it(network, store, core):
    """To answer may take long; what is asked are hints that nobody depends on."""
    answerer = Answerer()
    with Corestore() as other:
        own = writer_of(blocks_of(3), other)
        own.answer_messages("ask", answerer.answer)
        peer = PlayedServer(own)
        network.connect_to(other, peer)
        network.run()
        peer.say(*[Extension("ask", b"%d" % number) for number in range(1000)])
        network.run()
        assert 0 < len(answerer.asked) < 1000
        assert len(peer.heard_of(Extension)) == len(answerer.asked)
        network.wait(2)
        peer.say(Extension("ask", b"again"))
        network.run()
        assert peer.heard_of(Extension)[-1] == Extension("ask", b"niaga")
