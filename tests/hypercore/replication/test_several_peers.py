"""Fetching one core from several peers: every block once, and from another one if somebody fails."""

from collections import Counter
from itertools import pairwise

import pytest

from hypercore import Corestore
from hypercore.errors import RequestTimeout
from hypercore.replication import Replicator, SingleCore
from hypercore.wire import Cancel, Data, NoData, Range, Request
from tests.hypercore.replication.copying import (
    assert_equal,
    begin_download,
    begin_get,
    blocks_of,
    download,
    writer_of,
)
from tests.hypercore.replication.played import PlayedServer, only

COUNT = 1000


@pytest.fixture
def core():
    return writer_of(blocks_of(COUNT))


@pytest.fixture
def copy(store, core):
    return store.get(key=core.key)


@pytest.fixture
def seed(network, store, core):
    """Connect another store that has some ranges of the blocks; return our end of the connection."""

    def seed(*ranges):
        other = Corestore()
        seeded = other.get(key=core.key)
        end = network.connect(other, SingleCore(core))
        network.run()
        for first, last in ranges or [(0, COUNT)]:
            download(network, seeded, first, last)
        end.close()
        return network.connect(store, other)

    return seed


def asked_of(ends):
    return sum((end.asked() for end in ends), Counter())


ALL = Counter(range(COUNT))


@pytest.mark.parametrize("number", [2, 3, 5])
def test_several_peers_share_the_work(network, store, number):
    core = writer_of(blocks_of(4000))
    copy = store.get(key=core.key)
    ends = [network.connect(store, SingleCore(core)) for _ in range(number)]
    download(network, copy)
    assert_equal(copy, core)
    assert asked_of(ends) == Counter(range(4000))
    assert min(len(end.asked()) for end in ends) > 4000 // number // 3


@pytest.mark.parametrize(
    "ranges",
    [
        pytest.param([[(0, 500)], [(500, 1000)]], id="halves"),
        pytest.param([[(0, 600)], [(400, 1000)]], id="overlapping"),
        pytest.param(
            [[(number, number + 100) for number in range(offset, 1000, 300)] for offset in (0, 100, 200)],
            id="strips",
        ),
        pytest.param(
            [[(number, number + 1) for number in range(offset, 1000, 2)] for offset in (0, 1)],
            id="even-and-odd",
        ),
        pytest.param([[(0, 999)], [(999, 1000)]], id="all-but-one"),
    ],
)
def test_peers_that_have_a_part_each_give_all_together(network, core, copy, seed, ranges):
    ends = [seed(*each) for each in ranges]
    download(network, copy)
    assert_equal(copy, core)
    assert asked_of(ends) == ALL
    assert all(end.error is None for end in ends)


def test_two_halves_complete_each_other(network, core):
    """Neither is a writer, and each wants what the other has."""
    stores = Corestore(), Corestore()
    copies = []
    for store, (first, last) in zip(stores, [(0, 300), (300, COUNT)], strict=True):
        copy = store.get(key=core.key)
        end = network.connect(store, SingleCore(core))
        network.run()
        download(network, copy, first, last)
        end.close()
        copies.append(copy)
    end = network.connect(*stores)
    network.run()
    wants = [begin_download(copy) for copy in copies]
    network.run()
    assert all(want.is_done for want in wants)
    for copy in copies:
        assert_equal(copy, core)
    assert end.asked() == Counter(range(300, COUNT))
    assert end.other.asked() == Counter(range(300))


def test_blocks_pass_from_one_to_the_next(network, core):
    """A chain: only the first is connected to the writer, and each downloads from the one before."""
    stores = [Corestore() for _ in range(4)]
    copies = [store.get(key=core.key) for store in stores]
    network.connect(stores[0], SingleCore(core))
    for store, other in pairwise(stores):
        network.connect(other, store)
    network.run()
    wants = [begin_download(copy, 0, COUNT) for copy in copies]
    network.run()
    assert all(want.is_done for want in wants)
    for copy in copies:
        assert_equal(copy, core)


def test_one_block_is_asked_of_one_peer(network, copy, seed):
    ends = [seed() for _ in range(4)]
    network.run()
    wants = [begin_get(copy, index) for index in (3, 500, 999)]
    network.run()
    assert all(want.is_done for want in wants)
    assert asked_of(ends) == Counter([3, 500, 999])


# --- peers that fail ----------------------------------------------------------------------------------------


def test_what_one_was_asked_who_leaves_is_asked_of_others(network, core, copy, seed):
    ends = [seed(), seed()]
    network.run()
    want = begin_download(copy)
    ends[0].other.is_held = True
    while len(ends[1].asked()) < 300:
        assert sum(end.step() + end.other.step() for end in ends)
    assert ends[0].said(Request)
    ends[0].close()
    network.run()
    assert want.is_done
    assert_equal(copy, core)
    assert max(ends[1].asked().values()) == 1


def test_what_came_of_one_who_leaves_is_not_asked_for_again(network, core, copy, seed):
    """Cut in the middle of a subtree: its blocks that came are kept, and completed by another peer."""
    first = seed()
    network.run()
    want = begin_download(copy)
    first.piece = 20
    for _ in range(60):
        first.step()
        first.other.step()
    came = len(list(first.other.said(Data)))
    assert came
    first.close()
    second = seed()
    network.run()
    assert want.is_done
    assert_equal(copy, core)
    assert max(second.asked().values()) == 1


def test_what_a_silent_peer_does_not_answer_is_asked_of_another_one(network, store, core, copy, seed):
    asked = []
    silent = PlayedServer(core, lambda request, true: asked.append(request))
    network.connect_to(store, silent)
    end = seed()
    network.run()
    want = begin_download(copy, 0, COUNT)
    network.wait(9)
    assert not want.is_done
    network.wait(3)
    assert want.is_done
    assert_equal(copy, core)
    assert max(end.asked().values()) == 1
    assert asked


def test_a_peer_that_waits_for_what_another_was_asked_is_not_blamed_for_it(network, store, core, copy, seed):
    """Two subtrees hang on one root: it was asked of one who is silent, and the blocks are the other's."""

    def answer(request, true):
        return None if only(request.proof) == "hash" else true

    silent = PlayedServer(core, answer, has=False)
    network.connect_to(store, silent)
    network.run()
    silent.say(Range(False, 0, 64))
    end = seed()
    network.run()
    want = begin_download(copy, 0, 128)
    network.run()
    assert silent.heard_of(Request)[-1].proof.hash is not None
    assert not end.said(Request)
    network.ends.reverse()  # so that its time comes first
    network.wait(12)
    assert want.is_done
    peer = end.connection.cores[copy.discovery_key].peer
    assert peer.strikes == 0
    assert end.error is None


def test_a_peer_that_holds_single_blocks_back_does_not_hold_up_a_download(network, store, core, copy, seed):
    """It answers everything but every tenth block."""

    def answer(request, true):
        block = request.proof.block
        return None if block is not None and block.index % 10 == 0 else true

    network.connect_to(store, PlayedServer(core, answer))
    end = seed()
    network.run()
    want = begin_download(copy)
    network.wait(75)
    assert want.is_done
    assert_equal(copy, core)
    assert max(end.asked().values()) == 1


@pytest.mark.parametrize("part", ["block", "hash"])
def test_a_peer_that_lies_loses_its_connection_and_others_go_on(network, store, core, copy, seed, part):
    def answer(request, true):
        if only(request.proof) == "block":
            true.proof.block.value = true.proof.block.value[::-1] + b"!"
        return true

    def wrong_nodes(request, true):
        if only(request.proof) == "hash":
            for node in true.proof.hash.nodes:
                node.hash = bytes(32)
        return true

    lying = network.connect_to(store, PlayedServer(core, answer if part == "block" else wrong_nodes))
    end = seed()
    download(network, copy)
    assert lying.error is not None
    assert end.error is None
    assert_equal(copy, core)


def test_what_a_liar_was_asked_is_asked_of_others_at_once(network, store, core, copy, seed):
    """It does not even show its tree when it is asked for it."""
    lies: list[Request] = []

    def answer(request, true):
        if only(request.proof) == "upgrade" and request.id == 0:
            return None
        if only(request.proof) == "block" and not lies:
            lies.append(request)
            true.proof.block.value = b"a lie"
            return true
        return true if only(request.proof) != "block" or len(lies) == 0 else None

    network.connect_to(store, PlayedServer(core, answer))
    seed()
    network.run()
    get = begin_get(copy, 5)
    want = begin_download(copy)
    network.run()
    assert lies
    assert get.is_done
    assert want.is_done
    assert_equal(copy, core)


def test_a_peer_that_refuses_all_does_not_hold_up_a_download(network, store, core, copy, seed):
    refusing = PlayedServer(core, lambda request, true: NoData(request.id, 1))
    network.connect_to(store, refusing)
    seed()
    network.run()
    want = begin_download(copy, 0, COUNT)
    network.wait(15)
    assert want.is_done
    assert len(refusing.heard_of(Request)) < 3 * COUNT


def test_peers_that_come_and_go_all_the_time_give_all_in_the_end(network, store, core, copy, seed):
    """Some blocks come from each, and what was on its way is asked for again."""
    ends = []
    want = None
    for number in range(200):
        end = seed() if number % 2 else network.connect(store, SingleCore(core))
        end.piece = end.other.piece = 100
        ends.append(end)
        for _ in range(30 + number):
            end.step()
            end.other.step()
        if want is None and copy.length:
            want = begin_download(copy)
        if want is not None and want.is_done:
            break
        end.close()
    assert want is not None
    assert want.is_done
    assert_equal(copy, core)
    assert all(end.error is None for end in ends)


# --- slow peers ---------------------------------------------------------------------------------------------


def test_a_large_block_that_comes_slowly_is_waited_for(network, store):
    """Two megabytes at 50 kB a second: no message for 40 s, but bytes all the time."""
    core = writer_of([bytes(2_000_000)])
    copy = store.get(key=core.key)
    end = network.connect(store, SingleCore(core))
    network.run()
    want = begin_download(copy)
    end.piece = 50_000
    end.is_held = True
    network.run()
    while end._inbox:
        end.is_held = False
        end.step()
        end.is_held = True
        network.wait(1)
    network.run()
    assert want.is_done
    assert end.asked() == Counter([0])


def test_a_peer_that_drips_is_not_waited_for_for_ever(network, store, core, copy, seed):
    """It sends a frame byte by byte; what it was asked is asked of another one after a minute."""
    slow = network.connect(store, SingleCore(core))
    network.run()
    want = begin_download(copy)
    slow.piece = 1
    slow.is_held = True
    network.run()
    seed()
    for _ in range(70):
        slow.is_held = False
        slow.step()
        slow.is_held = True
        network.wait(1)
    assert want.is_done
    assert_equal(copy, core)


class SlowServer(PlayedServer):
    """It answers one request for a block at a time, when it is told to.

    It forgets what is cancelled, unless that has left it already, and is only on its way.
    """

    def __init__(self, core, *, forgets=True):
        super().__init__(core, self.keep)
        self.forgets = forgets
        self.kept = {}
        self.sent = []

    def keep(self, request, answer):
        if only(request.proof) != "block":
            return answer
        self.kept[request.id] = answer
        return None

    def send_one(self):
        if self.forgets:
            for cancel in self.heard_of(Cancel):
                self.kept.pop(cancel.request, None)
        if self.kept:
            answer = self.kept.pop(next(iter(self.kept)))
            self.sent.append(answer.proof.block.index)
            self.say(answer)


def test_an_idle_peer_takes_over_what_a_much_slower_one_was_asked(network, store, core, copy, seed):
    slow = SlowServer(core)
    end = network.connect_to(store, slow)
    fast = seed()
    network.run()
    want = begin_download(copy, 0, COUNT)
    for _ in range(10):
        network.wait(1)
        slow.send_one()
    network.run()
    assert want.is_done
    assert_equal(copy, core)
    assert slow.sent
    assert not fast.asked().keys() & set(slow.sent[:-1])
    assert max(fast.asked().values()) == max(end.asked().values()) == 1


def test_one_who_is_only_somewhat_faster_takes_nothing_over(network, store, core, copy):
    slow = [SlowServer(core), SlowServer(core)]
    ends = [network.connect_to(store, each) for each in slow]
    network.run()
    want = begin_download(copy)
    while not want.is_done:
        network.wait(1)
        for each in (*slow, slow[0]):
            for _ in range(16):
                each.send_one()
        network.run()
    assert network.now >= 1000 + 488 // 16
    assert asked_of(ends) == ALL


def test_two_slow_peers_take_nothing_over_from_each_other_for_ever(network, store, core, copy):
    slow = [SlowServer(core), SlowServer(core)]
    ends = [network.connect_to(store, each) for each in slow]
    network.run()
    want = begin_download(copy, 0, 64)
    for _ in range(70):
        for each in slow:
            each.send_one()
        network.wait(1)
    assert want.is_done
    assert max(asked_of(ends).values()) <= 3
    assert sum(len(each.sent) for each in slow) < 64 + 8


def test_one_whose_answers_come_too_late_is_not_silent(network, store, core, copy):
    slow = SlowServer(core, forgets=False)
    end = network.connect_to(store, slow)
    network.run()
    given_up = begin_download(copy, 0, 64)
    network.run()
    Replicator.of(copy.state).give_up(given_up)
    want = begin_download(copy, 64, 128)
    for _ in range(40):
        for _ in range(4):
            slow.send_one()
        network.wait(1)
    assert want.is_done
    assert max(end.asked().values()) == 1


def test_one_that_only_says_to_have_all_does_not_keep_a_slow_one_from_finishing(network, store, core, copy):
    """It takes over what the slow one is sending already, and then does not have it."""
    slow = SlowServer(core, forgets=False)
    network.connect_to(store, slow)
    network.run()
    want = begin_download(copy, 0, 256)
    network.run()
    idle = PlayedServer(
        core,
        lambda request, true: true if request.proof.block is None else NoData(request.id, 1),
        has=False,
    )
    end = network.connect_to(store, idle)
    network.run()
    for _ in range(100):
        for _ in range(6):
            slow.send_one()
        idle.say(Range(False, 0, COUNT))
        network.wait(1)
    assert end.asked()
    assert want.is_done
    assert list(copy.read_stream(0, 256)) == list(core.read_stream(0, 256))


def test_without_another_peer_one_that_was_silent_is_asked_again(network, store, core, copy):
    silent = PlayedServer(core, lambda request, true: true if request.proof.upgrade else None)
    network.connect_to(store, silent)
    network.run()
    want = begin_download(copy)
    network.wait(15)
    assert not want.is_done
    silent.answer = lambda request, true: true
    network.wait(60)
    assert want.is_done


def test_a_wish_that_is_given_up_by_time_leaves_nothing(network, store, core, copy):
    network.connect_to(
        store, PlayedServer(core, lambda request, true: true if request.proof.upgrade else None)
    )
    network.run()
    replicator = Replicator.of(copy.state)
    want = begin_download(copy)
    network.wait(5)
    replicator.give_up(want)
    want.finish(RequestTimeout("too late"))
    network.wait(60)
    assert len(replicator._scheduler.questions) == 0
    assert not replicator.exchange.wants
