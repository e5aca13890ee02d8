"""Which cores a store has, and whether there is a store at all."""

import pytest

from hypercore import Corestore, KeyPair
from hypercore.errors import Closed, StorageEmpty
from hypercore.storage import LevelDB


def test_a_store_lists_its_cores_of_every_namespace_and_of_none():
    with Corestore() as store:
        cores = [
            store.get(name="a"),
            store.namespace("inner").get(name="a"),
            store.get(key_pair=KeyPair.generate()),
            store.get(key=KeyPair.generate().public_key),
        ]
        assert sorted(store.cores()) == sorted(core.key for core in cores)
        assert sorted(store.namespace("inner").cores()) == sorted(store.cores())


def test_a_new_store_has_no_cores():
    with Corestore() as store:
        assert list(store.cores()) == []


def test_a_purged_core_is_not_listed():
    with Corestore() as store:
        store.get(name="a").purge()
        assert list(store.cores()) == []


def test_the_cores_of_a_closed_store_are_refused():
    store = Corestore()
    store.close()
    with pytest.raises(Closed):
        store.cores()


@pytest.mark.parametrize("exists", [False, True])
def test_a_store_that_is_not_to_be_made_leaves_nothing_behind(tmp_path, exists):
    if exists:
        (tmp_path / "db").mkdir()
    with pytest.raises(StorageEmpty, match="there is no store"):
        LevelDB(tmp_path / "db", create=False)
    assert len(list(tmp_path.rglob("*"))) == exists


def test_a_store_that_is_there_opens_without_being_made(tmp_path):
    LevelDB(tmp_path / "db").close()
    LevelDB(tmp_path / "db", create=False).close()
