"""Peers that refuse what they are asked for, or have lost it."""

from collections import Counter

import pytest

from hypercore.replication import SingleCore
from hypercore.wire import NoData, Request
from tests.hypercore.replication.copying import (
    assert_equal,
    begin_download,
    begin_get,
    blocks_of,
    download,
    writer_of,
)
from tests.hypercore.replication.played import PlayedServer, only


def test_blocks_that_a_peer_has_lost_are_not_asked_for_again(network, store):
    core = writer_of(blocks_of(64))
    lost = {3, 17, 40}

    def answer(request, true):
        if request.proof.block is not None and request.proof.block.index in lost:
            return NoData(request.id, 1)
        return true

    peer = PlayedServer(core, answer)
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    want = begin_download(copy)
    network.wait(300)
    assert not want.is_done
    assert [index for index in range(64) if not copy.has(index)] == sorted(lost)
    assert max(end.asked()[index] for index in lost) < 3
    assert end.error is None


@pytest.mark.parametrize("lost", [0, 31, 63])
@pytest.mark.parametrize("is_last", [False, True], ids=["said at once", "said last"])
def test_what_comes_of_a_subtree_is_used_though_the_peer_lacks_one_of_its_blocks(
    network, store, lost, is_last
):
    core = writer_of(blocks_of(64))
    refusals = []

    def answer(request, true):
        if request.proof.block is None or request.proof.block.index != lost:
            return true
        refusals.append(NoData(request.id, 1))
        return None if is_last else refusals[-1]

    peer = PlayedServer(core, answer)
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    want = begin_download(copy)
    network.run()
    if is_last:
        peer.say(*refusals)
        network.run()
    assert want.blocks == 63
    # Of each subtree that is asked for instead one block comes again.
    assert end.asked().total() <= 64 + 6
    other = network.connect(store, SingleCore(core))
    network.run()
    assert want.is_done
    assert other.asked() == Counter([lost])
    assert_equal(copy, core)


def test_blocks_that_come_though_the_peer_said_not_to_have_them_are_taken(network, store):
    core = writer_of(blocks_of(64))
    peer = PlayedServer(core)

    def answer(request, true):
        if request.proof.block is not None and request.proof.block.index % 2 == 0:
            peer.say(NoData(request.id, 1), NoData(request.id, 1))
        return true

    peer.answer = answer
    end = network.connect_to(store, peer)
    download(network, store.get(key=core.key))
    assert end.error is None
    assert end.asked() == Counter(range(64))


def test_what_was_never_asked_of_a_peer_cannot_be_refused(network, store):
    """The root of a subtree is asked for first; before it has come none of the blocks is."""
    core = writer_of(blocks_of(128))
    peer = PlayedServer(core)

    def answer(request, true):
        if only(request.proof) == "hash":
            # Numbers are given in their order: the subtree has that before its root.
            peer.say(*(NoData(request.id - 64 + place, 1) for place in range(64)))
        return true

    peer.answer = answer
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    want = begin_download(copy, 0, 64)
    network.run()
    assert want.is_done
    assert end.asked() == Counter(range(64))


def test_blocks_that_a_peer_clears_while_they_are_asked_for_come_from_it_later(network, copy_of):
    core = writer_of(blocks_of(300))
    copy, end = copy_of(core)
    end.other.is_held = True
    want = begin_download(copy)
    network.run()
    core.clear(100, 200)
    end.other.is_held = False
    network.run()
    assert not want.is_done
    assert want.blocks == 200
    core.append(b"more")
    network.run()
    assert end.error is end.other.error is None


def test_thousands_of_refusals_are_no_error_of_ours(network, store):
    core = writer_of(blocks_of(3000))

    def answer(request, true):
        return NoData(request.id, 1) if only(request.proof) in ("block", "seek") else true

    peer = PlayedServer(core, answer)
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    begin_download(copy)
    network.wait(30)
    assert len(peer.heard_of(Request)) > 3000
    core.append(b"more")
    peer.answer = lambda request, true: NoData(request.id, 1)
    peer.say(peer.sync(3000))
    network.wait(30)
    assert end.error is None


def test_one_who_refuses_everything_is_asked_ever_more_seldom(network, store):
    core = writer_of(blocks_of(10))
    peer = PlayedServer(core, lambda request, true: NoData(request.id, 1))
    end = network.connect_to(store, peer)
    store.get(key=core.key)
    network.wait(3600)
    assert end.error is None
    assert 300 < len(peer.heard_of(Request)) < 700


def test_one_whose_proofs_never_fit_is_sent_away(network, store):
    core = writer_of(blocks_of(10))

    def answer(request, true):
        if only(request.proof) == "block":
            true.proof.block.nodes = true.proof.block.nodes[:-1]
        if only(request.proof) == "hash":
            true.proof.hash.nodes = true.proof.hash.nodes[:-1]
        return true

    end = network.connect_to(store, PlayedServer(core, answer))
    copy = store.get(key=core.key)
    network.run()
    begin_get(copy, 3)
    begin_download(copy)
    network.wait(100)
    assert "do not fit the tree" in str(end.error)
