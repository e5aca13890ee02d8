"""A process that is killed while it changes a core: every change that it acknowledged is there afterwards."""

import random

import pytest

from hypercore import Hypercore
from tests.hypercore.killed_writer import writers
from tests.hypercore.plain_core import PlainCore, random_change

KILLS = 80
AUDIT_EVERY = 20


def replay(plain, seed, changes):
    """Return what a writer made of a core with its first changes, and with one more."""
    chance = random.Random(seed)
    for _ in range(changes):
        plain = plain.after(random_change(chance, len(plain.blocks)))
    return plain, plain.after(random_change(chance, len(plain.blocks)))


def found(path, *, audit):
    with Hypercore(path) as core:
        assert core.verify()
        if audit:
            assert core.audit() == []
        return PlainCore.of(core)


@pytest.mark.parametrize("first_seed", [1000, 2000, 3000])
def test_every_acknowledged_change_survives_a_kill_and_at_most_one_more(tmp_path, first_seed):
    chance = random.Random(first_seed)
    plain = PlainCore()
    with writers(tmp_path, "tests.hypercore.plain_core") as each:
        for seed in range(first_seed, first_seed + KILLS):
            acknowledged = each.kill_one(seed, chance.randrange(30))
            allowed = replay(plain, seed, acknowledged)
            plain = found(tmp_path, audit=seed % AUDIT_EVERY == 0)
            assert plain in allowed
