"""Peers whose tree is shorter than ours, and so may not lead from a block to a node that is known here."""

import pytest

from hypercore.replication import Seek, SingleCore
from hypercore.wire import NoData, Request
from tests.hypercore.replication.copying import (
    begin,
    begin_download,
    begin_get,
    blocks_of,
    download,
    writer_of,
)


@pytest.fixture
def short(network, stores):
    """Connect a copy to a core without its first ten blocks, and to a shorter copy with two of these."""
    store, other = stores
    core = writer_of(blocks_of(10))
    copy, seed = store.get(key=core.key), other.get(key=core.key)
    end = network.connect(other, SingleCore(core))
    for index in (3, 9):
        download(network, seed, index, index + 1)
    end.close()
    core.append(blocks_of(10))
    core.clear(0, 10)
    network.connect(store, SingleCore(core))
    network.run()
    end = network.connect(store, other)
    network.run()
    assert (copy.length, seed.length) == (20, 10)
    return core, copy, other, end


def test_what_it_cannot_lead_from_is_not_asked_for(network, short):
    _, copy, _, end = short
    wants = [begin_get(copy, 3), begin_get(copy, 9), begin_download(copy, 0, 10)]
    network.wait(5)
    assert end.said(Request) == end.other.said(NoData) == []
    assert not any(want.is_done for want in wants)


def test_it_is_asked_when_it_has_learned_the_longer_tree(network, short):
    core, copy, other, end = short
    want = begin_get(copy, 3)
    begin_download(copy, 0, 10)
    network.run()
    network.connect(other, SingleCore(core))
    network.run()
    assert want.is_done
    assert list(copy.stored_ranges()) == [(3, 4), (9, 10)]
    assert end.other.said(NoData) == []


def test_it_is_asked_when_nodes_have_come_that_it_leads_to(network, short):
    _, copy, _, end = short
    begin_download(copy)
    network.wait(2)
    assert list(copy.stored_ranges()) == [(3, 4), (9, 20)]
    assert end.other.said(NoData) == []


def test_it_is_not_asked_for_a_byte_below_a_root_that_it_does_not_have(network, stores):
    store, other = stores
    core = writer_of(blocks_of(10))
    copy, seed = store.get(key=core.key), other.get(key=core.key)
    end = network.connect(other, SingleCore(core))
    download(network, seed)
    end.close()
    core.append(blocks_of(10))
    end = network.connect(store, SingleCore(core))
    network.run()
    end.close()
    end = network.connect(store, other)
    want = begin(copy, Seek(35, 0))
    network.run()
    assert end.other.said(NoData) == []
    assert not want.is_done
    network.connect(other, SingleCore(core))
    network.run()
    assert want.is_done
    assert copy.seek(35) == (3, 5)
