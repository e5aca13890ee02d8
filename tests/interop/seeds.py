"""Seeds of the tests on random histories."""

import os
from random import Random, SystemRandom

import pytest

# A fresh seed in every run finds what fixed ones do not; to repeat one, set the variable to the failed seed.
FRESH_SEED = int(os.environ.get("HYPERCORE_INTEROP_SEED", SystemRandom().randrange(2**32)))
MANY_FRESH_SEEDS = [FRESH_SEED, *Random(FRESH_SEED).sample(range(2**32), 199)]
SEEDS = [pytest.param(seed, id=f"seed-{seed}") for seed in range(12)] + [
    pytest.param(FRESH_SEED, id="fresh-seed")
]
