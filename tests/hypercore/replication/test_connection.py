"""The channels of a connection: which cores are named, opened and refused."""

import pytest

from hypercore import Corestore, crypto
from hypercore.errors import StorageError
from hypercore.proofs import ProofRequest, UpgradeRequest
from hypercore.replication import Connection, SingleCore
from hypercore.wire import Range, Request, Sync, capability
from tests.hypercore.replication.copying import (
    assert_equal,
    begin_update,
    blocks_of,
    download,
    writer_of,
)
from tests.hypercore.replication.played import PlayedPeer, PlayedServer

# --- the handshake ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [None, 1, 7])
def test_two_sides_learn_who_the_other_is_however_the_bytes_arrive(network, stores, piece):
    end = network.connect(*stores, piece=piece)
    one, other = end.connection, end.other.connection
    assert not one.is_open
    assert one.remote_public_key is None
    network.run()
    assert one.is_open
    assert other.is_open
    assert one.handshake_hash == other.handshake_hash != b""
    assert one.remote_public_key != other.remote_public_key


def test_a_key_that_is_not_allowed_is_sent_away_before_anything_is_named(network, stores):
    core = writer_of(blocks_of(1), stores[0])
    stores[1].get(key=core.key)
    end = network.connect(*stores, allow=lambda public_key: False)
    network.run()
    assert "is not allowed to connect" in str(end.error or end.other.error)
    assert end.connection.cores == end.other.connection.cores == {}


def test_the_key_that_is_asked_about_is_that_of_the_other_side(network, stores):
    seen: list[bytes] = []

    def allow(public_key):
        seen.append(public_key)
        return True

    end = network.connect(*stores, allow=allow)
    network.run()
    assert sorted(seen) == sorted([end.connection.remote_public_key, end.other.connection.remote_public_key])


def test_bytes_that_are_no_handshake_end_the_connection(network, store):
    end = network.connect_to(store, PlayedPeer())
    end.other._inbox.clear()
    end._inbox.append(b"GET / HTTP/1.1\r\n")
    end.step()
    assert "handshake" in str(end.error)


def test_a_closed_connection_takes_and_gives_nothing(store):
    connection = Connection(store, is_initiator=True)
    connection.close()
    connection.close()
    connection.receive(b"anything", 0.0)
    assert connection.data_to_send(0.0) == b""


# --- opening ------------------------------------------------------------------------------------------------


def test_a_core_that_is_only_stored_is_opened_for_who_knows_it(network, stores):
    core = writer_of(blocks_of(5), stores[0])
    key = core.key
    core.close()
    copy = stores[1].get(key=key)
    end = network.connect(*stores)
    download(network, copy)
    assert end.exchanged() == {copy.discovery_key}
    assert list(copy.read_stream()) == blocks_of(5)


def test_what_is_only_written_here_is_not_named(network, store):
    writer_of(blocks_of(5), store)
    peer = PlayedPeer()
    network.connect_to(store, peer)
    network.run()
    assert peer.named == []


def test_copies_that_are_in_use_are_named_and_others_are_not(network, store):
    used, unused = (writer_of(blocks_of(1)) for _ in range(2))
    store.get(key=used.key)
    store.get(key=unused.key).close()
    peer = PlayedPeer()
    network.connect_to(store, peer)
    network.run()
    assert peer.named == [used.discovery_key]


def test_a_core_that_is_opened_later_is_exchanged(network, stores):
    core = writer_of(blocks_of(5), stores[0])
    end = network.connect(*stores)
    network.run()
    assert end.exchanged() == set()
    copy = stores[1].get(key=core.key)
    download(network, copy)
    assert_equal(copy, core)


def test_a_core_that_is_made_later_is_exchanged_with_who_has_named_it(network, stores):
    pair = stores[0].create_key_pair("core")
    end = network.connect(*stores)
    elsewhere = Corestore()
    key = elsewhere.get(key_pair=pair).key
    copy = stores[1].get(key=key)
    network.run()
    assert end.exchanged() == set()
    core = stores[0].get(name="core")
    core.append(blocks_of(5))
    network.run()
    assert core.key == key
    download(network, copy)
    assert_equal(copy, core)


def test_a_core_that_nobody_has_is_waited_for(network, stores):
    copy = stores[1].get(key=writer_of(blocks_of(1)).key)
    end = network.connect(*stores)
    want = begin_update(copy)
    network.wait(60)
    assert not want.is_done
    assert end.error is end.other.error is None


def test_two_copies_without_a_writer_have_nothing_to_say(network, stores):
    key = writer_of(blocks_of(1)).key
    copies = [store.get(key=key) for store in stores]
    end = network.connect(*stores)
    network.wait(60)
    assert end.exchanged() == {copies[0].discovery_key}
    assert len(end.said()) < 4


def test_one_core_alone_is_exchanged_and_no_other(network, stores):
    core, other = writer_of(blocks_of(5), stores[0]), writer_of(blocks_of(5), stores[0], "other")
    copy, other_copy = stores[1].get(key=core.key), stores[1].get(key=other.key)
    network.connect(stores[1], SingleCore(core))
    network.run()
    assert (copy.length, other_copy.length) == (5, 0)


def test_who_does_not_know_the_key_is_sent_away(network, store):
    core = writer_of(blocks_of(5), store)
    peer = PlayedPeer()
    end = network.connect_to(store, peer)
    network.run()
    peer.open(core.key, capability=bytes(32))
    network.run()
    assert "does not show that the other side knows the core's key" in str(end.error)
    assert peer.heard == []


def test_who_repeats_our_own_capability_is_sent_away(network, store):
    core = writer_of(blocks_of(5), store)
    peer = PlayedPeer()
    end = network.connect_to(store, peer)
    network.run()
    peer.open(core.key, capability=capability(False, core.key, peer.stream.handshake_hash))
    network.run()
    assert "capability" in str(end.error)


@pytest.mark.parametrize("size", [0, 1, 33], ids=["nothing", "cut-off", "flags-alone"])
def test_a_handshake_of_a_channel_that_is_cut_off_ends_the_connection(network, store, size):
    core = writer_of(blocks_of(5), store)
    peer = PlayedPeer()
    end = network.connect_to(store, peer)
    network.run()
    handshake = (b"\x01" + bytes(31))[:size]
    peer.mux.open("hypercore/alpha", core.discovery_key, handshake)
    peer.wake()
    network.run()
    assert end.error is not None


@pytest.mark.parametrize(
    ("protocol", "id_"),
    [
        ("hypercore/alpha", None),
        ("hypercore/alpha", bytes(31)),
        ("hypercore/alpha", bytes(32)),
        ("hypercore/beta", bytes(32)),
        ("", None),
    ],
)
def test_what_is_not_known_here_is_rejected(network, store, protocol, id_):
    writer_of(blocks_of(5), store)
    peer = PlayedPeer()
    end = network.connect_to(store, peer)
    network.run()
    peer.mux.open(protocol, id_, bytes(33))
    peer.wake()
    network.run()
    assert peer.rejected == [id_]
    assert end.error is None
    assert end.connection.cores == {}


def test_thousands_of_opens_are_rejected_one_by_one(network, store):
    core = writer_of(blocks_of(5), store)
    peer = PlayedPeer()
    end = network.connect_to(store, peer)
    network.run()
    for number in range(3):
        for place in range(4000):
            peer.mux.open("hypercore/alpha", crypto.blake2b_256(b"%d %d" % (number, place)), bytes(33))
        peer.wake()
        network.run()
    assert len(peer.rejected) == 12_000
    assert end.error is None
    peer.open(core.key)
    network.run()
    assert len(peer.heard) == 2


def test_the_first_requests_may_stand_right_behind_the_open(network, store):
    core = writer_of(blocks_of(5), store)
    peer = PlayedPeer()
    network.connect_to(store, peer)
    network.run()
    peer.open(core.key)
    wanted = ProofRequest(upgrade=UpgradeRequest(0, 5))
    peer.say(PlayedServer(core).sync(length=0), Request(5, 0, wanted, manifest=True))
    network.run()
    assert [type(message) for message in peer.heard][:2] == [Sync, Range]
    assert len(peer.heard) == 4


# --- signs of life ------------------------------------------------------------------------------------------


def test_a_sign_of_life_is_sent_every_five_seconds_and_no_message(network, stores):
    core = writer_of(blocks_of(5), stores[0])
    copy = stores[1].get(key=core.key)
    end = network.connect(*stores)
    download(network, copy)
    end.forget()
    before = end.bytes_sent
    network.wait(61)
    assert end.said() == []
    assert end.bytes_sent - before == 12 * 20


# --- storage that fails -------------------------------------------------------------------------------------


def test_a_core_that_cannot_be_opened_is_rejected_and_told(network, faulty_reader, faulty):
    broken, healthy = (writer_of(blocks_of(5), faulty_reader, name) for name in ("broken", "healthy"))
    peer = PlayedPeer()
    end = network.connect_to(faulty_reader, peer)
    network.run()
    key = broken.key
    broken.close()
    error = StorageError("a bad sector")
    with faulty.failing_reads(error):
        peer.open(key)
        network.run()
    assert end.error is None
    assert end.reported == [error]
    assert peer.rejected == [crypto.discovery_key(key)]
    peer.open(healthy.key)
    network.run()
    assert end.error is None
    assert len(peer.heard) == 2
