"""What a peer is told, and when."""

import pytest

from hypercore import Corestore, KeyPair
from hypercore.replication import Replicator, SingleCore
from hypercore.replication.peer import BLOCKS_PER_WANT
from hypercore.wire import Bitfield, Range, Sync, Unwant, Want
from tests.hypercore.replication.copying import blocks_of, download, writer_of
from tests.hypercore.replication.network import Network
from tests.hypercore.replication.played import PlayedPeer


def sync(fork=0, length=0, remote_length=0, **flags):
    known = dict.fromkeys(("can_upgrade", "uploading", "downloading", "has_manifest", "allow_push"), False)
    return Sync(fork, length, remote_length, **(known | flags))


READER = {"uploading": True, "downloading": True}


class Listener:
    """A core in a store, and a peer that listens to what is said of it."""

    def __init__(self, network: Network, core, store: Corestore) -> None:
        self.network, self.core = network, core
        self.peer = PlayedPeer([core.key])
        self.end = network.connect_to(store, self.peer)
        network.run()

    def news(self):
        """Return what came since the last call."""
        self.network.run()
        heard, self.peer.heard = self.peer.heard, []
        return heard

    def say(self, *messages):
        self.peer.say(*messages)
        return self.news()


@pytest.fixture
def listen(network, store):
    """Make a core with blocks, and listen to it."""

    def listen(count=8, *, clear=()):
        core = writer_of(blocks_of(count), store) if count else store.get(name="core")
        for cleared in clear:
            core.clear(*cleared)
        return Listener(network, core, store)

    return listen


# --- when the channel opens ---------------------------------------------------------------------------------


def test_a_peer_is_told_length_and_blocks_in_one_frame(listen):
    listener = listen(8)
    frame = listener.end.stream.log[-1]
    listener.end.stream.log[:] = [frame]
    assert (
        listener.end.said()
        == listener.news()
        == [
            sync(0, 8, 0, can_upgrade=True, uploading=True, downloading=True, has_manifest=True),
            Range(False, 0, 8),
        ]
    )


def test_of_an_empty_core_there_are_no_blocks_to_be_told(listen):
    listener = listen(0)
    assert listener.news() == [sync(can_upgrade=True, uploading=True, downloading=True, has_manifest=True)]


def test_blocks_behind_a_hole_are_not_told(listen):
    assert listen(8, clear=[(3, 4)]).news()[1:] == [Range(False, 0, 3)]


def test_of_another_fork_than_0_nothing_can_be_proven_to_one_of_whom_nothing_is_known(listen, network, store):
    core = writer_of(blocks_of(8), store)
    core.truncate(4)
    assert Listener(network, core, store).news()[0].can_upgrade is False


def test_a_core_that_only_serves_does_not_download(network, store):
    core = writer_of(blocks_of(8), store)
    peer = PlayedPeer([core.key])
    core.close()
    network.connect_to(store, peer)
    network.run()
    assert peer.heard == [
        sync(0, 8, 0, can_upgrade=True, uploading=True, has_manifest=True),
        Range(False, 0, 8),
    ]


def test_a_core_whose_manifest_is_its_key_has_none_to_tell(network, store):
    pair = KeyPair.generate()
    core = store.get(key=pair.public_key, key_pair=pair)
    core.append(b"block")
    assert Listener(network, core, store).news()[0].has_manifest is False


# --- syncs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "is_answered"),
    [
        pytest.param(sync(0, 0, 0, **READER), True, id="shorter"),
        pytest.param(sync(0, 7, 8, **READER), True, id="a-little-shorter"),
        pytest.param(sync(0, 8, 8, **READER), False, id="as-long"),
        pytest.param(sync(0, 9, 8, **READER), False, id="longer"),
        pytest.param(sync(1, 3, 0, **READER), False, id="of-another-fork"),
    ],
)
def test_every_sync_of_a_shorter_peer_is_answered_and_no_other(listen, said, is_answered):
    listener = listen(8)
    listener.say(said)
    for _ in range(3):
        answers = [message for message in listener.say(said) if isinstance(message, Sync)]
        assert len(answers) == is_answered


@pytest.mark.parametrize(
    ("fork", "length", "remote_length", "can_upgrade"),
    [
        pytest.param(0, 0, 0, True, id="nothing"),
        pytest.param(0, 5, 5, True, id="a-part"),
        pytest.param(0, 8, 8, False, id="all"),
        pytest.param(0, 2**53 - 1, 2**53 - 1, False, id="more"),
        pytest.param(1, 5, 0, False, id="another-fork"),
    ],
)
def test_a_sync_acknowledges_the_length_of_a_peer_of_this_fork(
    listen, fork, length, remote_length, can_upgrade
):
    listener = listen(8)
    listener.say(sync(fork, length, **READER))
    listener.core.append(b"one more")
    said = [message for message in listener.news() if isinstance(message, Sync)][-1]
    assert (said.remote_length, said.can_upgrade) == (remote_length, can_upgrade or length == 8)


def test_what_cannot_be_proven_is_not_promised(listen):
    listener = listen(8)
    listener.core.clear_ranges([(0, 4)], prune=True)
    assert not listener.say(sync(0, 3, **READER))[-1].can_upgrade
    assert listener.say(sync(0, 4, **READER))[-1].can_upgrade


def test_two_that_have_the_same_fall_silent(network, store):
    with Corestore() as other:
        core = writer_of(blocks_of(8), store)
        end = network.connect(other, store)
        copy = other.get(key=core.key)
        download(network, copy)
        for side in (end, end.other):
            side.forget()
        network.wait(60)
        assert end.said() == end.other.said() == []


@pytest.mark.parametrize("length", [0, 4, 8, 12])
def test_two_that_cannot_help_each_other_fall_silent(network, length):
    stores = Corestore(), Corestore()
    core = writer_of(blocks_of(8), stores[0])
    copy = stores[1].get(key=core.key)
    end = network.connect(*stores)
    network.run()
    end.close()
    core.append(b"newer")
    core.truncate(length if length < 9 else 8)
    end = network.connect(*stores)
    network.run()
    assert len(end.said(Sync)) < 8
    assert len(end.other.said(Sync)) < 8
    copy.close()


# --- changes of the core ------------------------------------------------------------------------------------


def test_an_append_is_told(listen):
    listener = listen(8)
    listener.say(sync(0, 8, 8, **READER))
    listener.core.append([b"8", b"9"])
    news = listener.news()
    assert sorted(map(type, news), key=str) == [Range, Sync]
    assert Range(False, 0, 10) in news
    assert sync(0, 10, 8, can_upgrade=True, uploading=True, downloading=True, has_manifest=True) in news


def test_a_truncation_is_told_blocks_first(listen):
    listener = listen(8)
    listener.say(sync(0, 8, 8, **READER))
    listener.core.truncate(5)
    assert listener.news() == [
        Range(True, 5, 3),
        sync(1, 5, 0, uploading=True, downloading=True, has_manifest=True),
    ]


def test_cleared_blocks_are_told(listen):
    listener = listen(8)
    listener.news()
    listener.core.clear(2, 4)
    listener.core.clear(6)
    assert listener.news() == [Range(True, 2, 2), Range(True, 6, 1)]


# --- blocks that arrive -------------------------------------------------------------------------------------


@pytest.fixture
def listen_to_a_copy(network, store):
    """Make a core with blocks, and listen to an empty copy of it that is connected to it."""

    def listen(count):
        core = writer_of(blocks_of(count))
        network.connect(store, SingleCore(core))
        copy = store.get(key=core.key)
        network.run()
        listener = Listener(network, copy, store)
        listener.say(sync(0, count, count, **READER))
        return listener

    return listen


def ranges(messages):
    return [(message.start, message.length) for message in messages if isinstance(message, Range)]


def test_a_core_that_becomes_complete_is_told_once_as_a_whole(listen_to_a_copy):
    listener = listen_to_a_copy(300)
    listener.say(Range(False, 0, 300))
    download(listener.network, listener.core)
    assert ranges(listener.news()) == [(0, 300)]


def test_single_blocks_far_from_the_end_are_not_told(listen_to_a_copy):
    listener = listen_to_a_copy(400)
    download(listener.network, listener.core, 10, 20)
    assert ranges(listener.news()) == []


def test_single_blocks_near_the_end_are_told(listen_to_a_copy):
    listener = listen_to_a_copy(400)
    download(listener.network, listener.core, 390, 392)
    assert ranges(listener.news()) == [(390, 2)]


def test_single_blocks_are_told_who_wants_to_know(listen_to_a_copy):
    listener = listen_to_a_copy(400)
    listener.say(Want(0, 15))
    download(listener.network, listener.core, 14, 16)
    download(listener.network, listener.core, 16, 18)
    assert ranges(listener.news()) == [(14, 2)]


def test_who_wants_to_know_no_longer_is_not_told(listen_to_a_copy):
    listener = listen_to_a_copy(400)
    listener.say(Want(0, 20), Want(0, 30), Unwant(0, 20), Unwant(0, 30), Unwant(5, 7))
    download(listener.network, listener.core, 14, 16)
    assert ranges(listener.news()) == []


def test_who_has_a_block_is_not_told_of_it(listen_to_a_copy):
    listener = listen_to_a_copy(400)
    listener.say(Want(0, 400), Range(False, 14, 2), Range(False, 398, 2))
    download(listener.network, listener.core, 14, 18)
    download(listener.network, listener.core, 398)
    assert ranges(listener.news()) == [(16, 2)]


# --- wants --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("want", "answer"),
    [
        pytest.param(Want(0, 8), [Range(False, 0, 8)], id="all"),
        pytest.param(Want(3, 2), [Range(False, 0, 8)], id="some"),
        pytest.param(Want(7, BLOCKS_PER_WANT), [Range(False, 0, 8)], id="beyond-the-end"),
        pytest.param(Want(3, 2, True), [Range(False, 0, 8)], id="any"),
        pytest.param(Want(0, BLOCKS_PER_WANT + 1), [], id="too-long"),
    ],
)
def test_of_a_complete_core_all_blocks_are_told(listen, want, answer):
    listener = listen(8)
    listener.news()
    assert listener.say(want) == answer


def word(*bits):
    return sum(1 << bit for bit in bits).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("want", "answer"),
    [
        pytest.param(Want(0, 3), [Range(False, 0, 3)], id="before-the-hole"),
        pytest.param(
            Want(0, 40), [Bitfield(0, word(*{*range(32)} - {3, 4}) + word(*range(18)))], id="from-the-start"
        ),
        pytest.param(Want(40, 100), [Bitfield(32, word(*range(18)))], id="whole-words-of-what-is-there"),
        pytest.param(Want(33, 31), [Bitfield(32, word(*range(18)))], id="within-a-word"),
        pytest.param(Want(50, 1), [], id="behind-the-end"),
        pytest.param(Want(0, 0), [Range(False, 0, 3)], id="nothing"),
        pytest.param(Want(2, 10, True), [Range(False, 0, 3)], id="any-before-the-hole"),
        pytest.param(Want(3, 40, True), [Range(False, 5, 1)], id="any-behind-the-hole"),
        pytest.param(Want(3, 2, True), [], id="any-in-the-hole"),
        pytest.param(Want(50, 9, True), [], id="any-behind-the-end"),
    ],
)
def test_of_a_core_with_a_hole_the_blocks_that_were_asked_about_are_told(listen, want, answer):
    listener = listen(50, clear=[(3, 5)])
    listener.news()
    assert listener.say(want) == answer


def test_a_bitfield_says_what_is_stored_whatever_the_pages(listen):
    count = 70_000
    listener = listen(count, clear=[(1, 2), (32_767, 32_769), (65_530, 65_600), (69_999, 70_000)])
    listener.news()
    (told,) = listener.say(Want(0, BLOCKS_PER_WANT))
    assert told.start == 0
    assert len(told.words) == 4 * ((count + 31) // 32)
    stored = {8 * place + bit for place, byte in enumerate(told.words) for bit in range(8) if byte >> bit & 1}
    missing = {1, 32_767, 32_768, *range(65_530, 65_600), 69_999}
    assert stored == {*range(count)} - missing


def test_who_wants_to_know_of_thousands_of_stretches_is_sent_away(listen):
    listener = listen(8)
    listener.say(*[Want(start, 1) for start in range(4096)])
    assert listener.end.error is None
    listener.say(Want(4096, 1))
    assert "4096 stretches" in str(listener.end.error)


def test_the_same_stretch_may_be_asked_about_again_and_again(listen):
    listener = listen(8)
    for _ in range(5):
        listener.say(*[Want(0, 8)] * 1000)
    assert listener.end.error is None


# --- what it says of its blocks -----------------------------------------------------------------------------


def test_a_bitfield_that_begins_within_a_word_is_ignored(listen_to_a_copy):
    listener = listen_to_a_copy(400)
    listener.say(Bitfield(16, b"\xff" * 4))
    assert not listener.end.connection.cores[listener.core.discovery_key].peer.blocks.has(16, 17)
    listener.say(Bitfield(32, b"\xff" * 4))
    assert listener.end.connection.cores[listener.core.discovery_key].peer.blocks.has(32, 64)


def test_closing_the_core_is_told_and_ends_the_exchange_with_one_who_wants_nothing(listen):
    listener = listen(8)
    listener.say(sync(0, 8, 8, uploading=True))
    listener.core.close()
    assert listener.news() == [sync(0, 8, 8, uploading=True, has_manifest=True)]
    assert listener.peer.closed == [listener.peer.channel.id]


def test_closing_the_core_does_not_end_the_exchange_with_one_who_wants_something(listen):
    listener = listen(8)
    listener.say(sync(0, 8, 8, **READER))
    listener.core.close()
    assert listener.news() == [sync(0, 8, 8, uploading=True, has_manifest=True)]
    assert listener.peer.closed == []


def test_that_blocks_may_be_pushed_is_told(listen):
    listener = listen(8)
    listener.news()
    Replicator.of(listener.core.state).set_push(True)
    assert [message.allow_push for message in listener.news()] == [True]
    Replicator.of(listener.core.state).set_push(False)
    assert [message.allow_push for message in listener.news()] == [False]
