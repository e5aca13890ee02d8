"""Encrypted cores: both store the same bytes for a block, and read those of the other."""

import pytest

from tests.interop.core_histories import KINDS, live, random_batch, random_offsets
from tests.interop.core_operations import Life, assert_same_life
from tests.interop.core_requests import follow
from tests.interop.seeds import SEEDS

ENCRYPTION_KEY = bytes(range(32))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("seed", SEEDS[::3])
def test_encrypted_cores_store_the_same_blocks_through_random_histories(peer, random, kind, tmp_path):
    with Life(tmp_path, **kind, encryption_key=ENCRYPTION_KEY) as life:
        for _ in range(3):
            live(random, life, steps=8)
            life.do("blocks")
            life.do("seek", offsets=random_offsets(random, life.core, 20))
    assert_same_life(peer, life)


def test_blocks_that_follow_a_truncation_are_encrypted_anew(peer):
    with Life(None, name="core", encryption_key=ENCRYPTION_KEY) as life:
        for fork in (None, 7, 2**40):
            life.do("append", blocks=["61", "", "62"])
            life.do("blocks")
            life.do("truncate", length=1, **({} if fork is None else {"fork": fork}))
        life.do("append", blocks=["61", "", "62"])
        life.do("blocks")
    assert_same_life(peer, life)
    assert len({each[1]["stored"] for each in life.answers if isinstance(each, list)}) == 4


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("seed", SEEDS[::4])
def test_a_peer_with_the_encryption_key_reads_what_it_was_given_proof_of(peer, random, kind, tmp_path):
    source = Life(None, **kind, encryption_key=ENCRYPTION_KEY)
    follower = Life(tmp_path, key=source.core.key, encryption_key=ENCRYPTION_KEY)
    with source, follower:
        for _ in range(3):
            source.do("append", blocks=random_batch(random))
            follow(random, source, follower, requests=12)
        # Only now does Node know how the blocks of a compat core are encrypted.
        follower.do("reopen")
        follower.do("blocks")
        follower.do("seek", offsets=random_offsets(random, follower.core, 20))
    assert_same_life(peer, source)
    assert_same_life(peer, follower)
