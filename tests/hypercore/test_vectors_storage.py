"""Compares the records of a store with those that the JavaScript packages write for the same steps."""

import pytest

from hypercore import Corestore, KeyPair
from hypercore.core import appending
from hypercore.storage import LevelDB
from tests.data.vectors import vectors

LIFE = vectors("core")["storage"]


def key_of(step_name):
    return next(step["key"] for step in LIFE["steps"] if step["label"] == step_name)


SEED_7 = KeyPair.from_seed(bytes([7]) * 32)

# In the order of the vectors; a step without an action here ends the replay.
ACTIONS = {
    "new-store": lambda store: None,
    "named-core": lambda store: store.get(name="a"),
    "batch-of-three": lambda store: store.get(name="a").append([b"hello", b"world", b"x"]),
    "name-with-zero-in-namespace": lambda store: store.namespace("ns").get(name="a\0b"),
    "empty-block": lambda store: store.get(name="a").append(b""),
    "batch-of-two": lambda store: store.get(name="a").append([b"five", b"six"]),
    "foreign-core": lambda store: store.get(key=key_of("foreign-core")),
    "core-of-key-pair": lambda store: store.get(key_pair=SEED_7),
    "long-block": lambda store: store.get(key_pair=SEED_7).append(b"\x01" * 300),
}


def recorded_until(last):
    """The reference's records after a step, but for bitfields: ours has none where all blocks are there."""
    records: dict[str, str] = {}
    for step in LIFE["steps"]:
        records |= {key: value for key, value in step["put"].items() if not isinstance(value, dict)}
        for key in step["del"]:
            records.pop(key, None)
        if step["label"] == last:
            break
    return records


@pytest.mark.parametrize("last", ACTIONS)
def test_a_store_holds_the_records_of_the_reference(last, tmp_path, monkeypatch):
    monkeypatch.setattr(appending, "time_ns", lambda: LIFE["timestamp"] * 1_000_000)
    with Corestore(tmp_path, primary_key=bytes.fromhex(LIFE["primaryKey"])) as store:
        for name, action in ACTIONS.items():
            action(store)
            if name == last:
                break
    database = LevelDB(tmp_path / "db")
    records = {key.hex(): value.hex() for key, value in database.items(b"\x00", b"\xff")}
    database.close()
    assert records == recorded_until(last)
