"""Starts the JavaScript side once for all interop tests; seeds what is random."""

from random import Random

import pytest

from tests.interop.peer import Peer
from tests.interop.replication import Node
from tests.loops import HANG_S

pytest.register_assert_rewrite("tests.interop.core_operations")


@pytest.fixture(scope="session")
def peer():
    with Peer() as running:
        yield running


@pytest.fixture(scope="session")
def running_node():
    with Node() as node:
        yield node


@pytest.fixture
def node(running_node):
    """Give Node with nothing open; see to it that no error has ended a connection."""
    yield running_node
    assert running_node.ask("closeAll").result(HANG_S) == []


@pytest.fixture(params=[10, 11], ids=["hypercore10", "hypercore11"])
def version(request):
    return request.param


@pytest.fixture
def random(seed):
    print(f"HYPERCORE_INTEROP_SEED={seed}")
    return Random(seed)
