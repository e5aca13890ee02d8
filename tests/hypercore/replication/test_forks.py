"""Following a writer that truncates its core."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Corestore
from hypercore.errors import StorageError
from hypercore.merkle import Node
from hypercore.replication import SingleCore
from hypercore.wire import NoData, Range, Request, Sync
from tests.hypercore.replication.copying import (
    assert_equal,
    begin_download,
    begin_get,
    begin_update,
    blocks_of,
    download,
    writer_of,
)
from tests.hypercore.replication.network import Network
from tests.hypercore.replication.played import PlayedServer


@pytest.fixture
def pair(network, store):
    """Make a core with blocks, and an empty copy of it that is connected to it."""

    def pair(count, **options):
        core = writer_of(blocks_of(count))
        copy = store.get(key=core.key)
        end = network.connect(store, SingleCore(core), **options)
        network.run()
        return core, copy, end

    return pair


@pytest.mark.parametrize("length", [1, 3, 4, 8, 12, 15, 16])
@pytest.mark.parametrize("more", [0, 1, 9])
def test_a_reader_keeps_what_both_forks_have(network, pair, length, more):
    core, copy, end = pair(16)
    download(network, copy)
    core.truncate(length)
    if more:
        core.append([b"new %d" % index for index in range(more)])
    end.forget()
    network.run()
    assert (copy.fork, copy.length, copy.contiguous_length) == (1, length + more, length)
    download(network, copy)
    assert_equal(copy, core)
    assert set(end.asked()) == set(range(length, length + more))


def test_a_core_without_blocks_is_not_gone_over_to_before_it_has_some(network, pair):
    core, copy, _ = pair(5)
    download(network, copy)
    core.truncate(0)
    network.run()
    assert (copy.fork, copy.length) == (0, 5)
    core.append(b"anew")
    network.run()
    download(network, copy)
    assert_equal(copy, core)


def test_an_update_does_not_wait_for_a_core_without_blocks(network, pair):
    core, copy, _ = pair(5)
    core.truncate(0)
    network.run()
    want = begin_update(copy)
    network.run()
    assert want.is_done


def test_an_update_waits_for_the_other_fork(network, pair):
    core, copy, end = pair(5)
    end.is_held = True
    core.truncate(3)
    network.run()
    want = begin_update(copy)
    end.is_held = False
    network.run()
    assert want.is_done
    assert copy.fork == 1


def test_several_truncations_are_followed_at_once(network, pair):
    core, copy, end = pair(20)
    download(network, copy)
    end.is_held = True
    for length in (15, 10, 5):
        core.truncate(length)
        core.append([b"fork %d" % core.fork] * 3)
        network.run()
    end.is_held = False
    network.run()
    download(network, copy)
    assert_equal(copy, core)


def test_a_truncation_while_blocks_are_on_their_way_loses_none(network, pair):
    core, copy, end = pair(500)
    want = begin_download(copy, 0, 500)
    end.other.is_held = True
    network.run()
    core.truncate(300)
    core.append([b"new %d" % index for index in range(200)])
    end.other.is_held = False
    network.run()
    assert want.is_done
    assert_equal(copy, core)
    assert end.error is end.other.error is None


def test_blocks_of_the_old_fork_that_come_late_are_not_taken(network, pair, store):
    core, copy, end = pair(8)
    begin_download(copy, 0, 8)
    while not end.said(Request)[-1].proof.block:
        end.step()
        end.other.step()
    end.is_held = True
    network.run()
    core.truncate(6)
    core.append([b"other", b"blocks"])
    network.connect(store, SingleCore(core))
    network.run()
    assert copy.fork == 1
    assert_equal(copy, core)
    end.is_held = False
    network.run()
    assert_equal(copy, core)
    assert end.error is None


def test_a_wish_for_the_manifest_that_crosses_a_truncation_does_not_end_the_connection(network, store):
    core = writer_of(blocks_of(8))
    copy = store.get(key=core.key)
    end = network.connect(store, SingleCore(core))
    while not end.other.is_held:
        end.step()
        end.other.is_held = bool(end.said(Request))
        end.other.step()
    (request,) = end.said(Request)
    assert request.manifest
    core.truncate(5)
    end.other.is_held = False
    network.run()
    assert end.error is None
    download(network, copy)
    assert_equal(copy, core)


def test_a_reader_that_knows_no_manifest_goes_over_to_a_fork_with_it(network, store):
    core = writer_of(blocks_of(8))
    core.truncate(5)
    copy = store.get(key=core.key)
    network.connect(store, SingleCore(core))
    download(network, copy)
    network.run()
    assert_equal(copy, core)


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 40)),
        st.tuples(st.just("truncate"), st.floats(0, 1)),
        st.tuples(st.just("download"), st.floats(0, 1)),
        st.tuples(st.just("run"), st.just(0)),
        st.tuples(st.just("reconnect"), st.just(0)),
    ),
    max_size=12,
)


@given(st.integers(0, 40), OPERATIONS, st.sampled_from([None, 1, 100]))
def test_wherever_and_whenever_a_writer_truncates_a_reader_ends_with_its_blocks(count, operations, piece):
    network = Network()
    core, store = writer_of(blocks_of(count)), Corestore()
    copy = store.get(key=core.key)
    end = network.connect(store, SingleCore(core), piece=piece)
    for number, (operation, amount) in enumerate(operations):
        if operation == "append":
            core.append([b"%d/%d" % (number, index) for index in range(amount)])
        elif operation == "truncate":
            core.truncate(int(amount * core.length))
        elif operation == "download":
            begin_download(copy, int(amount * copy.length), copy.length)
        elif operation == "run":
            network.run()
        else:
            end.close()
            end = network.connect(store, SingleCore(core), piece=piece)
    core.append(b"the last")
    network.run()
    download(network, copy)
    assert_equal(copy, core)
    assert all(each.error is None for each in network.ends)


# --- peers that do not prove their fork ---------------------------------------------------------------------


@pytest.fixture
def forked(network, store):
    """A copy of a core of 8 blocks, and the core, which has another fork of 9 by now."""
    core = writer_of(blocks_of(8))
    copy = store.get(key=core.key)
    end = network.connect(store, SingleCore(core))
    download(network, copy)
    end.close()
    core.truncate(6)
    core.append([b"6", b"7", b"8"])
    return core, copy


def wrong_node(request, answer):
    if request.proof.upgrade:
        node = answer.proof.upgrade.nodes[0]
        answer.proof.upgrade.nodes[0] = Node(node.index, node.size, bytes(32))
    return answer


def wrong_signature(request, answer):
    if request.proof.upgrade:
        signature = answer.proof.upgrade.signature
        answer.proof.upgrade.signature = signature[:20] + bytes([signature[20] ^ 1]) + signature[21:]
    return answer


def no_upgrade(request, answer):
    if request.proof.upgrade:
        answer.proof.upgrade = None
    return answer


def another_fork(request, answer):
    answer.proof.fork += 1
    return answer


def wrong_path(request, answer):
    if request.proof.hash:
        node = answer.proof.hash.nodes[0]
        answer.proof.hash.nodes[0] = Node(node.index, node.size, bytes(32))
    return answer


@pytest.mark.parametrize(
    "lie", [wrong_node, wrong_signature, no_upgrade, another_fork, wrong_path], ids=lambda lie: lie.__name__
)
def test_who_lies_about_a_fork_is_sent_away_and_nothing_is_cut(network, store, forked, lie):
    core, copy = forked
    end = network.connect_to(store, PlayedServer(core, lie))
    network.run()
    assert end.error is not None
    assert (copy.fork, copy.length, copy.contiguous_length) == (0, 8, 8)
    assert copy.audit() == []
    network.connect(store, SingleCore(core))
    network.run()
    download(network, copy)
    assert_equal(copy, core)


@pytest.mark.parametrize("refuses", [True, False], ids=["refuses", "silent"])
def test_who_does_not_prove_its_fork_is_not_waited_for(network, store, forked, refuses):
    core, copy = forked
    network.connect_to(
        store, PlayedServer(core, lambda request, answer: NoData(request.id, 1) if refuses else None)
    )
    network.run()
    network.connect(store, SingleCore(core))
    network.wait(20)
    assert copy.fork == 1
    want = begin_download(copy)
    network.wait(60)
    assert want.is_done
    assert_equal(copy, core)


@pytest.mark.parametrize("refuses", [True, False], ids=["refuses", "silent"])
def test_who_did_not_prove_its_fork_in_time_is_asked_again_later(network, store, forked, refuses):
    core, copy = forked
    asked = []

    def late(request, answer):
        asked.append(network.now)
        if len(asked) > 2:
            return answer
        return NoData(request.id, 1) if refuses else None

    network.connect_to(store, PlayedServer(core, late))
    network.wait(120)
    assert copy.fork == 1
    assert len(asked) < 20


def test_a_fork_that_nobody_can_prove_is_not_asked_for_all_the_time(network, store, forked):
    core, copy = forked
    peer = PlayedServer(core, lambda request, answer: NoData(request.id, 1))
    network.connect_to(store, peer)
    network.wait(600)
    assert copy.fork == 0
    assert 2 <= len(peer.heard_of(Request)) < 100


def test_a_peer_that_leaves_while_its_fork_is_looked_at_is_followed_by_another(network, store, forked):
    core, copy = forked
    silent = network.connect_to(store, PlayedServer(core, lambda request, answer: None))
    network.run()
    network.connect(store, SingleCore(core))
    network.run()
    assert copy.fork == 0
    silent.close()
    network.run()
    assert copy.fork == 1


def test_a_storage_that_fails_while_a_fork_is_taken_over_is_nobody_elses_fault(
    network, faulty_reader, faulty
):
    core = writer_of(blocks_of(8))
    copy = faulty_reader.get(key=core.key)
    end = network.connect(faulty_reader, SingleCore(core))
    download(network, copy)
    core.truncate(3)
    want = begin_get(copy, 20)
    error = StorageError("the disk is full")
    with faulty.failing(error):
        network.run()
    assert end.error is None
    assert end.reported == [error]
    assert want.error is error
    network.wait(30)
    assert copy.fork == 1


def test_the_blocks_that_are_gone_are_told_before_the_fork(network, pair):
    core, copy, end = pair(8)
    download(network, copy)
    end.forget()
    core.truncate(5)
    network.run()
    kinds = [type(message) for message in end.said()]
    assert kinds.index(Range) < kinds.index(Sync)
    assert end.said(Range) == [Range(True, 5, 3)]
    assert [(sync.fork, sync.length) for sync in end.said(Sync)] == [(1, 5)]


@pytest.fixture
def behind(network, stores):
    """Make a core that was truncated, a copy from before, and one with few blocks that knows the new fork."""
    store, other = stores
    core = writer_of(blocks_of(100))
    copy, seed = store.get(key=core.key), other.get(key=core.key)
    end = network.connect(store, SingleCore(core))
    download(network, copy)
    end.close()
    core.truncate(50)
    core.append(blocks_of(20))
    end = network.connect(other, SingleCore(core))
    network.run()
    for index in (10, 60):
        download(network, seed, index, index + 1)
    end.close()
    return core, copy, store, other


def test_a_peer_with_few_blocks_is_asked_only_for_the_way_to_these(network, behind):
    """Version 10 ends the connection when it is asked for a node that it does not have."""
    core, copy, store, other = behind
    end = network.connect(store, other)
    network.run()
    assert {request.proof.hash.index for request in end.said(Request) if request.proof.hash} <= {20, 120}
    assert end.other.said(NoData) == []
    assert copy.fork == 0
    network.connect(store, SingleCore(core))
    network.run()
    assert (copy.fork, copy.length, copy.contiguous_length) == (1, 70, 50)
    download(network, copy)
    assert_equal(copy, core)


def test_a_newer_fork_is_gone_over_to_though_another_one_is_not_finished(network, behind):
    core, copy, store, other = behind
    network.connect(store, other)
    network.run()
    core.truncate(30)
    network.connect(store, SingleCore(core))
    network.run()
    assert (copy.fork, copy.length, copy.contiguous_length) == (2, 30, 30)
