"""A process that is killed while it changes a drive: what it acknowledged is there, with its data."""

import random

import pytest

from hypercore import Corestore, Hyperdrive
from tests.hypercore.hyperdrive.plain_drive import after, files_of, random_change
from tests.hypercore.killed_writer import writers

KILLS = 60
AUDIT_EVERY = 20


def replay(files, seed, changes):
    """Return what a writer made of the files with its first changes, and with one more."""
    chance = random.Random(seed)
    for _ in range(changes):
        files = after(files, random_change(chance))
    return files, after(files, random_change(chance))


def found(path, *, audit):
    with Corestore(path) as store, Hyperdrive(store) as drive:
        cores = drive.core, drive.blobs.core
        assert all(core.verify() for core in cores)
        if audit:
            assert [finding for core in cores for finding in core.audit()] == []
        return files_of(drive)


@pytest.mark.parametrize("first_seed", [1000, 2000])
def test_every_acknowledged_change_survives_a_kill_and_at_most_one_more(tmp_path, first_seed):
    chance = random.Random(first_seed)
    files: dict = {}
    with writers(tmp_path, "tests.hypercore.hyperdrive.plain_drive") as each:
        for seed in range(first_seed, first_seed + KILLS):
            acknowledged = each.kill_one(seed, chance.randrange(20))
            allowed = replay(files, seed, acknowledged)
            files = found(tmp_path, audit=seed % AUDIT_EVERY == 0)
            assert files in allowed
