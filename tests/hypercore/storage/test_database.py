import pytest

from hypercore.core import open_core
from hypercore.crypto import KeyPair, discovery_key
from hypercore.errors import DecodingError, StorageConflict, StorageCorrupt, StorageError
from hypercore.manifest import Manifest
from hypercore.storage import Database, records
from hypercore.storage.records import CoreRecord

PAIR = KeyPair.from_seed(b"\x01" * 32)
NAMESPACE = bytes(32)


@pytest.fixture
def database(store):
    return Database(store)


@pytest.fixture
def faulty_database(faulty_store):
    return Database(faulty_store)


def create(database, number, name=None):
    """Store a core with a key of its own; return its discovery key."""
    key = bytes([number]) * 32
    database.create_core(key, Manifest.for_key(key), None, None if name is None else (NAMESPACE, name))
    return discovery_key(key)


def entries(store):
    return list(store.items(b"", b"\xff"))


def test_a_new_store_is_empty(database, store):
    assert database.default_discovery_key is None
    assert list(database.cores()) == []
    assert database.core(bytes(32)) is None
    assert database.alias(NAMESPACE, "a") is None
    assert entries(store) == []


def test_the_seed_is_made_once_and_kept(database, store):
    seed = database.seed()
    assert len(seed) == 32
    assert database.seed() == seed == Database(store).seed()


def test_the_wanted_seed_is_kept(database, store):
    assert database.seed(b"\x07" * 32) == b"\x07" * 32
    assert Database(store).seed() == b"\x07" * 32


def test_another_seed_than_the_stored_one_is_refused(database, store):
    database.seed(b"\x07" * 32)
    with pytest.raises(StorageConflict, match=store.name):
        Database(store).seed(b"\x08" * 32)
    assert database.seed() == b"\x07" * 32


def test_every_core_gets_pointers_of_its_own(database):
    found = [database.core(create(database, number)) for number in range(3)]
    assert found == [CoreRecord(0, 0), CoreRecord(1, 1), CoreRecord(2, 2)]


def test_cores_are_listed_in_the_order_of_their_discovery_keys(database):
    assert list(database.cores()) == []
    created = [create(database, number) for number in range(5)]
    assert list(database.cores()) == sorted(created)


def test_the_first_core_is_the_default_also_after_reopening(database, store):
    first = create(database, 1)
    create(database, 2)
    assert database.default_discovery_key == Database(store).default_discovery_key == first


def test_a_named_core_is_found_by_its_name(database):
    stored = create(database, 1, "näme")
    assert database.alias(NAMESPACE, "näme") == stored
    assert database.alias(b"\x01" * 32, "näme") is None
    assert database.core(stored) == CoreRecord(0, 0, "näme", NAMESPACE)


def test_key_manifest_and_key_pair_are_read_back(database):
    manifest = Manifest.for_key(PAIR.public_key)
    record = database.create_core(manifest.key(), manifest, PAIR)
    auth = database.auth(record)
    assert (auth.key, auth.manifest, auth.key_pair) == (manifest.key(), manifest, PAIR)
    assert auth.discovery_key == discovery_key(manifest.key())


def test_a_core_without_auth_record_is_corrupt(database, store):
    with pytest.raises(StorageCorrupt, match=f"{store.name}: core 9 has no auth record"):
        database.auth(CoreRecord(9, 9))


def test_a_damaged_record_is_reported_with_store_and_record(database, store):
    def refuse(stored):
        raise DecodingError("what is wrong")

    with pytest.raises(StorageCorrupt, match=f"{store.name}: the thing is damaged: what is wrong"):
        database.decode(refuse, b"", "thing")


def test_a_damaged_store_head_is_corrupt(store):
    batch = store.batch()
    batch.put(records.STORE_HEAD_KEY, b"\x02\x00")
    batch.write()
    with pytest.raises(StorageCorrupt, match=f"{store.name}: the store head is damaged"):
        Database(store)


def test_nothing_is_stored_of_a_core_whose_write_fails(faulty_database, faulty_store):
    with faulty_store.failing(StorageError("disk full")), pytest.raises(StorageError):
        create(faulty_database, 1, "a")
    assert entries(faulty_store) == []
    assert faulty_database.default_discovery_key is None
    assert faulty_database.core(create(faulty_database, 2)) == CoreRecord(0, 0)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_core_made_after_an_interrupt_does_not_take_the_records_of_another(
    faulty_database, faulty_store, when
):
    with faulty_store.failing(KeyboardInterrupt(), when=when), pytest.raises(KeyboardInterrupt):
        create(faulty_database, 1)
    keys = {bytes([number]) * 32 for number in (1, 2)}
    opened = {open_core(faulty_database, key=key).key for key in keys}
    opened_again = {open_core(faulty_database, key=key).key for key in keys}
    assert opened == opened_again == keys


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupted_first_seed_is_not_a_second_one(faulty_database, faulty_store, when):
    with faulty_store.failing(KeyboardInterrupt(), when=when), pytest.raises(KeyboardInterrupt):
        faulty_database.seed()
    stored = faulty_database.seed()
    assert Database(faulty_store).seed() == stored
