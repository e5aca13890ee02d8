import pytest

from hypercore import Corestore, Hyperdrive


@pytest.fixture
def store():
    """A Corestore in memory."""
    with Corestore() as store:
        yield store


@pytest.fixture
def drive(store):
    """An empty drive in memory."""
    with Hyperdrive(store) as drive:
        yield drive
