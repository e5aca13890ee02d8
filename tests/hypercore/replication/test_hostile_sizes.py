"""Peers that lie about the sizes of nodes, which are proven only together with their siblings'."""

import pytest

from hypercore import Corestore
from hypercore.merkle import Node
from hypercore.replication import SingleCore
from tests.hypercore.replication.copying import assert_equal, begin_download, blocks_of, writer_of
from tests.hypercore.replication.played import PlayedServer, only


def shifting(by, *, answers_blocks=False):
    """Return an answer with sizes of siblings that only fit together, and perhaps without blocks."""

    def answer(request, true):
        if only(request.proof) == "block" and not answers_blocks:
            return None
        if only(request.proof) == "hash":
            first, second = true.proof.hash.nodes[:2]
            shift = min(by, second.size) if by > 0 else -min(-by, first.size)
            true.proof.hash.nodes[:2] = [
                Node(first.index, first.size + shift, first.hash),
                Node(second.index, second.size - shift, second.hash),
            ]
        return true

    return answer


SHIFTS = pytest.mark.parametrize("by", [1, -1, 10**9, -(10**9)], ids=["more", "less", "all", "nothing"])


@SHIFTS
def test_sizes_that_one_lied_about_are_not_held_against_another(network, store, by):
    core = writer_of(blocks_of(1000))
    network.connect_to(store, PlayedServer(core, shifting(by)))
    copy = store.get(key=core.key)
    network.run()
    want = begin_download(copy)
    network.run()
    assert not want.is_done
    honest = network.connect(store, SingleCore(core))
    network.wait(60)
    assert want.is_done
    assert honest.error is None
    assert_equal(copy, core)


@SHIFTS
def test_sizes_that_are_wrong_are_put_right_by_the_blocks(network, store, by):
    core = writer_of(blocks_of(1000))
    end = network.connect_to(store, PlayedServer(core, shifting(by, answers_blocks=True)))
    copy = store.get(key=core.key)
    network.run()
    want = begin_download(copy)
    network.run()
    assert want.is_done
    assert end.error is None
    assert_equal(copy, core)


@SHIFTS
def test_wrong_sizes_that_were_stored_are_put_right_later(network, by):
    core = writer_of(blocks_of(200))
    store = Corestore()
    end = network.connect_to(store, PlayedServer(core, shifting(by)))
    copy = store.get(key=core.key)
    network.run()
    begin_download(copy)
    network.run()
    end.close()
    assert list(copy.stored_ranges()) == []
    honest = network.connect(store, SingleCore(core))
    network.run()
    assert honest.error is None
    assert_equal(copy, core)


def test_blocks_that_are_much_too_long_end_the_connection_before_they_fill_the_memory(network, store):
    core = writer_of(blocks_of(1000))
    sent = []

    def answer(request, true):
        if only(request.proof) == "block":
            sent.append(request.id)
            true.proof.block.value = bytes(3 << 20)
            return true if len(sent) <= 8 else None
        return true

    end = network.connect_to(store, PlayedServer(core, answer))
    copy = store.get(key=core.key)
    network.run()
    begin_download(copy)
    network.run()
    assert "longer than the tree says" in str(end.error)
    assert list(copy.stored_ranges()) == []


def test_subtrees_that_turn_out_to_be_large_wait_for_each_other(network, store):
    large, small = [bytes(60_000)] * 512, [b""] * 20_000
    core = writer_of(large + small)
    end = network.connect(store, SingleCore(core))
    copy = store.get(key=core.key)
    network.run()
    want = begin_download(copy, 0, 600, linear=True)
    peer = end.connection.cores[copy.discovery_key].peer
    most = 0
    while not want.is_done:
        assert end.step() | end.other.step()
        most = max(most, peer.open_bytes)
    assert most <= 8 << 20
    assert max(end.asked().values()) == 1
    assert copy.has(0, 600)
