"""Connections that are cut during a download, again and again: what has come is not asked for twice."""

from random import Random

import pytest

from hypercore import Corestore
from hypercore.replication import SingleCore
from hypercore.wire import Data
from tests.hypercore.replication.copying import assert_equal, begin_download, blocks_of, writer_of


def blocks_heard(end):
    return {data.proof.block.index for data in end.heard(Data) if data.proof.block is not None}


@pytest.mark.parametrize("linear", [True, False], ids=["linear", "anywhere"])
@pytest.mark.parametrize(
    ("count", "size", "piece"),
    [
        pytest.param(20_000, 0, 100, id="empty"),
        pytest.param(20_000, 10, 100, id="small"),
        pytest.param(2000, 3000, 1000, id="large"),
        pytest.param(100, 200_000, 20_000, id="huge"),
    ],
)
def test_a_download_goes_on_where_it_was_cut(network, store, count, size, piece, linear):
    core = writer_of(blocks_of(count, size) if size else [b""] * count)
    copy = store.get(key=core.key)
    end = network.connect(store, SingleCore(core))
    network.run()
    want = begin_download(copy, linear=linear)
    random = Random(size)
    came: set[int] = set()
    cuts = 0
    while not want.is_done:
        end.close()
        end = network.connect(store, SingleCore(core), piece=piece)
        steps = random.randrange(12)
        while steps and not want.is_done:
            end.step()
            end.other.step()
            steps -= bool(blocks_heard(end))  # the handshake does not count
        assert not came & set(end.asked())
        came |= blocks_heard(end)
        cuts += 1
    assert cuts > 30
    assert_equal(copy, core)


def test_a_reader_that_is_opened_again_goes_on_where_it_was_cut(network, tmp_path):
    core = writer_of(blocks_of(2000))
    random = Random(1)
    key = core.key
    for _ in range(30):
        with Corestore(tmp_path) as store:
            copy = store.get(key=key)
            stored = {index for first, last in copy.stored_ranges() for index in range(first, last)}
            end = network.connect(store, SingleCore(core))
            begin_download(copy, 0, 2000)
            for _ in range(random.randrange(8, 16)):
                end.step()
                end.other.step()
            assert not stored & set(end.asked())
            assert copy.audit() == []
    with Corestore(tmp_path) as store:
        copy = store.get(key=key)
        network.connect(store, SingleCore(core))
        network.run()
        want = begin_download(copy)
        network.run()
        assert want.is_done
        assert_equal(copy, core)
        network.close()
