"""Random messages of peers that know a core's key, and claims of any size: an honest peer helps anyway."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Corestore
from hypercore.encoding import MAX_UINT
from hypercore.errors import BadArgument
from hypercore.proofs import (
    BlockProof,
    HashProof,
    NodeRequest,
    Proof,
    ProofRequest,
    SeekProof,
    SeekRequest,
    UpgradeProof,
    UpgradeRequest,
)
from hypercore.replication import SingleCore
from hypercore.wire import Bitfield, Cancel, Data, Extension, NoData, Range, Request, Sync, Unwant, Want
from tests.hypercore.proofs.changes import every_change
from tests.hypercore.proofs.strategies import NODES, UINTS
from tests.hypercore.replication.copying import assert_equal, begin_download, begin_get, blocks_of, writer_of
from tests.hypercore.replication.network import Network
from tests.hypercore.replication.played import TYPES, PlayedPeer, PlayedServer, only

CORE = writer_of([*blocks_of(100), b"", bytes(1000), *blocks_of(30, 40)])

BYTES = st.binary(max_size=40)
LISTS = st.lists(NODES, max_size=4)
PROOFS = st.builds(
    Proof,
    st.integers(0, 2),
    st.none() | st.builds(BlockProof, UINTS, LISTS, BYTES),
    st.none() | st.builds(HashProof, UINTS, LISTS),
    st.none() | st.builds(SeekProof, UINTS, LISTS),
    st.none() | st.builds(UpgradeProof, UINTS, UINTS, LISTS, LISTS, st.none() | BYTES),
    st.none() | st.just(CORE.manifest),
)
REQUESTS = st.builds(
    ProofRequest,
    st.none() | st.builds(NodeRequest, UINTS, UINTS),
    st.none() | st.builds(NodeRequest, UINTS, UINTS),
    st.none() | st.builds(SeekRequest, UINTS, UINTS),
    st.none() | st.builds(UpgradeRequest, UINTS, UINTS),
)
WORDS = st.integers(0, 40).map(lambda count: b"\xf0\x0f\xff\x00" * count)
MESSAGES = st.one_of(
    st.builds(Sync, st.integers(0, 2), UINTS, UINTS, *[st.booleans()] * 5),
    st.builds(Request, UINTS, st.integers(0, 2), REQUESTS, st.booleans(), UINTS),
    st.builds(Cancel, UINTS),
    st.builds(Data, st.integers(0, 700), PROOFS),
    st.builds(NoData, st.integers(0, 700), st.integers(0, 3)),
    st.builds(Want, UINTS, UINTS, st.booleans()),
    st.builds(Unwant, UINTS, UINTS, st.booleans()),
    st.builds(Bitfield, UINTS, WORDS),
    st.builds(Range, st.booleans(), UINTS, UINTS),
    st.builds(Extension, st.text(max_size=5), BYTES),
)


class Scene:
    """A copy of CORE that a hostile peer talks to, and at the end an honest one, too."""

    def __init__(self):
        self.network = Network()
        self.store = Corestore()
        self.copy = self.store.get(key=CORE.key)

    def meets(self, peer):
        """Connect to a hostile peer and return our end."""
        self.end = self.network.connect_to(self.store, peer)
        self.network.run()
        return self.end

    def is_saved(self):
        """See that everything comes from an honest peer, and that nothing else was taken for it."""
        assert self.store_is_true()
        self.network.connect(self.store, SingleCore(CORE))
        self.network.run()
        want = begin_download(self.copy, 0, CORE.length)
        self.network.wait(200)
        assert want.is_done
        assert want.error is None
        assert_equal(self.copy, CORE)

    def store_is_true(self):
        stored = [(start, end) for start, end in self.copy.stored_ranges()]
        blocks = [index for start, end in stored for index in range(start, end)]
        return self.copy.audit() == [] and all(self.copy.get(index) == CORE.get(index) for index in blocks)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.network.close()
        self.store.close()


def can_be_sent(proof):
    try:
        return bool(Data(1, proof).encode())
    except BadArgument:
        return False


@pytest.mark.parametrize("part", ["hash", "upgrade"])
def test_no_changed_proof_is_taken_for_the_true_one(part):
    with Scene() as scene:
        honest = PlayedServer(CORE)
        scene.meets(honest)
        begin_download(scene.copy, 0, CORE.length)
        scene.network.run()
    request = next(each for each in honest.heard_of(Request) if only(each.proof) == part)
    changes = [each for each in every_change(CORE.proof(request.proof)) if can_be_sent(each)]
    for changed in changes[:: max(len(changes) // 60, 1)]:
        changed.manifest = CORE.manifest if request.manifest else None

        def answer(request, true, changed=changed):
            return Data(request.id, changed) if only(request.proof) == part else true

        with Scene() as scene:
            scene.meets(PlayedServer(CORE, answer))
            begin_download(scene.copy, 0, CORE.length)
            scene.network.run()
            assert scene.store_is_true()


@given(messages=st.lists(MESSAGES, max_size=12), wants=st.sets(st.integers(0, CORE.length - 1), max_size=3))
def test_whatever_a_peer_says_only_proofs_are_believed(messages, wants):
    with Scene() as scene:
        peer = PlayedPeer([CORE.key])
        scene.meets(peer)
        for index in wants:
            begin_get(scene.copy, index)
        for message in messages:
            peer.say(message)
            scene.network.run()
            if scene.end.is_closed:
                break
        scene.is_saved()


@given(messages=st.lists(MESSAGES, max_size=12))
def test_whatever_a_peer_says_the_writer_serves_the_others(messages):
    with Scene() as scene:
        peer = PlayedPeer([CORE.key])
        end = scene.network.connect_to(SingleCore(CORE), peer)
        scene.network.run()
        for message in messages:
            peer.say(message)
            scene.network.run()
            if end.is_closed:
                break
        scene.is_saved()


@given(type_=st.sampled_from(sorted(TYPES.values())), payload=st.binary(max_size=60))
def test_payloads_of_random_bytes_end_the_connection_or_change_nothing(type_, payload):
    with Scene() as scene:
        peer = PlayedPeer([CORE.key])
        scene.meets(peer)
        peer.say_raw(type_, payload)
        scene.network.run()
        scene.is_saved()


def grown_by(scene, say):
    """Return by how many bytes memory grows, at its peak, while a peer says something."""
    peer = PlayedPeer([CORE.key])
    scene.meets(peer)
    tracemalloc.start()
    try:
        say(peer)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        scene.network.run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def huge_claims(peer):
    peer.say(
        Sync(0, MAX_UINT, 0, True, True, True, True, False),
        Range(False, 0, MAX_UINT),
        Range(True, 5, MAX_UINT - 5),
        Range(False, 7, MAX_UINT - 7),
        Bitfield(MAX_UINT - 31, b"\xff" * 4),
        Want(0, MAX_UINT),
        Want(MAX_UINT, MAX_UINT),
    )


def scattered_claims(peer):
    peer.say(*(Range(False, number * 1_000_003, 1) for number in range(20_000)))


def scattered_stretches(peer):
    peer.say(*(Range(False, number * 2**33, 2**32) for number in range(20_000)))


def many_bitfields(peer):
    peer.say(*(Bitfield(number << 21, b"\xaa" * 1000) for number in range(2000)))


@pytest.mark.parametrize("say", [huge_claims, scattered_claims, scattered_stretches, many_bitfields])
def test_claims_cost_little_memory_whatever_they_are(say):
    with Scene() as scene:
        assert grown_by(scene, say) < 16 << 20
        scene.is_saved()


def test_wants_of_one_who_does_not_read_are_bounded(network):
    peer = PlayedPeer([CORE.key])
    end = network.connect_to(SingleCore(CORE), peer)
    network.run()
    for first in range(0, 10_000, 500):
        peer.say(*(Want(number << 21, 1 << 21) for number in range(first, first + 500)))
        network.run()
    assert "stretches" in str(end.error)
