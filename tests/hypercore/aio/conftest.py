"""Two stores, a core in the first, and its copy, still empty, in the second."""

import pytest

from hypercore import Corestore
from tests.hypercore.aio.two_stores import BLOCKS


@pytest.fixture
def stores():
    with Corestore() as first, Corestore() as second:
        yield first, second


@pytest.fixture
def core(stores):
    core = stores[0].get(name="core")
    core.append(BLOCKS)
    return core


@pytest.fixture
def copy(stores, core):
    return stores[1].get(key=core.key)
