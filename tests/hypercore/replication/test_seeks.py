"""Finding the block at a byte offset with the help of peers."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Corestore
from hypercore.errors import BadArgument, BlockNotAvailable, StorageError
from hypercore.proofs import SeekProof
from hypercore.replication import Replicator, Seek, SingleCore
from hypercore.wire import Data, NoData, Request, Want
from tests.hypercore.replication.copying import begin, blocks_of, download, writer_of
from tests.hypercore.replication.network import Network
from tests.hypercore.replication.played import PlayedServer, only


def seek(network, copy, offset):
    """Look for a byte, and return where it is; all that is needed comes without any time passing."""
    want = begin(copy, Seek(offset, copy.padding))
    network.run()
    assert want.is_done
    assert want.error is None
    return copy.seek(offset)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=70), st.data())
def test_every_byte_is_found_where_the_writer_finds_it(sizes, data):
    network, store = Network(), Corestore()
    core = writer_of([bytes(size) for size in sizes])
    copy = store.get(key=core.key)
    end = network.connect(store, SingleCore(core))
    network.run()
    for _ in range(3):
        offset = data.draw(st.integers(0, core.byte_length))
        assert seek(network, copy, offset) == core.seek(offset)
    assert list(copy.stored_ranges()) == []
    assert copy.audit() == []
    assert end.error is None


def test_one_question_is_enough(network, store):
    core = writer_of(blocks_of(1000))
    copy = store.get(key=core.key)
    end = network.connect(store, SingleCore(core))
    network.run()
    end.forget()
    assert seek(network, copy, 7777) == (777, 7)
    assert len(end.said(Request)) == 1
    assert seek(network, copy, 7778) == (777, 8)
    assert len(end.said(Request)) == 1


def test_the_bytes_of_an_encrypted_core_are_counted_without_their_padding(network, store):
    key = b"\x05" * 32
    with Corestore() as other:
        core = other.get(name="core", encryption_key=key)
        core.append([b"x" * size for size in (5, 0, 9, 30, 1)])
        copy = store.get(key=core.key, encryption_key=key)
        network.connect(store, SingleCore(core))
        network.run()
        for offset in range(core.byte_length):
            assert seek(network, copy, offset) == core.seek(offset)


def test_what_one_cannot_tell_is_asked_of_another(network, store):
    """A peer with a few blocks knows only the nodes above them."""
    core = writer_of(blocks_of(1000))
    other = Corestore()
    sparse = other.get(key=core.key)
    end = network.connect(other, SingleCore(core))
    download(network, sparse, 0, 1)
    end.close()
    copy = store.get(key=core.key)
    of_sparse = network.connect(store, other)
    network.run()
    want = begin(copy, Seek(7777, 0))
    network.wait(30)
    assert not want.is_done
    assert len(of_sparse.said(Request)) < 200
    network.connect(store, SingleCore(core))
    network.wait(15)
    assert want.is_done
    assert copy.seek(7777) == (777, 7)


def test_blocks_are_fetched_from_one_who_cannot_tell_where_a_byte_is(network, store):
    core = writer_of(blocks_of(1000))

    def answer(request, true):
        return NoData(request.id, 1) if request.proof.seek else true

    network.connect_to(store, PlayedServer(core, answer))
    copy = store.get(key=core.key)
    network.run()
    begin(copy, Seek(7777, 0))
    download(network, copy)


def test_what_is_told_of_another_byte_ends_the_connection(network, store):
    core = writer_of(blocks_of(1000))

    def answer(request, true):
        if only(request.proof) == "hash":
            true.proof.seek = SeekProof(7778, [])
        return true

    end = network.connect_to(store, PlayedServer(core, answer))
    copy = store.get(key=core.key)
    network.run()
    begin(copy, Seek(7777, 0))
    network.run()
    assert "a seek to byte 7778" in str(end.error)


def test_who_leads_no_further_does_not_keep_us_asking(network, store):
    """It shows the root alone, which is known."""
    core = writer_of(blocks_of(1000))

    def answer(request, true):
        if only(request.proof) == "hash":
            true.proof.hash.nodes = []
            true.proof.seek = None
        return true

    peer = PlayedServer(core, answer)
    end = network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    want = begin(copy, Seek(7777, 0))
    network.wait(60)
    assert end.error is None
    assert not want.is_done
    assert len(peer.heard_of(Request)) < 200


def test_a_storage_that_fails_fails_the_search(network, faulty_reader, faulty):
    core = writer_of(blocks_of(1000))
    copy = faulty_reader.get(key=core.key)
    end = network.connect(faulty_reader, SingleCore(core))
    network.run()
    error = StorageError("the disk is full")
    want = begin(copy, Seek(7777, 0))
    with faulty.failing(error):
        network.run()
    assert want.error is error
    assert end.error is None
    want = begin(copy, Seek(7777, 0))
    network.wait(20)
    assert want.is_done
    assert copy.seek(7777) == (777, 7)


def test_a_search_that_is_given_up_leaves_nothing(network, store):
    core = writer_of(blocks_of(1000))
    network.connect_to(store, PlayedServer(core, lambda request, true: None if request.proof.seek else true))
    copy = store.get(key=core.key)
    network.run()
    want = begin(copy, Seek(7777, 0))
    network.run()
    replicator = Replicator.of(copy.state)
    replicator.give_up(want)
    network.wait(30)
    assert len(replicator._scheduler.questions) == 0
    with pytest.raises(BlockNotAvailable):
        copy.seek(7777)


def test_a_peer_that_does_not_find_the_byte_leads_to_it_all_the_same(network, store):
    """Version 11 looks for each byte below the first root, and tells the way to another one."""
    random = Random(7)
    core = writer_of([bytes(random.choice((0, 1, 30, 500))) for _ in range(1000)])

    def without_seek(request, answer):
        if isinstance(answer, Data) and request.proof.hash is not None:
            answer.proof.hash = core.proof(replace(request.proof, seek=None)).hash
            answer.proof.seek = None
        return answer

    peer = PlayedServer(core, without_seek)
    network.connect_to(store, peer)
    copy = store.get(key=core.key)
    network.run()
    for offset in [*random.sample(range(core.byte_length), 40), core.byte_length - 1]:
        peer.heard.clear()
        assert seek(network, copy, offset) == core.seek(offset)
        assert len(peer.heard_of(Request)) <= 10


def test_a_peer_with_few_blocks_is_asked_for_what_is_beside_these(network, stores):
    store, other = stores
    core = writer_of(blocks_of(1000))
    seed = other.get(key=core.key)
    end = network.connect(other, SingleCore(core))
    network.run()
    download(network, seed, 700, 701)
    end.close()
    copy = store.get(key=core.key)
    end = network.connect(store, other)
    network.run()
    assert seek(network, copy, 7007) == (700, 7)
    assert len(end.said(Want)) == 1
    assert [message.proof.hash.index for message in end.said(Request) if message.proof.seek] == [1400]


def test_an_offset_that_a_truncation_cut_off_is_no_longer_sought(network, store):
    core = writer_of(blocks_of(1000))
    network.connect(store, SingleCore(core))
    copy = store.get(key=core.key)
    network.run()
    want = begin(copy, Seek(9999, 0))
    core.truncate(10)
    core.append(b"block")
    network.run()
    assert want.is_done
    with pytest.raises(BadArgument):
        copy.seek(9999)
