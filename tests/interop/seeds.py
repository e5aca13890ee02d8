"""Seeds of the tests on random histories."""

import os
from random import Random, SystemRandom

import pytest


def _fresh_seed() -> int:
    """A seed that no run had before; the processes of one run of pytest-xdist have to agree on it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    return int(run, 16) % 2**32 if run else SystemRandom().randrange(2**32)


# A fresh seed in every run finds what fixed ones do not; to repeat one, set the variable to the failed seed.
FRESH_SEED = int(os.environ.get("HYPERCORE_INTEROP_SEED", _fresh_seed()))
MANY_FRESH_SEEDS = [FRESH_SEED, *Random(FRESH_SEED).sample(range(2**32), 199)]
SEEDS = [pytest.param(seed, id=f"seed-{seed}") for seed in range(12)] + [
    pytest.param(FRESH_SEED, id="fresh-seed")
]
