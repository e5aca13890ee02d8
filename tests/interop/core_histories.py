"""Random histories of cores, lived on our side; core_operations.assert_same_life repeats them in Node."""

from __future__ import annotations

from random import Random

from hypercore import Hypercore, KeyPair
from hypercore.manifest import Manifest, Signer
from tests.interop.core_operations import Life

KEY_PAIR = KeyPair.from_seed(bytes([1]) * 32)

KINDS = {
    "name": {"name": "core"},
    "version-0": {"manifest": Manifest.for_key(KEY_PAIR.public_key, version=0), "key_pair": KEY_PAIR},
    "version-1": {
        "manifest": Manifest.create(Signer(KEY_PAIR.public_key, bytes([9]) * 32)),
        "key_pair": KEY_PAIR,
    },
    "version-2": {
        "manifest": Manifest.create(
            Signer(KEY_PAIR.public_key), linked=(bytes([7]) * 32,), user_data=b"application"
        ),
        "key_pair": KEY_PAIR,
    },
    "compat": {"key": KEY_PAIR.public_key, "key_pair": KEY_PAIR},
}
"""What writable cores of each kind are opened by."""


def random_block(random: Random) -> str:
    return random.randbytes(random.choice((0, 0, 1, 2, 7, 40, random.randint(0, 600)))).hex()


def random_blocks(random: Random) -> str | list[str]:
    """Return one block, or a list of them, now and then of none."""
    if random.random() < 0.4:
        return random_block(random)
    return random_batch(random) if random.random() < 0.95 else []


def random_batch(random: Random) -> list[str]:
    return [random_block(random) for _ in range(random.choice((1, 2, 3, 8, random.randint(1, 70))))]


def live(random: Random, life: Life, steps: int, *, reopen: float = 0.08) -> None:
    """Append, truncate, clear and reopen."""
    for _ in range(steps):
        core = life.core
        kind = random.random()
        if kind < 0.55:
            life.do("append", blocks=random_blocks(random))
        elif kind < 0.72:
            truncate(random, life)
        elif kind < 1 - reopen:
            start = random.randint(0, core.length)
            life.do("clear", start=start, end=start + random.choice((0, 1, 1, 2, random.randint(0, 50))))
        else:
            life.do("reopen")


def truncate(random: Random, life: Life) -> None:
    """Truncate, a little as often as a lot; now and then in vain, or to the length the core has."""
    core = life.core
    length = max(core.length - random.choice((0, 1, 2, random.randint(0, core.length + 3))), 0)
    if random.random() < 0.05:
        length = core.length + 1
    if random.random() < 0.3:
        life.do("truncate", length=length, fork=core.fork + random.randint(1, 300))
    else:
        life.do("truncate", length=length)


def random_offsets(random: Random, core: Hypercore, count: int) -> list[int]:
    """Return byte offsets from the first to the one behind the last byte."""
    return [0, core.byte_length, *(random.randint(0, core.byte_length) for _ in range(count))]
