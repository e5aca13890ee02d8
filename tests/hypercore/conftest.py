"""Fixtures and the hypothesis settings of the tests of the hypercore package."""

import pytest
from hypothesis import settings

from hypercore import Hyperbee, Hypercore, KeyPair
from hypercore.core import open_core
from hypercore.storage import Database, LevelDB, Memory
from tests.hypercore.faults import FaultyStore

settings.register_profile("hypercore", deadline=None, max_examples=60)
settings.load_profile("hypercore")


@pytest.fixture
def core():
    """A writable core in memory."""
    with Hypercore() as core:
        yield core


@pytest.fixture
def bee(core):
    """An empty bee in memory, with text for keys and values."""
    return Hyperbee(core, key_encoding="utf-8", value_encoding="utf-8")


@pytest.fixture(params=["memory", "leveldb"])
def store(request, tmp_path):
    """An empty key-value store of each kind."""
    store = Memory() if request.param == "memory" else LevelDB(tmp_path / "db")
    yield store
    store.close()


@pytest.fixture
def faulty_store(store):
    """A key-value store of each kind that fails when it is told to."""
    return FaultyStore(store)


@pytest.fixture
def faulty_core(faulty_store):
    """A writable core on the faulty store."""
    database = Database(faulty_store)
    with Hypercore.attached(open_core(database, key_pair=KeyPair.generate()), database.close) as core:
        yield core
