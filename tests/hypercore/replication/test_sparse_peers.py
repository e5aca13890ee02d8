"""Finding out which blocks a peer has that does not have all."""

import time
from collections import Counter

import pytest

from hypercore import Corestore
from hypercore.replication import Replicator, SingleCore
from hypercore.replication.peer import BLOCKS_PER_WANT
from hypercore.wire import Bitfield, NoData, Range, Request, Unwant, Want
from tests.hypercore.replication.copying import (
    assert_equal,
    begin_download,
    begin_get,
    blocks_of,
    download,
    writer_of,
)
from tests.hypercore.replication.forged import ForgedPeer

LONGEST = 1 << 52  # the last that has a root with a number that can be sent


@pytest.fixture
def sparse(network, store):
    """Connect a copy to another copy that has some ranges of the blocks."""

    def sparse(count, *ranges):
        core = writer_of(blocks_of(count))
        other = Corestore()
        seed = other.get(key=core.key)
        end = network.connect(other, SingleCore(core))
        network.run()
        for first, last in ranges:
            download(network, seed, first, last)
        end.close()
        copy = store.get(key=core.key)
        end = network.connect(store, other)
        network.run()
        return core, seed, copy, end

    return sparse


def test_what_a_peer_has_is_asked_about_once_and_fetched(network, sparse):
    _, _, copy, end = sparse(1000, (100, 200), (700, 701))
    want = begin_download(copy)
    network.run()
    assert list(copy.stored_ranges()) == [(100, 200), (700, 701)]
    assert end.said(Want) == [Want(0, BLOCKS_PER_WANT)]
    assert end.asked() == Counter([*range(100, 200), 700])
    assert not want.is_done


def test_what_a_peer_gets_later_is_fetched_then(network, sparse):
    core, seed, copy, _ = sparse(1000, (100, 200))
    want = begin_download(copy)
    network.run()
    network.connect(SingleCore(seed), SingleCore(core))
    download(network, seed, 0, 150)
    network.run()
    assert copy.has(0, 200)
    download(network, seed)
    network.run()
    assert want.is_done
    assert_equal(copy, core)


def test_a_peer_without_the_block_is_asked_whether_it_has_it(network, sparse):
    _, _, copy, end = sparse(1000, (100, 101))
    want, other = begin_get(copy, 100), begin_get(copy, 500)
    network.run()
    assert want.is_done
    assert not other.is_done
    assert end.said(Want) == [Want(0, BLOCKS_PER_WANT)]


def test_of_a_peer_that_has_all_nothing_is_asked(network, sparse):
    _, _, copy, end = sparse(1000, (0, 1000))
    download(network, copy)
    begin_get(copy, 1000)
    network.run()
    assert end.said(Want) == []


def test_when_nothing_is_wanted_any_more_the_peer_is_told(network, sparse):
    _, _, copy, end = sparse(1000, (100, 101))
    want = begin_download(copy)
    network.run()
    Replicator.of(copy.state).give_up(want)
    network.run()
    assert end.said(Unwant) == [Unwant(0, BLOCKS_PER_WANT)]


def test_after_blocks_have_gone_here_their_stretch_is_asked_about_anew(network, sparse):
    """A peer that thought that they were here may have got them, and not told."""
    _, _, copy, end = sparse(1000, (100, 200))
    begin_download(copy)
    network.run()
    end.forget()
    copy.clear(150, 160)
    network.run()
    assert end.said(Unwant) == [Unwant(0, BLOCKS_PER_WANT)]
    assert end.said(Want) == [Want(0, BLOCKS_PER_WANT)]
    assert end.asked() == Counter(range(150, 160))


def test_after_a_peer_has_gone_over_to_another_fork_its_blocks_are_asked_about_anew(network, sparse):
    """Version 10 does not tell of blocks that it thinks to be here, too, as they were in the fork before."""
    core, seed, copy, end = sparse(1000, (100, 200))
    want = begin_download(copy, 0, 150)
    network.run()
    end.forget()
    core.truncate(150)
    network.connect(SingleCore(seed), SingleCore(core))
    network.run()
    assert copy.fork == 1
    assert end.said(Unwant)[0] == Unwant(0, BLOCKS_PER_WANT)
    assert end.said(Want)[0] == Want(0, BLOCKS_PER_WANT)
    assert not want.is_done


# --- long cores ---------------------------------------------------------------------------------------------


class SparsePeer(ForgedPeer):
    """Has the sixth block of every page of a long core, and tells of no more than it is asked about."""

    def __init__(self, length, pages=64):
        super().__init__(length, self.tell)
        words = bytearray(BLOCKS_PER_WANT // 8)
        words[: 4096 * pages : 4096] = b"\x20" * pages
        self.words = bytes(words)
        self.wanted: set[int] = set()
        self.most = 0
        self.refuses = True

    def tell(self, message):
        if isinstance(message, Unwant):
            self.wanted.remove(message.start)
        elif isinstance(message, Want):
            self.wanted.add(message.start)
            self.most = max(self.most, len(self.wanted))
            count = min(BLOCKS_PER_WANT, self.tree.length - message.start)
            self.say(Bitfield(message.start, self.words[: count // 8]))
        elif isinstance(message, Request) and self.refuses:
            self.say(NoData(message.id, 1))

    def asked(self):
        """Return the stretches of which blocks were asked for."""
        requests = [message.proof for message in self.heard_of(Request)]
        leaves = [proof.hash.index // 2 for proof in requests if proof.hash]
        blocks = [proof.block.index for proof in requests if proof.block]
        return {block // BLOCKS_PER_WANT for block in leaves + blocks}


@pytest.mark.parametrize("stretches", [1, 16, 17, 50])
def test_however_long_a_core_is_all_that_a_peer_has_of_it_is_asked_for(network, store, stretches):
    peer = SparsePeer(stretches * BLOCKS_PER_WANT)
    copy = store.get(key=peer.key)
    end = network.connect_to(store, peer)
    network.run()
    begin_download(copy)
    network.wait(30)
    assert end.error is None
    assert peer.asked() == set(range(stretches))
    assert peer.most <= 16


def test_several_downloads_of_a_long_core_do_not_keep_each_other_from_going_on(network, store):
    peer = SparsePeer(50 * BLOCKS_PER_WANT)
    copy = store.get(key=peer.key)
    network.connect_to(store, peer)
    network.run()
    begin_download(copy)
    begin_download(copy, 0, 100)
    network.wait(8)
    assert peer.asked() == set(range(50))


def test_single_blocks_all_over_a_long_core_are_all_asked_for(network, store):
    peer = SparsePeer(60 * BLOCKS_PER_WANT)
    peer.refuses = False
    copy = store.get(key=peer.key)
    network.connect_to(store, peer)
    network.run()
    for stretch in range(60):
        begin_get(copy, stretch * BLOCKS_PER_WANT + 5)
    network.wait(8)
    assert peer.asked() == set(range(60))
    assert peer.most <= 16


@pytest.mark.parametrize("says", ["nothing", "all", "the-last", "every-other"])
def test_the_longest_core_that_can_be_signed_takes_no_time_to_look_for(network, store, says):
    peer = ForgedPeer(LONGEST)
    copy = store.get(key=peer.key)
    end = network.connect_to(store, peer)
    network.run()
    assert copy.length == LONGEST
    if says == "all":
        peer.say(Range(False, 0, LONGEST))
    elif says == "the-last":
        peer.say(Range(False, LONGEST - 1, 1))
    elif says == "every-other":
        peer.say(*[Range(False, number << 40, 1 << 39) for number in range(1, 1 << 12, 2)])
    started = time.process_time()
    begin_download(copy)
    begin_get(copy, LONGEST - 1)
    network.wait(30)
    assert time.process_time() - started < 5
    assert end.error is None
    assert len(peer.heard_of(Want)) < 600
