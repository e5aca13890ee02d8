"""Peers that send as much as they can: memory stays bounded, and who asks for it is sent away."""

import pytest

from hypercore import Corestore
from hypercore.encoding import encode_uint
from hypercore.proofs import NodeRequest, ProofRequest
from hypercore.replication import SingleCore
from hypercore.replication.peer import BLOCKS_PER_WANT
from hypercore.wire import (
    MAX_PLAINTEXT,
    Bitfield,
    Cancel,
    Data,
    Extension,
    NoData,
    Range,
    Request,
    Sync,
    Unwant,
    Want,
)
from tests.hypercore.replication.copying import assert_equal, begin_download, blocks_of, download, writer_of
from tests.hypercore.replication.forged import ForgedPeer
from tests.hypercore.replication.played import TYPES, PlayedPeer
from tests.memory import traced

MEBI = 1 << 20


@pytest.fixture
def core(store):
    core = writer_of(blocks_of(2000), store)
    core.clear(5)  # so that it is not told of as a whole
    return core


@pytest.fixture
def peer(core):
    return PlayedPeer([core.key])


@pytest.fixture
def end(network, store, peer):
    end = network.connect_to(store, peer)
    network.run()
    end.forget()
    peer.stream.log.clear()
    return end


def forget_all(network):
    """Forget what the ends remember for the tests alone."""
    for end in network.ends:
        end.forget()


def frame_of(peer, message, size):
    """Return a frame full of one message."""
    encoded = message.encode()
    entry = encode_uint(len(encoded) + 1) + bytes([TYPES[type(message)]]) + encoded
    return b"\x00\x00" + encode_uint(peer.channel.local_id) + entry * ((size - 20) // len(entry))


SMALL = [
    Sync(0, 3, 0, True, True, True, True, True),
    Request(0, 0, ProofRequest(block=NodeRequest(4))),
    Request(1, 9, ProofRequest()),
    Cancel(5),
    NoData(5),
    Want(0, 4096),
    Unwant(5, 5),
    Bitfield(0, b""),
    Range(False, 5, 1),
    Extension("x", b""),
]


@pytest.mark.parametrize("message", SMALL, ids=lambda message: type(message).__name__)
def test_a_frame_full_of_small_messages_ends_the_connection(network, end, peer, message):
    """16 MiB hold millions of them; the frame itself is held three times while it is decrypted."""
    peer.send_frame(frame_of(peer, message, MAX_PLAINTEXT))
    end.other.step()
    peer.stream.log.clear()
    with traced() as memory:
        end.step()
    assert "messages" in str(end.error) or "does not read" in str(end.error)
    assert memory.peak < 120 * MEBI


@pytest.mark.parametrize("message", SMALL, ids=lambda message: type(message).__name__)
def test_frame_after_frame_of_small_messages_takes_no_more_and_more_memory(network, end, peer, message):
    """As long as what it calls for is written, that is the peer's good right."""
    frame = frame_of(peer, message, 40_000)
    with traced() as memory:
        for _ in range(5):
            peer.send_frame(frame)
            network.run()
            peer.heard.clear()
            forget_all(network)
    assert end.error is None or "requests" in str(end.error)
    assert memory.size < 30 * MEBI


def test_what_one_does_not_read_is_not_kept_for_it(network, store):
    """Each Want of 8 bytes calls for 256 KiB."""
    forged = ForgedPeer(BLOCKS_PER_WANT)
    copy = store.get(key=forged.key)
    network.connect_to(store, forged)
    network.run()
    assert copy.length == BLOCKS_PER_WANT
    peer = PlayedPeer([forged.key])
    end = network.connect_to(store, peer)
    network.run()
    peer.send_frame(frame_of(peer, Want(0, BLOCKS_PER_WANT), 100_000))
    end.other.step()
    with traced() as memory:
        end.step()
    assert "does not read" in str(end.error)
    assert memory.peak < 100 * MEBI


def test_a_hundred_thousand_requests_that_cannot_be_answered_end_the_connection(network, end, peer):
    end.block(True)
    with traced() as memory:
        for start in range(0, 100_000, 10_000):
            if end.is_closed:
                break
            requests = [Request(start + number, 0, ProofRequest(NodeRequest(4))) for number in range(10_000)]
            peer.say(*requests)
            network.run()
    assert "requests wait for their answers" in str(end.error)
    assert memory.peak < 100 * MEBI


@pytest.mark.parametrize("flag", [False, True], ids=["blocks", "no-blocks"])
def test_a_peer_that_claims_all_blocks_that_there_can_be_takes_no_memory(network, store, flag):
    core = writer_of(blocks_of(2000))
    copy = store.get(key=core.key)
    peer = PlayedPeer([core.key])
    network.connect_to(store, peer)
    network.run()
    with traced() as memory:
        for number in range(1000):
            peer.say(
                Sync(0, 2**53 - 1, number, True, True, True, True, True),
                Range(flag, number * 2**40, 2**53 - 1),
                Bitfield(number * 2**30, b"\x55" * 4096),
                Range(not flag, number * 2**41 + 7, 1),
            )
            if not number % 50:
                network.run()
                forget_all(network)
        network.run()
        forget_all(network)
    assert memory.size < 20 * MEBI
    network.connect(store, SingleCore(core))
    want = begin_download(copy, 0, 2000)
    network.wait(100)
    assert want.is_done
    assert_equal(copy, core)


def test_a_peer_that_answers_with_frames_as_large_as_there_can_be_takes_no_memory(network, store):
    """Each is the answer to a question, and wrong; several peers do it at once."""
    core = writer_of(blocks_of(2000))
    copy = store.get(key=core.key)
    honest = network.connect(store, SingleCore(core))
    network.run()
    with traced() as memory:
        for _ in range(3):
            liar = PlayedPeer([core.key])
            end = network.connect_to(store, liar)
            network.run()
            big = b"\x01\x05\x00\x05" + encode_uint(16_700_000) + bytes(16_700_000) + b"\x00"
            liar.say_raw(TYPES[Data], big)
            network.run()
            liar.say_raw(TYPES[Extension], b"\x01x" + bytes(16_700_000))
            network.run()
            del big
            forget_all(network)
            assert end.error is None
    assert memory.size < 10 * MEBI
    download(network, copy)
    assert honest.error is None
    assert_equal(copy, core)


def test_a_core_has_one_channel_however_often_it_is_opened(network, end, peer, core):
    opening = encode_uint(len(b"hypercore/alpha")) + b"hypercore/alpha" + b"\x20" + core.discovery_key
    for number in range(2, 1000):
        peer.send_frame(b"\x00\x01" + encode_uint(number) + opening + bytes(33))
    end.other.step()
    end.step()
    assert end.error is None
    assert len(end.connection.cores) == 1


def test_many_peers_that_flood_do_not_stop_one_that_reads(network, store, core):
    floods = [PlayedPeer([core.key]) for _ in range(10)]
    for peer in floods:
        network.connect_to(store, peer)
    network.run()
    with Corestore() as other:
        copy = other.get(key=core.key)
        end = network.connect(other, store)
        network.run()
        want = begin_download(copy, 0, 5)
        for peer in floods:
            peer.send_frame(frame_of(peer, Request(0, 0, ProofRequest(block=NodeRequest(4))), 50_000))
        network.run()
        assert want.is_done
        assert end.error is None
