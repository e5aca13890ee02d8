"""Peers that refuse what they are asked for, or have lost it."""

from hypercore.wire import NoData, Request
from tests.hypercore.replication.copying import begin_download, begin_get, blocks_of, writer_of
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
