"""Proofs: both sides make the same, and each takes those of the other, or refuses them alike."""

import pytest

from tests.interop.core_histories import KINDS, live, random_batch, random_offsets
from tests.interop.core_operations import Life, assert_same_life
from tests.interop.core_requests import follow, go_over, random_request
from tests.interop.seeds import SEEDS


def ask(random, life, questions):
    """Ask a core for random proofs."""
    for _ in range(questions):
        life.do("prove", request=random_request(random, life.core))


@pytest.mark.parametrize("seed", SEEDS)
def test_both_make_the_same_proofs_of_a_core(peer, random):
    with Life(None, **random.choice(list(KINDS.values()))) as life:
        for _ in range(3):
            live(random, life, steps=6, reopen=0)
            ask(random, life, questions=60)
    assert_same_life(peer, life)


@pytest.fixture
def pair(random):
    """A core, and a peer of it that knows only its key."""
    kind = random.choice(list(KINDS.values()))
    with Life(None, **kind) as source, Life(None, key=source.core.key) as follower:
        yield source, follower


@pytest.mark.parametrize("seed", SEEDS)
def test_both_accept_and_refuse_the_same_proofs_and_prove_on_from_parts(peer, random, pair):
    source, follower = pair
    for _ in range(4):
        source.do("append", blocks=random_batch(random))
        follow(random, source, follower, requests=12)
        follower.do("missingNodes")
        follower.do("blocks")
        follower.do("seek", offsets=random_offsets(random, follower.core, 20))
        ask(random, follower, questions=20)
    assert_same_life(peer, source)
    assert_same_life(peer, follower)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_peer_goes_over_to_the_fork_of_a_truncated_core_as_in_javascript(peer, random, pair):
    source, follower = pair
    source.do("append", blocks=random_batch(random))
    for _ in range(4):
        follow(random, source, follower, requests=random.choice((1, 4, 40)))
        source.do("truncate", length=random.randint(0, source.core.length))
        source.do("append", blocks=random_batch(random))
        go_over(source, follower)
        follower.do("missingNodes")
        follow(random, source, follower, requests=4)
        ask(random, follower, questions=10)
    assert_same_life(peer, source)
    assert_same_life(peer, follower)
