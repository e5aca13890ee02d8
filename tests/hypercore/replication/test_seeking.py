"""Finding the block at a byte offset with the tree nodes of peers."""

from dataclasses import replace
from random import Random

import pytest

from hypercore.errors import BadArgument
from hypercore.replication import Seek, SingleCore
from hypercore.wire import Data, Request, Want
from tests.hypercore.replication.copying import begin, begin_get, begin_update, writer_of
from tests.hypercore.replication.played import PlayedServer

LENGTH = 1000


@pytest.fixture
def core():
    """A core of blocks of different sizes, some of them empty."""
    random = Random(7)
    return writer_of([bytes(random.choice((0, 1, 30, 500))) for _ in range(LENGTH)])


def found(network, copy, offset):
    """Seek, as hypercore.aio does, until the offset is found; return it and how often peers were asked."""
    times = 0
    while copy.state.seek_gap(offset, 0) is not None:
        assert times < 20
        want = begin(copy, Seek(offset, 0))
        network.run()
        assert want.is_done
        times += 1
    return copy.seek(offset), times


def offsets_of(core):
    return [*Random(1).sample(range(core.byte_length), 40), core.byte_length - 1]


def updated(network, store, core):
    copy = store.get(key=core.key)
    begin_update(copy)
    network.run()
    assert copy.length == core.length
    return copy


def test_a_byte_is_found_with_one_question(network, store, core):
    network.connect(store, SingleCore(core))
    copy = updated(network, store, core)
    for offset in offsets_of(core):
        place, times = found(network, copy, offset)
        assert place == core.seek(offset)
        assert times <= 1
    assert not any(True for _ in copy.stored_ranges())


def test_a_peer_that_does_not_find_the_byte_leads_to_it_all_the_same(network, store, core):
    """Version 11 looks for each byte below the first root, and answers for another one than is asked for."""

    def without_seek(request, answer):
        if isinstance(answer, Data) and request.proof.hash is not None:
            hashes = core.proof(replace(request.proof, seek=None))
            answer.proof.hash, answer.proof.seek = hashes.hash, None
        return answer

    network.connect_to(store, PlayedServer(core, without_seek))
    copy = updated(network, store, core)
    for offset in offsets_of(core):
        place, times = found(network, copy, offset)
        assert place == core.seek(offset)
        assert times <= 10


def test_a_peer_with_few_blocks_is_asked_for_what_is_beside_these(network, stores, core):
    store, other = stores
    seed = other.get(key=core.key)
    end = network.connect(other, SingleCore(core))
    begin_get(seed, 700)
    network.run()
    end.close()
    end = network.connect(store, other)
    copy = updated(network, store, core)
    inside = sum(len(core.get(index)) for index in range(700)) + 1
    begin(copy, Seek(inside, 0))
    network.run()
    assert copy.seek(inside) == core.seek(inside)
    assert len(end.said(Want)) == 1
    asked = [request for request in end.said(Request) if request.proof.seek is not None]
    assert [request.proof.hash.index for request in asked] == [1400]


def test_an_offset_that_a_truncation_cut_off_is_no_longer_sought(network, store, core):
    network.connect(store, SingleCore(core))
    copy = updated(network, store, core)
    want = begin(copy, Seek(core.byte_length - 1, 0))
    core.truncate(10)
    core.append(b"block")
    network.run()
    assert want.is_done
    with pytest.raises(BadArgument):
        copy.seek(want.offset)
