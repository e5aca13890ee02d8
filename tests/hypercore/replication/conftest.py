"""Fixtures of the tests of replication."""

import pytest

from hypercore import Corestore
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
