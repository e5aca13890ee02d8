"""Fixtures for the tests that run the real wrapper."""

import contextlib

import pytest

from tests.exporter.wrapper import Experiments, Wrapper


@pytest.fixture
def experiments(tmp_path):
    """Makes a directory of experiments: ``experiments(fast=PASS, slow=HANG)``."""
    return lambda **bodies: Experiments(tmp_path / "experiments", **bodies)


@pytest.fixture
def start(tmp_path):
    """Starts a wrapper on such a directory; what still runs at the end of the test is killed."""
    with contextlib.ExitStack() as stack:

        def start_wrapper(suite=None, *arguments, **environment):
            directory = ("--benchmarks", suite.path) if suite else ()
            return stack.enter_context(Wrapper(tmp_path / "home", *directory, *arguments, **environment))

        yield start_wrapper
