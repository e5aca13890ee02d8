"""Learning how long a core is: for which peers that waits, and for which it does not."""

import pytest

from hypercore import Corestore
from hypercore.replication import SingleCore
from hypercore.wire import NoData, Request
from tests.hypercore.replication.copying import begin_update, blocks_of, download, writer_of
from tests.hypercore.replication.played import PlayedPeer, PlayedServer, only


@pytest.fixture
def core():
    return writer_of(blocks_of(8))


@pytest.fixture
def copy(store, core):
    return store.get(key=core.key)


def silent_about(*parts):
    return lambda request, answer: None if only(request.proof) in parts else answer


def refusing(*parts):
    return lambda request, answer: NoData(request.id, 1) if only(request.proof) in parts else answer


def test_without_peers_it_waits_for_one(network, store, core, copy):
    want = begin_update(copy)
    network.wait(100)
    assert not want.is_done
    network.connect(store, SingleCore(core))
    network.run()
    assert want.is_done
    assert copy.length == 8


def test_it_waits_for_a_length_that_a_peer_can_prove(network, store, core, copy):
    end = network.connect(store, SingleCore(core))
    want = begin_update(copy)
    while not want.is_done:
        assert end.step() | end.other.step()
    assert copy.length == 8


def test_it_is_over_at_once_where_nobody_has_more(network, store, core, copy):
    network.connect(store, SingleCore(core))
    network.run()
    assert begin_update(copy).is_done


def test_it_is_over_at_once_where_somebody_has_less(network, store, core, copy):
    end = network.connect(store, SingleCore(core))
    network.run()
    end.close()
    other = Corestore()
    other.get(key=core.key)
    network.connect(other, store)
    network.run()
    assert begin_update(copy).is_done


def test_it_does_not_wait_for_what_a_peer_cannot_prove(network, store, core, copy):
    """The peer has lost the nodes that lead from our length to its own."""
    end = network.connect(store, SingleCore(core))
    download(network, copy)
    end.close()
    core.append(blocks_of(5))
    with core:
        core.clear_ranges([(0, 8)], prune=True)
        core.append(blocks_of(3))
        core.clear_ranges([(0, 16)], prune=True)
        network.connect(store, SingleCore(core))
        network.run()
        assert copy.length == 8
        assert begin_update(copy).is_done


@pytest.mark.parametrize("answer", [silent_about("upgrade"), refusing("upgrade")], ids=["silent", "refusing"])
def test_it_does_not_wait_for_ever_for_one_who_proves_nothing(network, store, core, copy, answer):
    network.connect_to(store, PlayedServer(core, answer))
    want = begin_update(copy)
    network.wait(12)
    assert want.is_done
    assert copy.length == 0


def test_it_does_not_wait_for_ever_for_one_who_says_nothing(network, store, core, copy):
    network.connect_to(store, PlayedPeer([core.key]))
    want = begin_update(copy)
    network.run()
    assert not want.is_done
    network.wait(12)
    assert want.is_done


def test_it_does_not_wait_for_ever_for_one_who_claims_all_that_there_can_be(network, store, core, copy):
    peer = PlayedPeer([core.key])
    network.connect_to(store, peer)
    network.run()
    peer.say(PlayedServer(core).sync(0, length=2**53 - 1))
    want = begin_update(copy)
    network.wait(12)
    assert want.is_done


def test_others_prove_what_one_does_not(network, store, core, copy):
    network.connect_to(store, PlayedServer(core, silent_about("upgrade")))
    network.run()
    want = begin_update(copy)
    network.connect(store, SingleCore(core))
    network.run()
    assert not want.is_done
    network.wait(12)
    assert want.is_done
    assert copy.length == 8


def test_one_who_was_late_once_is_waited_for_again(network, store, core, copy):
    is_late = True

    def answer(request, true):
        return None if is_late else true

    peer = PlayedServer(core, answer)
    network.connect_to(store, peer)
    network.wait(12)
    is_late = False
    network.wait(30)
    assert copy.length == 8
    core.append(b"more")
    peer.say(peer.sync(0, can_upgrade=False))
    network.run()
    want = begin_update(copy)
    assert not want.is_done
    peer.say(peer.sync(8))
    network.run()
    assert want.is_done
    assert copy.length == 9


def test_a_length_is_asked_for_once_whatever_is_said_meanwhile(network, store, core, copy):
    asked = []

    def answer(request, true):
        asked.append(request)
        if only(request.proof) == "upgrade":
            return None
        return true

    peer = PlayedServer(core, answer)
    network.connect_to(store, peer)
    network.run()
    for _ in range(5):
        peer.say(peer.sync(0))
    network.run()
    assert [only(request.proof) for request in asked] == ["upgrade"]
    peer.say(peer.true_answer(asked[0]))
    network.run()
    assert copy.length == 8


def test_what_is_told_is_proven_without_being_asked_for(network, store, core, copy):
    network.connect(store, SingleCore(core))
    network.run()
    core.append(b"more")
    network.run()
    assert copy.length == 9


def test_a_core_that_nobody_uses_is_not_kept_up_to_date(network, store, core, copy):
    end = network.connect(store, SingleCore(core))
    network.run()
    end.close()
    copy.close()
    core.append(b"more")
    peer = PlayedServer(core)
    network.connect_to(store, peer)
    network.run()
    assert peer.heard_of(Request) == []


def test_an_answer_without_the_manifest_ends_the_connection(network, store, copy, core):
    empty = Corestore().get(name="empty")
    fresh = store.get(key=empty.key)

    def answer(request, true):
        true.proof.manifest = None
        return true

    end = network.connect_to(store, PlayedServer(empty, answer, has=False))
    network.run()
    assert "without the manifest" in str(end.error)
    assert fresh.manifest is None


def test_the_manifest_of_an_empty_core_is_learned(network, store):
    empty = Corestore().get(name="empty")
    copy = store.get(key=empty.key)
    network.connect(store, SingleCore(empty))
    network.run()
    assert copy.manifest == empty.manifest


def test_the_manifest_of_another_core_ends_the_connection(network, store, core):
    empty = Corestore().get(name="empty")
    copy = store.get(key=empty.key)

    def answer(request, true):
        true.proof.manifest = core.manifest
        return true

    end = network.connect_to(store, PlayedServer(empty, answer, has=False))
    network.run()
    assert "manifest" in str(end.error)
    assert copy.manifest is None
