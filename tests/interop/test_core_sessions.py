"""Named sessions and user data: a commit gives the same tree and signature in JavaScript and here."""

import pytest

from tests.interop.core_histories import KINDS, random_batch, random_blocks
from tests.interop.core_operations import Life, assert_same_life
from tests.interop.seeds import SEEDS

ENCRYPTION_KEYS = (None, None, bytes(range(32)))


NAMES = ("a", "b")


def live_with_sessions(random, life, steps):
    for _ in range(steps):
        name = random.choice(NAMES)
        kind = random.random()
        if kind < 0.45:
            life.do("append", session=name, blocks=random_blocks(random))
        elif kind < 0.49:
            life.do("append", blocks=random_blocks(random))
        elif kind < 0.55:
            life.do("restart", session=name)
        elif kind < 0.62:
            truncate_and_reopen(random, life, name)
        elif kind < 0.85:
            commit(random, life, name)
        else:
            life.do("blocks", session=name)


def length_of(life, name):
    return life.do("state", session=name)["length"]


def truncate_and_reopen(random, life, name):
    """Truncate a session; unless it is opened again then, Node signs its commit for the session's fork."""
    lengths = {each: length_of(life, each) for each in NAMES}
    lengths[name] = random.randint(lengths[name] // 2, lengths[name])
    # When Node opens a session that is as long as the core again, it takes the one tree for the other.
    if life.core.length not in lengths.values():
        life.do("truncate", session=name, length=lengths[name])
        life.do("reopen")
        for each in NAMES:
            length_of(life, each)


def commit(random, life, name):
    """Commit a session, or its beginning."""
    length = length_of(life, name)
    if random.random() < 0.3:
        length = random.randint(length // 2, length)
    # Node forgets the signature of the core when a commit adds nothing to it.
    if length != life.core.length:
        life.do("commit", **{"from": name, "length": length})


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("seed", SEEDS[::2])
def test_named_sessions_grow_and_are_committed_to_the_same_states(peer, random, kind, tmp_path):
    with Life(tmp_path, **kind, encryption_key=random.choice(ENCRYPTION_KEYS)) as life:
        life.do("append", blocks=random_batch(random))
        life.do("truncate", length=random.randint(0, life.core.length))
        live_with_sessions(random, life, steps=25)
        life.do("blocks")
    assert_same_life(peer, life)


USER_DATA_NAMES = ("", "key", "with\0zero", "blåbær 🫐", "x" * 300)


def test_user_data_is_kept_by_name_until_it_is_removed(peer, tmp_path):
    with Life(tmp_path, name="core") as life:
        for value in ("61", "", None, "00ff"):
            for name in USER_DATA_NAMES:
                life.do("setUserData", name=name, value=value)
            life.do("append", blocks="61")
            life.do("reopen")
            for name in (*USER_DATA_NAMES, "never set"):
                life.do("userData", name=name)
    assert_same_life(peer, life)
