"""Drives that are not all here: a read names what it lacks, goes on when that has come, and reads no more."""

import pytest

from hypercore import Corestore, Hyperbee, Hyperdrive, KeyPair
from hypercore.errors import BlockNotAvailable, DecodingError, NotWritable
from tests.hypercore.hyperdrive.plain_drive import copy_core, fetch_for


def test_a_list_does_not_read_what_lies_deeper(drive):
    with drive.batch() as batch:
        for number in range(2000):
            batch.put(f"/deep/{number}", b"")
        batch.put("/file", b"")
    with Corestore() as store, Hyperdrive(store, drive.key) as sparse:
        copy_core(drive.core, sparse.core, [])
        assert len(fetch_for(drive, sparse, lambda: list(sparse.readdir()))) < 60
        assert list(sparse.readdir()) == ["deep", "file"]


def test_a_drive_that_nothing_is_known_of_asks_for_its_first_block(drive):
    drive.put("/a", b"data")
    with Corestore() as store, Hyperdrive(store, drive.key) as foreign:
        assert foreign.writable is False
        with pytest.raises(BlockNotAvailable) as caught:
            _ = foreign.blobs
        assert caught.value.index == 0


def test_a_sparse_drive_is_read_by_fetching_what_it_asks_for(drive):
    for number in range(50):
        drive.put(f"/{number}", b"%d" % number * 40_000)
    with Corestore() as store, Hyperdrive(store, drive.key) as sparse:
        copy_core(drive.core, sparse.core, [])
        fetched = fetch_for(drive, sparse, lambda: sparse.get("/37"))
        assert [index for name, index in fetched if name == "blobs"] == [64, 65]
        assert len(fetched) < 20
        assert sparse.get("/37") == b"37" * 40_000
        assert sparse.content_key == drive.content_key
        fetched = fetch_for(drive, sparse, lambda: sparse.get("/40", start=70_000))
        assert sparse.get("/40", start=70_000) == b"40" * 5_000
        assert not sparse.has("/40")
        with pytest.raises(NotWritable):
            sparse.put("/x", b"x")
        with pytest.raises(NotWritable):
            sparse.symlink("/x", "/y")


def test_a_bee_that_is_no_drive_does_not_say_where_its_blobs_are(store):
    pair = KeyPair.generate()
    core = store.get(key=pair.public_key, key_pair=pair)
    Hyperbee(core).put(b"key", b"value")
    with pytest.raises(DecodingError, match="does not say which core its blobs are in"):
        Hyperdrive(store, core.key)


def test_a_core_that_is_no_bee_is_no_drive(store):
    core = store.get(name="log")
    core.append(b"text")
    with pytest.raises(DecodingError, match=f"core {core.id} is no Hyperdrive"):
        Hyperdrive(store, core.key)


def test_what_is_no_drive_is_not_left_open(store):
    with store.get(name="log") as core:
        core.append(b"text")
        key = core.key
    with pytest.raises(DecodingError):
        Hyperdrive(store, key)
    assert store.cores_in_use() == []
