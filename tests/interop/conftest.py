"""Starts the JavaScript side once for all interop tests; seeds what is random."""

from random import Random

import pytest

from tests.interop.peer import Peer

pytest.register_assert_rewrite("tests.interop.core_operations")


@pytest.fixture(scope="session")
def peer():
    with Peer() as running:
        yield running


@pytest.fixture
def random(seed):
    print(f"HYPERCORE_INTEROP_SEED={seed}")
    return Random(seed)
