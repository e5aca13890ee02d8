import contextlib

import pytest

from hypercore import Hypercore, KeyPair
from hypercore.core import CoreState, open_core
from hypercore.crypto import discovery_key
from hypercore.encoding import encode_index
from hypercore.errors import BadArgument, HypercoreError, StorageCorrupt, StorageError
from hypercore.manifest import Manifest
from hypercore.storage import Database, LevelDB, Memory, records
from hypercore.storage.records import CoreHead, CoreKeys, Hints
from tests.hypercore.damage import cuts, flips

PAIR = KeyPair.from_seed(b"\x01" * 32)
OTHER = KeyPair.from_seed(b"\x02" * 32)
KEYS = CoreKeys(0)
KEY = Manifest.for_key(PAIR.public_key).key()
DISCOVERY_KEY = discovery_key(KEY)


def identity(core):
    return (core.key, core.id, core.discovery_key, core.key_pair, core.manifest, core.writable)


def state(core):
    return (
        core.length,
        core.byte_length,
        core.fork,
        core.contiguous_length,
        core.signature,
        core.tree_hash(),
    )


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 300])
def test_a_core_is_reopened_as_it_was(tmp_path, count):
    blocks = [b"%d" % number for number in range(count)]
    with Hypercore(tmp_path) as core:
        core.append(blocks)
        before = identity(core), state(core)
    with Hypercore(tmp_path) as core:
        assert (identity(core), state(core)) == before
        assert list(core.read_stream()) == blocks
        assert core.verify()


def test_a_reopened_core_goes_on_where_it_ended(tmp_path):
    with Hypercore(key_pair=PAIR) as whole:
        whole.append([b"%d" % number for number in range(9)])
        for number in range(9):
            with Hypercore(tmp_path, key_pair=PAIR) as core:
                assert core.append(b"%d" % number) == number + 1
                assert core.verify()
        with Hypercore(tmp_path) as core:
            assert state(core) == state(whole)


def test_every_new_directory_gets_a_new_key(tmp_path):
    with Hypercore(tmp_path / "a") as first, Hypercore(tmp_path / "b") as second:
        assert first.key != second.key


@pytest.mark.parametrize(
    "known",
    [{"key": KEY}, {"key_pair": PAIR}, {}],
    ids=["by-key", "by-key-pair", "as-stored"],
)
def test_the_stored_key_pair_makes_a_core_writable_however_it_is_opened(tmp_path, known):
    with Hypercore(tmp_path, key_pair=PAIR) as core:
        core.append(b"a")
    with Hypercore(tmp_path, **known) as core:
        assert core.append(b"b") == 2
        assert core.verify()


@pytest.mark.parametrize("compat", [False, True], ids=["manifest", "compat"])
def test_a_core_that_was_stored_by_its_key_alone_is_writable_once_its_key_pair_is_given(tmp_path, compat):
    key = PAIR.public_key if compat else KEY
    with Hypercore(tmp_path, key=key) as core:
        assert not core.writable
    with Hypercore(tmp_path, key=key, key_pair=PAIR) as core:
        assert core.append(b"a") == 1
        assert core.verify()
    with Hypercore(tmp_path) as core:
        assert (core.length, core.writable, core.verify()) == (1, True, True)


def test_a_key_can_be_given_as_id(tmp_path):
    with Hypercore(tmp_path, key_pair=PAIR) as core:
        before = identity(core)
    with Hypercore(tmp_path, key=before[1]) as core:
        assert identity(core) == before


def test_a_key_pair_of_another_core_is_refused():
    with pytest.raises(BadArgument, match="belongs to another key pair"):
        Hypercore(key=KEY, key_pair=OTHER)


@pytest.mark.parametrize("stored", [False, True], ids=["new", "stored"])
def test_a_key_pair_that_the_manifest_does_not_name_is_refused(tmp_path, stored):
    manifest = Manifest.for_key(PAIR.public_key)
    if stored:
        Hypercore(tmp_path, manifest=manifest).close()
    with pytest.raises(BadArgument, match=f"does not name {OTHER.public_key.hex()} as a signer"):
        Hypercore(tmp_path, manifest=manifest, key_pair=OTHER)
    with Hypercore(tmp_path, manifest=manifest, key_pair=PAIR) as core:
        assert core.append(b"a") == 1


@pytest.mark.parametrize("key", [bytes(31), "y" * 51, 7], ids=["short-bytes", "short-id", "number"])
def test_what_is_no_key_is_refused(tmp_path, key):
    with pytest.raises(BadArgument):
        Hypercore(tmp_path, key=key)
    Hypercore(tmp_path).close()


def test_opening_by_neither_key_nor_key_pair_is_refused():
    with pytest.raises(BadArgument, match="found none of them"):
        open_core(Database(Memory()))


def test_the_state_of_a_core_that_is_not_stored_cannot_be_had():
    with pytest.raises(StorageCorrupt, match="has no record"):
        CoreState(Database(Memory()), bytes(32))


# --- damaged records ----------------------------------------------------------------------------------------


def stored_core(count=5):
    """Return a store in memory with one core."""
    store = Memory()
    core = Hypercore.attached(open_core(Database(store), key_pair=PAIR), lambda: None)
    core.append([b"block %d" % number for number in range(count)])
    return store


def write(store, key, value):
    batch = store.batch()
    batch.delete(key) if value is None else batch.put(key, value)
    batch.write()


def open_stored(store):
    return Hypercore.attached(CoreState(Database(store), DISCOVERY_KEY), lambda: None)


NEEDED = {
    "core-record": records.core_key(DISCOVERY_KEY),
    "auth": records.auth_key(0),
    "first-root": KEYS.node + encode_index(3),
    "last-root": KEYS.node + encode_index(8),
}
RECORDS = NEEDED | {"store-head": records.STORE_HEAD_KEY, "core-head": KEYS.head, "hints": KEYS.hints}


@pytest.mark.parametrize("key", NEEDED.values(), ids=NEEDED)
def test_a_core_with_a_missing_record_is_corrupt(key):
    store = stored_core()
    write(store, key, None)
    with pytest.raises(StorageCorrupt, match="memory: core"):
        open_stored(store)


@pytest.mark.parametrize("key", RECORDS.values(), ids=RECORDS)
def test_a_core_with_a_damaged_record_is_corrupt_or_can_be_opened(key):
    store = stored_core()
    whole = store.get(key)
    for damaged in [*cuts(whole), *flips(whole)]:
        write(store, key, damaged)
        with contextlib.suppress(StorageError):
            assert open_stored(store).verify() in (True, False)


@pytest.mark.parametrize(
    ("key", "record"),
    [
        pytest.param(
            KEYS.head, CoreHead(0, 5, bytes(32), bytes(68)).encode(), id="tree-hash-of-another-tree"
        ),
        pytest.param(KEYS.head, CoreHead(0, 3, bytes(32), bytes(68)).encode(), id="root-that-is-not-stored"),
        pytest.param(KEYS.head, CoreHead(0, 2**53 - 1, bytes(32), bytes(68)).encode(), id="endless-length"),
        pytest.param(KEYS.hints, Hints(6).encode(), id="more-blocks-than-the-length"),
        pytest.param(KEYS.node + encode_index(8), b"\x06" + bytes(33), id="node-of-another-place"),
        pytest.param(
            records.auth_key(0),
            records.Auth(PAIR.public_key, discovery_key(PAIR.public_key), None, PAIR).encode(),
            id="auth-of-another-core",
        ),
        pytest.param(
            records.auth_key(0),
            records.Auth(KEY, DISCOVERY_KEY, Manifest.for_key(OTHER.public_key), PAIR).encode(),
            id="manifest-of-another-core",
        ),
    ],
)
def test_records_that_contradict_each_other_are_corrupt(key, record):
    store = stored_core()
    write(store, key, record)
    with pytest.raises(StorageCorrupt):
        open_stored(store)


def test_a_damaged_node_below_the_roots_is_reported_when_it_is_needed():
    store = stored_core()
    write(store, KEYS.node + encode_index(4), b"\x04")
    core = open_stored(store)
    with pytest.raises(StorageCorrupt, match="tree node 4"):
        core.tree_hash(3)


def test_a_missing_node_below_the_roots_is_reported_when_it_is_needed():
    store = stored_core()
    write(store, KEYS.node + encode_index(4), None)
    core = open_stored(store)
    with pytest.raises(HypercoreError, match="tree node 4 is not stored"):
        core.tree_hash(3)


def test_a_signature_that_does_not_hold_is_found_by_verify():
    store = stored_core()
    head = CoreHead.decode(store.get(KEYS.head))
    write(store, KEYS.head, CoreHead(0, 5, head.tree_hash, bytes(68)).encode())
    assert not open_stored(store).verify()


def test_a_store_that_is_damaged_does_not_keep_the_lock(tmp_path):
    store = LevelDB(tmp_path / "db")
    write(store, records.STORE_HEAD_KEY, b"\x09")
    store.close()
    with pytest.raises(StorageCorrupt) as error:
        Hypercore(tmp_path)
    LevelDB(tmp_path / "db").close()
    assert error.value.__traceback__ is not None  # kept, so that nothing was closed by being forgotten
