"""Starts the JavaScript side once for all interop tests."""

import pytest

from tests.interop.peer import Peer


@pytest.fixture(scope="session")
def peer():
    with Peer() as running:
        yield running
