"""Compares keys, trees, signatures and stored records with those of the JavaScript packages."""

import pytest

from hypercore import Corestore, Hypercore, KeyPair
from hypercore.merkle import MerkleTree
from hypercore.signing import Authority
from tests.data.manifests import manifest_of
from tests.data.vectors import vectors

VECTORS = vectors("core")
BLOCKS = [bytes.fromhex(block) for block in VECTORS["blocks"]]
KEY_PAIR = KeyPair.from_seed(bytes([1]) * 32)


def named(section):
    return [pytest.param(each, id=each["name"]) for each in VECTORS[section]]


STORE_CORES = [
    pytest.param(
        store["primaryKey"], row, id="-".join([store["primaryKey"][:2], *row["namespace"], row["name"]])
    )
    for store in VECTORS["corestore7"]
    for row in store["rows"]
    if row["manifestVersion"] == 1
]


def namespace_of(store, path):
    for name in path:
        store = store.namespace(bytes.fromhex(name[4:]) if name.startswith("hex:") else name)
    return store


@pytest.mark.parametrize(("primary_key", "row"), STORE_CORES)
def test_a_name_gives_the_core_of_the_reference(primary_key, row):
    with Corestore(primary_key=bytes.fromhex(primary_key)) as store:
        core = namespace_of(store, row["namespace"]).get(name=row["name"])
        assert core.key_pair.public_key.hex() == row["publicKey"]
        assert core.key_pair.secret_key[:32].hex() == row["secretKeySeed"]
        assert core.key.hex() == row["coreKey"]
        assert core.id == row["id"]
        assert core.discovery_key.hex() == row["discoveryKey"]


def tree_state(tree):
    return {
        "length": tree.length,
        "byteLength": tree.byte_length,
        "roots": [node_state(root) for root in tree.roots],
        "treeHash": tree.tree_hash().hex(),
    }


def node_state(node):
    return {"index": node.index, "size": node.size, "hash": node.hash.hex()}


@pytest.mark.parametrize("core", named("cores"))
def test_a_tree_grows_and_is_signed_as_in_the_reference(core):
    signer = Authority(bytes.fromhex(core["key"]), manifest_of(core["manifest"])).signer(KEY_PAIR)
    tree, nodes = MerkleTree(), []
    for step, block in zip(core["steps"], BLOCKS, strict=False):
        tree, new_nodes = tree.append_block(block)
        nodes += new_nodes
        expected = tree_state(tree)
        assert {name: step[name] for name in expected} == expected
        signature = signer.sign(tree.tree_hash(), tree.length, step["fork"])
        assert signature.hex() == step["signature"]
    assert sorted(map(node_state, nodes), key=lambda node: node["index"]) == core["nodes"]


@pytest.mark.parametrize("core", named("cores"))
def test_one_batch_gives_the_tree_of_single_appends(core):
    count = len(core["steps"])
    tree, nodes = MerkleTree().append_blocks(BLOCKS[:count])
    assert tree_state(tree).items() <= core["steps"][-1].items()
    assert sorted(map(node_state, nodes), key=lambda node: node["index"]) == core["nodes"]


@pytest.mark.parametrize("core", [each for each in named("cores") if each.id in ("v1-single", "compat")])
def test_a_core_of_a_key_pair_is_that_of_the_reference(core):
    ours = Hypercore(key=core["key"], key_pair=KEY_PAIR)
    for step, block in zip(core["steps"], BLOCKS, strict=False):
        ours.append(block)
        assert ours.signature is not None
        assert (ours.tree_hash().hex(), ours.signature.hex()) == (step["treeHash"], step["signature"])
    assert ours.discovery_key.hex() == core["discoveryKey"]
    assert ours.manifest == manifest_of(core["manifest"])
    assert ours.verify()


@pytest.mark.parametrize("core", named("cores"))
def test_a_truncated_core_is_that_of_the_reference(core):
    manifest = manifest_of(core["manifest"])
    ours = Hypercore(key=core["key"], key_pair=KEY_PAIR, manifest=manifest)
    ours.append(BLOCKS[: len(core["steps"])])
    for name, change in {
        "afterTruncate": lambda: ours.truncate(len(core["steps"]) - 1),
        "afterTruncateAppend": lambda: ours.append([b"new", b"blocks"]),
        "afterTruncateZero": lambda: ours.truncate(0, fork=9),
    }.items():
        change()
        after = core[name]
        assert ours.signature is not None
        state = (ours.length, ours.fork, ours.tree_hash().hex(), ours.signature.hex())
        assert state == (after["length"], after["fork"], after["treeHash"], after["signature"])
