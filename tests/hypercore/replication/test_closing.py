"""Closing cores, stores and connections while others use them."""

import pytest

from hypercore import Corestore
from hypercore.errors import Closed
from hypercore.replication import Connection, Replicator, SingleCore
from hypercore.wire import Sync
from tests.hypercore.replication.copying import assert_equal, begin_download, blocks_of, download, writer_of


def test_a_channel_on_which_nobody_downloads_is_closed_and_opened_again(network, stores):
    core = writer_of(blocks_of(5), stores[0])
    key = core.key
    core.close()
    copy = stores[1].get(key=key)
    end = network.connect(*stores)
    download(network, copy)
    copy.close()
    network.run()
    assert end.connection.cores == end.other.connection.cores == {}
    assert stores[0].cores_in_use() == []
    copy = stores[1].get(key=key)
    network.run()
    assert end.exchanged() == {copy.discovery_key}
    download(network, copy)


def test_a_core_that_is_in_use_on_the_other_side_stays_open(network, stores):
    core = writer_of(blocks_of(5), stores[0])
    copy = stores[1].get(key=core.key)
    end = network.connect(*stores)
    download(network, copy)
    copy.close()
    network.run()
    assert end.exchanged() == {core.discovery_key}


def test_closing_that_crosses_a_new_wish_opens_again(network, stores):
    """One side closes for nobody wants anything, the other opens the core again at the same time."""
    core = writer_of(blocks_of(5), stores[0])
    key = core.key
    core.close()
    copy = stores[1].get(key=key)
    end = network.connect(*stores)
    network.run()
    end.is_held = True
    copy.close()
    end.other.step()
    copy = stores[1].get(key=key)
    end.is_held = False
    download(network, copy)
    assert end.exchanged() == {copy.discovery_key}


def test_opening_and_closing_all_the_time_comes_to_a_good_end(network, stores):
    core = writer_of(blocks_of(5), stores[0])
    network.connect(*stores)
    for steps in range(40):
        copy = stores[1].get(key=core.key)
        for _ in range(steps % 7):
            for end in network.ends:
                end.step()
        if steps < 39:
            copy.close()
    download(network, copy)
    assert_equal(copy, core)


def test_what_is_wanted_of_a_core_that_is_closed_fails(network, stores):
    core = writer_of(blocks_of(5), stores[0])
    copy = stores[1].get(key=core.key)
    network.connect(*stores)
    network.run()
    want = begin_download(copy, 0, 100)
    network.run()
    copy.close()
    assert isinstance(want.error, Closed)


@pytest.mark.parametrize("through", ["store", "namespace"])
def test_what_is_wanted_of_a_store_that_is_closed_fails_and_its_connections_end(network, stores, through):
    core = writer_of(blocks_of(5), stores[0])
    view = stores[1] if through == "store" else stores[1].namespace("name")
    copy = view.get(key=core.key)
    end = network.connect(stores[1], stores[0])
    network.run()
    want = begin_download(copy, 0, 100)
    network.run()
    stores[1].close()
    assert isinstance(want.error, Closed)
    assert end.is_closed
    network.run()
    assert end.other.is_closed
    assert core.get(0) == blocks_of(1)[0]


def test_a_core_alone_that_is_closed_ends_its_connections(network, stores):
    core = writer_of(blocks_of(5), stores[0])
    copy = stores[1].get(key=core.key)
    end = network.connect(SingleCore(copy), SingleCore(core))
    network.run()
    want = begin_download(copy, 0, 100)
    network.run()
    copy.close()
    assert isinstance(want.error, Closed)
    assert end.is_closed


@pytest.mark.parametrize("open_another", ["session", "get"])
def test_a_core_alone_that_is_closed_leaves_other_objects_on_it_their_wishes(network, stores, open_another):
    core = writer_of(blocks_of(5), stores[0])
    copy = stores[1].get(key=core.key)
    another = copy.session() if open_another == "session" else stores[1].get(key=core.key)
    end = network.connect(stores[1], SingleCore(core))
    ending = network.connect(SingleCore(another), SingleCore(core))
    network.run()
    want = begin_download(copy, 0, 6)
    another.close()
    assert ending.is_closed
    network.run()
    assert not want.is_done
    assert end.said(Sync)[-1].downloading
    core.append(b"more")
    network.run()
    assert want.is_done
    assert want.error is None
    copy.close()
    network.run()
    assert not end.said(Sync)[-1].downloading


def test_a_connection_that_ends_leaves_nothing_open(network, stores):
    core = writer_of(blocks_of(5), stores[0])
    key = core.key
    core.close()
    copy = stores[1].get(key=key)
    end = network.connect(*stores)
    download(network, copy)
    assert stores[0]._cores._objects
    end.close()
    assert not stores[0]._cores._objects
    assert Replicator.of(copy.state).peers == []
    assert len(stores[1]._cores._objects) == 1
    assert stores[0]._cores.observers == stores[1]._cores.observers == []


def test_a_store_that_is_closed_cannot_be_connected():
    store = Corestore()
    store.close()
    with pytest.raises(Closed):
        Connection(store, is_initiator=True)
