"""Peers that send messages which are cut off, unknown, too large, at the wrong time, or for nobody."""

import pytest

from hypercore import Corestore
from hypercore.encoding import encode_uint
from hypercore.proofs import NodeRequest, ProofRequest, SeekRequest, UpgradeRequest
from hypercore.wire import (
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
from tests.hypercore.replication.copying import assert_equal, blocks_of, download, writer_of
from tests.hypercore.replication.played import TYPES, PlayedPeer


@pytest.fixture
def core(store):
    return writer_of(blocks_of(20), store)


@pytest.fixture
def peer(core):
    return PlayedPeer([core.key])


@pytest.fixture
def end(network, store, peer):
    """The end of a store that a peer is connected to, which has told it of a core."""
    end = network.connect_to(store, peer)
    network.run()
    return end


@pytest.fixture
def others(network, store, core):
    """See that another connection goes on, and that nothing has happened to the core."""
    yield
    with Corestore() as other:
        copy = other.get(key=core.key)
        end = network.connect(other, store)
        download(network, copy)
        assert_equal(copy, core)
        assert end.error is end.other.error is None
    assert core.audit() == []


WHOLE = ProofRequest(
    hash=NodeRequest(1000, 2000), seek=SeekRequest(70_000, 9), upgrade=UpgradeRequest(5, 66_000)
)
MESSAGES = [
    Sync(300, 70_000, 2**40, True, True, True, True, True),
    Request(7, 1, ProofRequest(block=NodeRequest(300, 4)), priority=1),
    Request(7, 1, WHOLE, True),
    Cancel(300),
    NoData(70_000, 2),
    Want(2**20, 2**21, True),
    Unwant(2**20, 2**21),
    Bitfield(64, bytes(8)),
    Range(True, 70_000, 2**40),
    Range(False, 70_000, 1),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_that_is_cut_off_ends_the_connection(network, store, core, message, others):
    encoded = message.encode()
    optional = {len(encoded) - 1} if isinstance(message, Want) and message.any else set()
    optional |= {3, 5} if isinstance(message, NoData) else set()
    for size in range(len(encoded)):
        peer = PlayedPeer([core.key])
        end = network.connect_to(store, peer)
        network.run()
        peer.say_raw(TYPES[type(message)], encoded[:size])
        network.run()
        if size in optional:
            continue
        assert "cannot be read" in str(end.error), size


def test_a_proof_that_is_cut_off_ends_the_connection(network, store, core, others):
    proof = core.proof(ProofRequest(block=NodeRequest(5), upgrade=UpgradeRequest(0, 20)))
    encoded = Data(64, proof).encode()
    for size in range(len(encoded)):
        peer = PlayedPeer([core.key])
        end = network.connect_to(store, peer)
        network.run()
        peer.say_raw(TYPES[Data], encoded[:size])
        network.run()
        assert "cannot be read" in str(end.error), size


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_what_stands_behind_a_message_is_ignored(network, end, peer, message, others):
    peer.say_raw(TYPES[type(message)], message.encode() + b"\x00\x01\x02")
    network.run()
    assert end.error is None


@pytest.mark.parametrize("type_", [10, 11, 252, 253, 65_536, 2**53 - 1])
def test_messages_of_unknown_types_are_ignored(network, end, peer, type_, others):
    peer.say_raw(type_, b"anything")
    network.run()
    assert end.error is None
    assert not end.is_closed


@pytest.mark.parametrize("channel", [2, 3, 100, 2**53 - 1])
def test_messages_for_channels_that_are_not_open_are_ignored(network, end, peer, channel, others):
    peer.send_frame(encode_uint(channel) + b"\x00" + sync().encode())
    network.run()
    assert end.error is None


def sync(**changes):
    known = {"fork": 0, "length": 0, "remote_length": 0, "can_upgrade": True, "uploading": True}
    known |= {"downloading": True, "has_manifest": True, "allow_push": True}
    return Sync(**(known | changes))


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"\x00", id="no-type"),
        pytest.param(b"\x00\x00", id="batch-without-channel"),
        pytest.param(b"\x00\x00\x01\x05\x00", id="batch-of-a-cut-off-message"),
        pytest.param(b"\xff" * 9, id="a-number-too-large"),
        pytest.param(b"\x00\x01", id="open-without-a-number"),
        pytest.param(b"\x00\x01\x00\x00\x00", id="open-as-number-0"),
        pytest.param(b"\x00\x01\x05\x00\x00", id="open-as-a-number-too-high"),
        pytest.param(b"\x00\x01\x01\x00\x00", id="open-as-a-number-in-use"),
        pytest.param(b"\x00\x02\x01", id="reject-of-what-is-open"),
        pytest.param(b"\x00\x02\x07", id="reject-of-nothing"),
        pytest.param(b"\x00\x00" * 20, id="batches-in-batches"),
    ],
)
def test_a_frame_that_makes_no_sense_ends_the_connection(network, end, peer, frame, others):
    peer.send_frame(frame)
    network.run()
    assert end.error is not None


def test_messages_behind_a_close_are_ignored(network, end, peer, others):
    local_id = peer.channel.local_id
    peer.channel.close()
    peer.wake()
    network.run()
    peer.send_frame(encode_uint(local_id) + b"\x01" + Request(1, 9, WHOLE).encode())
    network.run()
    assert end.error is None


def test_opening_and_closing_is_no_trouble(network, end, peer, core, others):
    for _ in range(500):
        peer.channel.close()
        peer.open(core.key)
        peer.say(sync(), Want(0, 20))
        network.run()
    assert end.error is None
    assert len(peer.heard_of(Sync)) >= 500


def test_a_peer_that_closes_whatever_is_opened_is_opened_to_no_more_than_it_asks_for(network, store, others):
    """It says that it downloads nothing, and closes: whoever still wants something opens again, once each."""
    copy = store.get(key=writer_of(blocks_of(3)).key)
    peer = PlayedPeer([copy.key])
    end = network.connect_to(store, peer)

    closings: list[Sync] = []

    def close_at_once(message):
        if isinstance(message, Sync) and len(closings) < 50:
            closings.append(message)
            peer.say(sync(downloading=False))
            peer.channel.close()

    peer.on_message = close_at_once
    network.run()
    assert end.error is None
    assert len(closings) == 50
    assert peer.named.count(copy.discovery_key) <= 51


def test_a_fork_that_goes_up_and_down_is_no_trouble(network, end, peer, core, others):
    for fork in [5, 0, 2**53 - 1, 1, 0] * 20:
        peer.say(sync(fork=fork, length=2**52))
        network.run()
    assert end.error is None
    assert core.fork == 0


@pytest.mark.parametrize("length", [0, 1, 19, 20, 21, 2**52, 2**53 - 1])
@pytest.mark.parametrize("remote_length", [0, 20, 2**53 - 1])
def test_any_length_may_be_claimed(network, end, peer, length, remote_length, others):
    peer.say(sync(length=length, remote_length=remote_length))
    network.run()
    peer.say(Range(False, 0, length), Bitfield(0, b"\xff" * 64), Want(0, 2**21))
    network.wait(100)
    assert end.error is None


def test_an_extension_with_a_long_name_ends_the_connection(network, end, peer, others):
    peer.say_raw(TYPES[Extension], encode_uint(2000) + bytes(2000))
    network.run()
    assert "name of an extension" in str(end.error)


def test_too_many_nodes_end_the_connection(network, end, peer, others):
    node = encode_uint(0) + encode_uint(0) + bytes(32)
    peer.say_raw(TYPES[Data], b"\x02\x40\x00\x00" + encode_uint(1000) + node * 1000)
    network.run()
    assert "at most 128 nodes" in str(end.error)


def test_a_bitfield_of_more_words_than_there_may_be_ends_the_connection(network, end, peer, others):
    peer.say_raw(TYPES[Bitfield], encode_uint(0) + encode_uint(70_000) + bytes(280_000))
    network.run()
    assert "at most 65536 words" in str(end.error)
