"""A storage that fails: what is wanted fails with it, nothing else does; later it goes on."""

import pytest

from hypercore import Corestore
from hypercore.errors import StorageError
from hypercore.replication import SingleCore
from tests.hypercore.disks import FULL_DISKS
from tests.hypercore.replication.copying import (
    assert_equal,
    begin_download,
    begin_get,
    begin_update,
    blocks_of,
    download,
    writer_of,
)

FAULT = StorageError("the disk is full")
WHEN = pytest.mark.parametrize("when", ["before", "after"])


@pytest.fixture
def core():
    return writer_of(blocks_of(500))


@pytest.fixture
def copy(faulty_reader, core):
    return faulty_reader.get(key=core.key)


@pytest.fixture
def end(network, faulty_reader, core, copy):
    """The end of a reader that knows how long the core is."""
    end = network.connect(faulty_reader, SingleCore(core))
    network.run()
    return end


@WHEN
def test_what_is_wanted_fails_and_can_be_had_later(network, faulty, core, copy, end, when):
    wants = [begin_download(copy, 0, 600), begin_get(copy, 3)]
    with faulty.failing(FAULT, when=when):
        network.run()
    assert [want.error for want in wants] == [FAULT, FAULT]
    assert set(end.reported) == {FAULT}
    assert end.error is end.other.error is None
    want = begin_download(copy)
    network.wait(20)
    assert want.is_done
    assert want.error is None
    assert_equal(copy, core)


@WHEN
def test_the_length_is_learned_later(network, faulty, faulty_reader, core, copy, when):
    end = network.connect(faulty_reader, SingleCore(core))
    want = begin_update(copy)
    with faulty.failing(FAULT, when=when):
        network.run()
    assert want.error is (FAULT if when == "before" else None)
    assert end.error is None
    assert end.reported == [FAULT]
    want = begin_update(copy)
    network.wait(20)
    assert want.is_done
    assert copy.length == 500


def test_while_it_fails_it_is_tried_only_now_and_then(network, faulty, copy, end):
    with faulty.failing(FAULT):
        for _ in range(100):
            want = begin_download(copy)
            network.wait(1)
        assert not want.is_done or want.error is FAULT
    assert 5 <= len(end.reported) <= 25
    assert end.error is None


def test_the_other_cores_of_the_store_go_on(network, faulty, faulty_reader, core, copy, end):
    """Another core is fetched while the first one is left alone for a while."""
    other = writer_of(blocks_of(100))
    begin_download(copy)
    with faulty.failing(FAULT):
        network.run()
    second = faulty_reader.get(key=other.key)
    network.connect(faulty_reader, SingleCore(other))
    download(network, second)
    assert_equal(second, other)


def test_blocks_that_cannot_be_read_while_asking_fail_what_is_wanted(network, faulty, core, copy, end):
    want = begin_download(copy)
    with faulty.failing_reads(FAULT):
        network.run()
    assert want.error is FAULT
    assert end.error is None
    want = begin_download(copy)
    network.wait(20)
    assert_equal(copy, core)


def test_a_storage_that_fails_at_random_never_stores_what_is_wrong(network, faulty, core, copy, end):
    for number in range(60):
        want = begin_download(copy)
        steps = number * 7 % 40
        for _ in range(steps):
            end.step()
            end.other.step()
        with faulty.failing(FAULT, when="after" if number % 3 else "before"):
            for _ in range(3):
                end.step()
                end.other.step()
        network.wait(12)
        assert copy.audit() == []
        if want.is_done and want.error is None:
            break
    network.wait(12)
    download(network, copy)
    assert_equal(copy, core)
    assert end.error is end.other.error is None


def test_a_writer_whose_storage_fails_tells_of_nothing_that_is_not_stored(
    network, faulty, faulty_reader, store
):
    core = writer_of(blocks_of(10), faulty_reader)
    copy = store.get(key=core.key)
    end = network.connect(store, faulty_reader)
    download(network, copy)
    with faulty.failing(FAULT), pytest.raises(StorageError):
        core.append(b"lost")
    network.run()
    assert copy.length == 10
    core.append(b"kept")
    network.run()
    download(network, copy)
    assert_equal(copy, core)
    assert end.error is end.other.error is None


def test_an_append_that_was_stored_is_told_although_a_node_cannot_be_read(
    network, faulty, faulty_reader, store
):
    """Whether a peer can be upgraded is looked up in the storage."""
    core = writer_of(blocks_of(10), faulty_reader)
    copy = store.get(key=core.key)
    network.connect(store, faulty_reader)
    download(network, copy)
    with faulty.failing_reads(FAULT):
        core.append(b"new")
    assert core.length == 11
    network.wait(20)
    core.append(b"newer")
    network.run()
    download(network, copy)
    assert_equal(copy, core)


@pytest.mark.parametrize("disk", FULL_DISKS)
def test_a_full_disk_ends_a_download_and_space_lets_it_go_on(network, disk):
    core = writer_of([bytes([index % 251]) * 20_000 for index in range(200)])
    with disk() as disk, Corestore(disk.path / "store") as store:
        copy = store.get(key=core.key)
        end = network.connect(store, SingleCore(core))
        network.run()
        want = begin_download(copy)
        with disk.trouble():
            network.run()
        assert isinstance(want.error, StorageError)
        assert end.error is None
        end.close()
        copy.close()
    network.close()


@pytest.mark.parametrize("disk", FULL_DISKS)
def test_what_a_full_disk_has_kept_is_completed(network, disk):
    core = writer_of([bytes([index % 251]) * 20_000 for index in range(200)])
    with disk() as disk:
        with Corestore(disk.path / "store") as store:
            copy = store.get(key=core.key)
            end = network.connect(store, SingleCore(core))
            network.run()
            begin_download(copy)
            with disk.trouble():
                network.run()
            end.close()
        with Corestore(disk.path / "store") as store:
            copy = store.get(key=core.key)
            assert copy.audit() == []
            network.connect(store, SingleCore(core))
            download(network, copy)
            assert_equal(copy, core)
            network.close()
