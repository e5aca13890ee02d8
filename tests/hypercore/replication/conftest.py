"""Fixtures of the tests of replication."""

import pytest

from hypercore import Corestore, corestore
from hypercore.replication import SingleCore
from hypercore.storage import Database, Memory
from tests.hypercore.faults import FaultyStore
from tests.hypercore.replication.network import Network


@pytest.fixture
def network():
    """Connections in memory."""
    network = Network()
    yield network
    network.close()


@pytest.fixture
def store():
    """A store in memory."""
    with Corestore() as store:
        yield store


@pytest.fixture
def stores():
    """Two stores in memory."""
    with Corestore() as one, Corestore() as other:
        yield one, other


@pytest.fixture
def faulty():
    """A key-value store that fails when it is told to."""
    return FaultyStore(Memory())


@pytest.fixture
def faulty_reader(monkeypatch, faulty):
    """A store whose storage fails when ``faulty`` is told to."""
    monkeypatch.setattr(corestore, "open_database", lambda path, *, sync: Database(faulty))
    with Corestore() as store:
        monkeypatch.undo()
        yield store


@pytest.fixture
def copy_of(network, store):
    """Connect an empty copy to a core, and return it with its end of the connection."""

    def copy_of(core, **options):
        copy = store.get(key=core.key)
        end = network.connect(store, SingleCore(core), **options)
        network.run()
        return copy, end

    return copy_of
