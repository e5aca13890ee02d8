"""What an audit of a whole store finds, each kind of it made by hand in what is stored."""

import pytest

from hypercore import Corestore, KeyPair
from hypercore.core import open_core
from hypercore.core.audit_store import audit_store
from hypercore.crypto import ROOT_NAMESPACE
from hypercore.storage import Database, Memory, open_database
from hypercore.storage.records import (
    STORE_HEAD_KEY,
    CoreRecord,
    StoreHead,
    alias_key,
    auth_key,
    core_key,
)
from tests.hypercore.core.stored import flipped, opened, write

APART = bytes([9]) * 32
ALIAS = alias_key(ROOT_NAMESPACE, "log")
NOBODY = bytes([5]) * 32


@pytest.fixture
def store():
    return Memory()


@pytest.fixture
def cores(store):
    """The discovery keys of three cores: 'log', 'data' in a namespace, and one without a name."""
    database = Database(store)
    aliases = [(ROOT_NAMESPACE, "log"), (APART, "data"), None]
    return [
        open_core(database, key_pair=KeyPair.from_seed(bytes([number]) * 32), alias=alias).discovery_key
        for number, alias in enumerate(aliases)
    ]


def audit(store):
    return list(audit_store(Database(store)))


# --- nothing is wrong ---------------------------------------------------------------------------------------


def test_a_store_as_it_was_written_has_nothing_wrong(store, cores):
    assert audit(store) == []


def test_a_store_without_cores_has_nothing_wrong(store):
    assert audit(store) == []
    Database(store).seed()
    assert audit(store) == []


def test_a_corestore_that_was_used_has_nothing_wrong(tmp_path):
    with Corestore(tmp_path) as stores:
        apart = stores.namespace("apart")
        for name in ("a", "b", "\x00 ü"):
            apart.get(name=name).append(b"block")
            stores.get(name=name).session("work").append(b"block")
        pair = stores.create_key_pair("later")
        stores.get(key_pair=pair)
        stores.get(name="later")
        stores.get(key=bytes(32))
        apart.get(name="a").purge()
    database = open_database(tmp_path)
    assert list(audit_store(database)) == []
    database.close()


# --- every kind of finding ----------------------------------------------------------------------------------


def test_a_name_of_a_core_that_is_not_there_is_found(store, cores):
    write(store, alias_key(APART, "lost"), NOBODY)
    name = f"the name 'lost' in namespace {APART.hex()}"
    assert audit(store) == [f"{name} leads to core {NOBODY.hex()}, which is not there"]


@pytest.mark.parametrize("number", [1, 2], ids=["another-name", "no-name"])
def test_a_name_of_a_core_that_does_not_have_it_is_found(store, cores, number):
    write(store, ALIAS, cores[number])
    assert audit(store) == [f"the name 'log' leads to core {cores[number].hex()}, which does not have it"]


def test_a_name_that_leads_nowhere_is_found(store, cores):
    write(store, ALIAS, None)
    assert audit(store) == [f"the name 'log' does not lead to core {cores[0].hex()}, which has it"]


def test_a_name_that_two_cores_have_is_found(store, cores):
    write(store, core_key(cores[2]), CoreRecord(2, 2, "log", ROOT_NAMESPACE).encode())
    assert audit(store) == [
        f"the name 'log' leads to core {cores[0].hex()}, but core {cores[2].hex()} has it, too"
    ]


def test_an_auth_record_of_another_core_is_found(store, cores):
    write(store, auth_key(0), store.get(auth_key(1)))
    assert audit(store) == [f"auth record 0 is that of core {cores[1].hex()}, which looks for it in 1"]


def test_an_auth_record_of_a_core_that_is_not_there_is_found(store, cores):
    write(store, core_key(cores[2]), None)
    assert audit(store) == [f"auth record 2 is that of core {cores[2].hex()}, which is not there"]


@pytest.mark.parametrize("record", [core_key, lambda core: auth_key(0)], ids=["core", "auth"])
def test_a_record_that_cannot_be_read_is_left_to_the_audit_of_its_core(store, cores, record):
    write(store, record(cores[0]), b"\xff")
    assert audit(store) == []


def test_numbers_that_would_be_given_away_once_more_are_found(store, cores):
    head = StoreHead.decode(store.get(STORE_HEAD_KEY))
    write(store, STORE_HEAD_KEY, StoreHead(2, 1, head.groups, head.seed).encode())
    assert audit(store) == [
        "the next core is going to get number 2, but those up to 2 are taken",
        "the next data is going to get number 1, but those up to 2 are taken",
    ]


def test_the_data_of_a_session_is_not_given_away_once_more(store):
    opened(store).session("work")
    write(store, STORE_HEAD_KEY, StoreHead(1, 1).encode())
    assert audit(store) == ["the next data is going to get number 1, but those up to 1 are taken"]


def test_records_with_keys_that_nobody_wrote_do_not_stop_an_audit(store, cores):
    for key in (b"\x02", b"\x02short", ALIAS[:-1], b"\x03", b"\x03\xfc", auth_key(0) + b"\x00", b"\x01short"):
        write(store, key, flipped(NOBODY))
    audit(store)


def test_an_audit_of_a_store_changes_nothing(store, cores):
    write(store, ALIAS, None)
    before = dict(store.items(b"", b"\xff"))
    audit(store)
    assert dict(store.items(b"", b"\xff")) == before
