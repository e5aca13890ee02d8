"""The same primary key, names and blocks give the same cores in JavaScript and here."""

import pytest

from hypercore import Corestore
from tests.data.lcg import random_below

PRIMARY_KEY = bytes(range(32))

NAMES = {
    "plain": ([], "core"),
    "results": ([], "res-bee"),
    "unicode": ([], "blåbær 🫐"),
    "zero-byte": ([], "a\0b"),
    "long": ([], "x" * 300),
    "namespace": (["app"], "core"),
    "nested-namespace": (["app", "inner"], "core"),
}


def blocks_of_size(count, size):
    return [bytes([i % 256]) * size for i in range(count)]


def blocks_of_random_sizes(count):
    below = random_below(count)
    return [bytes([below(256)]) * below(600) for _ in range(count)]


HISTORIES = {
    "nothing": [],
    "one-block": [b"hello"],
    "empty-block": [b""],
    "empty-blocks": [b""] * 5,
    "single-appends": blocks_of_size(33, 10),
    "empty-between": [b"a", b"", b"b", b"", b""],
    "one-batch": [blocks_of_size(100, 100)],
    "batches-of-growing-length": [blocks_of_size(n, 7) for n in range(1, 20)],
    "singles-and-batches": [b"one", [b"two", b""], b"three", blocks_of_size(64, 3), b"last"],
    "random-sizes": blocks_of_random_sizes(40),
    "random-sizes-batch": [blocks_of_random_sizes(300)],
    "large-blocks": [bytes(1_000_000), [b"\xff" * 70_000, b"small"]],
}


def in_hex(appends):
    return [
        [each.hex() for each in blocks] if isinstance(blocks, list) else blocks.hex() for blocks in appends
    ]


def write_in_javascript(peer, namespace, name, appends):
    core = {"namespace": namespace, "name": name, "appends": in_hex(appends)}
    (written,) = peer("writeCores", primaryKey=PRIMARY_KEY.hex(), cores=[core])
    return written


def open_core(store, namespace, name):
    for each in namespace:
        store = store.namespace(each)
    return store.get(name=name)


def state_of(core):
    return {
        "length": core.length,
        "byteLength": core.byte_length,
        "fork": core.fork,
        "treeHash": core.tree_hash().hex(),
        "signature": core.signature.hex(),
    }


@pytest.mark.parametrize(("namespace", "name"), NAMES.values(), ids=NAMES)
def test_a_name_gives_the_same_keys(peer, namespace, name):
    theirs = write_in_javascript(peer, namespace, name, [])
    with Corestore(primary_key=PRIMARY_KEY) as store:
        ours = open_core(store, namespace, name)
        assert ours.key.hex() == theirs["key"]
        assert ours.id == theirs["id"]
        assert ours.discovery_key.hex() == theirs["discoveryKey"]
        assert ours.key_pair.public_key.hex() == theirs["publicKey"]


@pytest.mark.parametrize("appends", HISTORIES.values(), ids=HISTORIES)
def test_the_same_appends_give_the_same_tree_and_signature(peer, appends, tmp_path):
    theirs = write_in_javascript(peer, [], "core", appends)
    with Corestore(tmp_path, primary_key=PRIMARY_KEY) as store:
        core = store.get(name="core")
        for blocks, state in zip(appends, theirs["states"], strict=True):
            core.append(blocks)
            ours = state_of(core)
            assert ours == {field: state[field] for field in ours}
        assert [block.hex() for block in core.read_stream()] == theirs["blocks"]


def test_one_batch_and_single_appends_give_the_same_tree_and_signature(peer):
    blocks = blocks_of_random_sizes(77)
    theirs = write_in_javascript(peer, [], "core", blocks)["states"][-1]
    with Corestore(primary_key=PRIMARY_KEY) as store:
        core = store.get(name="core")
        core.append(blocks)
        ours = state_of(core)
    assert ours == {field: theirs[field] for field in ours}


def test_a_core_that_was_closed_grows_on_as_in_javascript(peer, tmp_path):
    blocks = blocks_of_size(20, 50)
    theirs = write_in_javascript(peer, [], "core", blocks)["states"]
    for block, state in zip(blocks, theirs, strict=True):
        with Corestore(tmp_path, primary_key=PRIMARY_KEY) as store:
            core = store.get(name="core")
            core.append(block)
            ours = state_of(core)
        assert ours == {field: state[field] for field in ours}
