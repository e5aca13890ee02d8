"""Fetching blocks from one peer."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Corestore, Hypercore, KeyPair
from hypercore.manifest import Manifest, Prologue, Signer
from hypercore.merkle import MerkleTree
from hypercore.replication import Download, Replicator, SingleCore
from hypercore.wire import Cancel, Data, Range, Request, Sync, Unwant, Want
from tests.hypercore.replication.copying import (
    assert_equal,
    begin_download,
    begin_get,
    blocks_of,
    download,
    writer_of,
)
from tests.hypercore.replication.network import Network, messages_in

SHAPES = {
    "one": [b"block"],
    "one-empty": [b""],
    "all-empty": [b""] * 200,
    "some-empty": [b"x" * (index % 3) for index in range(200)],
    "of-mixed-sizes": [bytes([index % 251]) * (index * index % 7001) for index in range(300)],
    "large": [bytes([index]) * 100_000 for index in range(70)],
    "one-large-among-small": [
        bytes([index % 251]) * (900_000 if index == 40 else 10) for index in range(130)
    ],
    "an-uneven-number": blocks_of(1013),
}


@pytest.mark.parametrize("blocks", SHAPES.values(), ids=SHAPES)
def test_all_blocks_come_and_each_is_asked_for_once(network, copy_of, blocks):
    core = writer_of(blocks)
    copy, end = copy_of(core)
    download(network, copy)
    assert_equal(copy, core)
    assert end.asked() == Counter(range(len(blocks)))


@pytest.mark.parametrize("piece", [1, 1000])
def test_all_blocks_come_however_the_bytes_are_cut(network, copy_of, piece):
    core = writer_of(blocks_of(300))
    copy, _ = copy_of(core, piece=piece)
    download(network, copy)
    assert_equal(copy, core)


@given(st.integers(1, 300), st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=5))
def test_any_ranges_come_and_nothing_else_and_nothing_twice(count, ranges):
    network = Network()
    core, store = writer_of(blocks_of(count)), Corestore()
    copy = store.get(key=core.key)
    end = network.connect(store, SingleCore(core))
    network.run()
    wanted: set[int] = set()
    for one, other in ranges:
        first, last = sorted((min(one, count), min(other, count)))
        wanted |= set(range(first, last))
        want = begin_download(copy, first, last)
    network.run()
    assert not ranges or want.is_done
    assert end.asked() == Counter(wanted)
    assert {index for index in range(count) if copy.has(index)} == wanted
    assert copy.audit() == []


def test_a_linear_download_comes_in_order(network, store):
    core = writer_of(blocks_of(1000))
    copy = store.get(key=core.key)
    end = network.connect(store, SingleCore(core))
    network.run()
    want = begin_download(copy, 100, 900, linear=True)
    network.run()
    assert want.is_done
    assert [request.proof.block.index for request in end.said(Request) if request.proof.block] == list(
        range(100, 900)
    )


def test_a_download_without_an_end_follows_the_core(network, copy_of):
    core = writer_of(blocks_of(5))
    copy, _ = copy_of(core)
    want = Download(copy.state, 2, None)
    Replicator.of(copy.state).add(want)
    for _ in range(3):
        network.run()
        assert copy.has(2, core.length)
        core.append(blocks_of(3))
    assert not want.is_done


def test_a_download_beyond_the_end_is_done_when_the_core_has_grown(network, copy_of):
    core = writer_of(blocks_of(5))
    copy, _ = copy_of(core)
    want = begin_download(copy, 0, 7)
    network.run()
    assert not want.is_done
    core.append(blocks_of(2))
    network.run()
    assert want.is_done


def test_what_was_downloaded_and_cleared_can_be_downloaded_again(network, copy_of):
    core = writer_of(blocks_of(100))
    copy, _ = copy_of(core)
    for _ in range(3):
        download(network, copy)
        copy.clear(0, 100)
    download(network, copy)
    assert_equal(copy, core)


def test_downloads_of_the_same_blocks_share_them(network, copy_of):
    core = writer_of(blocks_of(100))
    copy, end = copy_of(core)
    wants = [begin_download(copy), begin_download(copy, 50, 100), begin_get(copy, 60), begin_get(copy, 60)]
    network.run()
    assert all(want.is_done for want in wants)
    assert end.asked() == Counter(range(100))


def test_a_block_that_somebody_waits_for_is_urgent(network, copy_of):
    core = writer_of(blocks_of(100))
    copy, end = copy_of(core)
    want = begin_get(copy, 77)
    network.run()
    assert want.is_done
    (request,) = [request for request in end.said(Request) if request.proof.block]
    assert request.priority == 1
    assert list(copy.stored_ranges()) == [(77, 78)]


def test_a_block_that_is_here_is_not_waited_for(network, copy_of):
    core = writer_of(blocks_of(10))
    copy, _ = copy_of(core)
    download(network, copy)
    assert begin_get(copy, 3).is_done


def test_a_block_behind_the_end_is_waited_for(network, copy_of):
    core = writer_of(blocks_of(10))
    copy, _ = copy_of(core)
    want = begin_get(copy, 12)
    network.run()
    assert not want.is_done
    core.append(blocks_of(3))
    network.run()
    assert want.is_done


def test_what_is_wanted_before_there_is_a_connection_is_fetched_with_it(network, store):
    core = writer_of(blocks_of(100))
    copy = store.get(key=core.key)
    want, other = begin_download(copy, 0, 100), begin_get(copy, 5)
    network.connect(store, SingleCore(core))
    network.run()
    assert want.is_done
    assert other.is_done


def test_that_all_blocks_are_here_is_told_at_the_end(network, copy_of):
    core = writer_of(blocks_of(200))
    copy, end = copy_of(core)
    end.forget()
    download(network, copy)
    assert end.said(Range) == [Range(False, 0, 200)]


# --- giving up ----------------------------------------------------------------------------------------------


def test_what_is_given_up_is_cancelled_at_once(network, copy_of):
    core = writer_of(blocks_of(2000))
    copy, end = copy_of(core)
    end.other.is_held = True
    want, other = begin_download(copy), begin_get(copy, 1500)
    network.run()
    asked = {request.id for request in end.said(Request)}
    for each in (want, other):
        Replicator.of(copy.state).give_up(each)
    network.run()
    cancelled = {cancel.request for cancel in end.said(Cancel)}
    assert cancelled
    assert cancelled <= asked
    end.other.is_held = False
    network.run()
    assert len(end.other.said(Data)) < 200
    assert end.error is end.other.error is None


def test_what_comes_after_it_was_given_up_does_no_harm(network, copy_of):
    core = writer_of(blocks_of(2000))
    copy, end = copy_of(core)
    want = begin_download(copy)
    for _ in range(6):
        end.step()
        end.other.step()
    Replicator.of(copy.state).give_up(want)
    network.run()
    download(network, copy)
    assert_equal(copy, core)
    assert end.error is None


def test_one_download_goes_on_when_another_is_given_up(network, copy_of):
    core = writer_of(blocks_of(2000))
    copy, end = copy_of(core)
    want, other = begin_download(copy, 0, 1000), begin_download(copy, 500, 2000)
    end.step()
    Replicator.of(copy.state).give_up(want)
    network.run()
    assert other.is_done
    assert copy.has(500, 2000)


# --- large blocks -------------------------------------------------------------------------------------------


def blocks_per_frame(end):
    """Return how many blocks each frame asks for."""
    return [
        sum(
            isinstance(message, Request) and message.proof.block is not None
            for message in messages_in([frame])
        )
        for frame in end.stream.log
    ]


HUGE = 6 << 20


def test_huge_blocks_are_asked_for_one_by_one(network, copy_of):
    core = writer_of([bytes([index]) * HUGE for index in range(5)])
    copy, end = copy_of(core)
    begin_download(copy)
    most = 0
    peer = end.connection.cores[copy.discovery_key].peer
    while end.step() | end.other.step():
        most = max(most, peer.open_questions)
    assert most == 1
    assert_equal(copy, core)
    assert set(end.asked().values()) == {1}


def test_a_huge_block_that_somebody_waits_for_does_not_wait_for_a_download_to_end(network, copy_of):
    blocks = [bytes(20_000)] * 2000
    blocks[1999] = bytes(HUGE)
    core = writer_of(blocks)
    copy, end = copy_of(core)
    download(network, copy, 1998, 1999)  # so that the size of its neighbour is known
    want = begin_download(copy)
    while want.blocks < 200:
        assert end.step() | end.other.step()
    get = begin_get(copy, 1999)
    here: list[int] = []
    get.on_change = lambda: here.append(want.blocks)
    network.run()
    assert want.is_done
    assert here[0] < 1000


def test_what_is_asked_for_together_fits_into_one_answer(network, copy_of):
    """The reference answers the requests of one frame with one frame, which must stay below 16 MiB."""
    core = writer_of([bytes([index]) * (1 << 20) for index in range(40)])
    copy, end = copy_of(core)
    download(network, copy)
    assert max(blocks_per_frame(end)) <= 4
    assert_equal(copy, core)


# --- cores with prologues -----------------------------------------------------------------------------------


def prologue_of(blocks):
    tree, _ = MerkleTree().append_blocks(blocks)
    return Prologue(tree.tree_hash(), tree.length)


@pytest.mark.parametrize("more", [0, 1, 20])
def test_a_core_with_a_prologue_is_copied(network, store, more):
    pair = KeyPair.generate()
    blocks = blocks_of(5)
    manifest = Manifest.create(Signer(pair.public_key), prologue=prologue_of(blocks))
    core = Hypercore(key_pair=pair, manifest=manifest)
    core.append(blocks)
    if more:
        core.append(blocks_of(more))
    copy = store.get(key=core.key)
    end = network.connect(store, SingleCore(core))
    network.run()
    download(network, copy)
    assert end.error is None
    assert_equal(copy, core)
    core.append(b"even more")
    network.run()
    download(network, copy)
    assert_equal(copy, core)


def test_nothing_is_said_when_there_is_nothing_to_say(network, copy_of):
    core = writer_of(blocks_of(10))
    copy, end = copy_of(core)
    download(network, copy)
    end.forget()
    download(network, copy)
    assert end.said() == []
    assert [kind for kind in (Sync, Want, Unwant) if end.said(kind)] == []
