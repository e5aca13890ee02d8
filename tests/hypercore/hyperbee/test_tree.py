"""The shape of the stored tree, seen by a reader of its own."""

import random

import pytest

from hypercore import Hyperbee
from hypercore.errors import BlockNotAvailable
from hypercore.hyperbee import Entry
from hypercore.hyperbee.operations import OperationCache, Operations
from hypercore.hyperbee.tree import Child, Tree
from tests.hypercore.hyperbee.stored_tree import check_tree, entries_of, keys_of, read_tree

KEYS = [f"{number:03}" for number in range(120)]


def shuffled(seed):
    keys = KEYS.copy()
    random.Random(seed).shuffle(keys)
    return keys


def evens_then_odds():
    return KEYS[::2] + KEYS[1::2]


def outside_in():
    return [key for pair in zip(KEYS[:60], KEYS[:59:-1], strict=True) for key in pair]


ORDERS = pytest.mark.parametrize(
    "order",
    [KEYS, KEYS[::-1], evens_then_odds(), outside_in(), outside_in()[::-1], shuffled(1), shuffled(2)],
    ids=[
        "ascending",
        "descending",
        "evens-then-odds",
        "outside-in",
        "inside-out",
        "shuffled",
        "shuffled-again",
    ],
)


@ORDERS
def test_puts_in_any_order_keep_the_rules_of_the_tree(bee, core, order):
    for count, key in enumerate(order, 1):
        bee.put(key, key)
        root = read_tree(core)
        check_tree(root)
        assert keys_of(root) == sorted(key.encode() for key in order[:count])


@ORDERS
def test_deletes_in_any_order_keep_the_rules_of_the_tree(bee, core, order):
    with bee.batch() as batch:
        for key in KEYS:
            batch.put(key, key)
    for count, key in enumerate(order, 1):
        assert bee.delete(key)
        root = read_tree(core)
        check_tree(root)
        assert keys_of(root) == sorted(key.encode() for key in order[count:])


@pytest.mark.parametrize("batched", [False, True], ids=["one-by-one", "in-a-batch"])
@ORDERS
def test_a_batch_gives_the_same_tree_as_one_by_one(bee, core, order, batched):
    target = bee.batch() if batched else bee
    for key in order:
        target.put(key, key)
    for key in order[::3]:
        target.delete(key)
    if batched:
        target.flush()
    check_tree(read_tree(core))
    rest = [key for key in KEYS if key not in order[::3]]
    assert entries_of(core) == {key.encode(): key.encode() for key in rest}
    assert [entry.key for entry in bee.items()] == rest


def test_the_ninth_key_splits_the_root(bee, core):
    for key in KEYS[:8]:
        bee.put(key, "")
    assert not read_tree(core).children
    bee.put(KEYS[8], "")
    root = read_tree(core)
    assert (root.keys, [len(child.keys) for child in root.children]) == ([b"004"], [4, 4])


def test_a_small_node_borrows_from_its_left_neighbour_first(bee, core):
    for key in ["10", "20", "30", "40", "50", "60", "70", "80", "90", "15", "95"]:
        bee.put(key, "")
    before = read_tree(core)
    assert [child.keys[0] for child in before.children] == [b"10", b"60"]
    bee.delete("95")
    bee.delete("90")
    after = read_tree(core)
    assert after.keys == [b"40"]
    assert after.children[1].keys == [b"50", b"60", b"70", b"80"]


def test_overwriting_keeps_the_shape(bee, core):
    for key in KEYS:
        bee.put(key, "old")
    before = read_tree(core)
    for key in KEYS:
        bee.put(key, "new")
    after = read_tree(core)
    assert keys_of(after) == keys_of(before)
    assert [child.keys for child in after.children] == [child.keys for child in before.children]
    assert set(entries_of(core).values()) == {b"new"}


def test_the_last_delete_leaves_an_empty_tree_that_can_grow_again(bee, core):
    for _ in range(3):
        for key in KEYS[:20]:
            bee.put(key, key)
        for key in KEYS[:20]:
            bee.delete(key)
        assert keys_of(read_tree(core)) == []
        assert list(bee.items()) == []
        assert bee.get(KEYS[0]) is None


def test_a_tree_that_forgets_its_nodes_reads_them_again(bee, core, monkeypatch):
    monkeypatch.setattr("hypercore.hyperbee.tree.Tree.MAX_LOADED", 3)
    reader = Hyperbee(core, key_encoding="utf-8", value_encoding="utf-8")
    for key in shuffled(3):
        bee.put(key, key)
        assert reader.get(key) == Entry(reader.version - 1, key, key)
    snapshot = bee.snapshot()
    for key in shuffled(4)[:60]:
        bee.delete(key)
        assert bee.get(key) is None
        assert key in [entry.value for entry in snapshot.items(gte=key, limit=1)]
    check_tree(read_tree(core))


def test_reading_one_key_loads_one_node_a_level(bee, core):
    for key in KEYS:
        bee.put(key, key)
    tree = Tree(Operations(core.get, core.has, OperationCache()), Child(core.length - 1, 0))
    assert tree.find(b"007") == 8
    assert tree.loaded <= 3


def test_an_empty_tree_finds_nothing():
    def read(seq):
        pytest.fail("nothing is to be read")

    tree = Tree(Operations(read, read, OperationCache()), None)
    assert tree.find(b"a") is None
    assert tree.delete(b"a", None) is False
    assert tree.number(1) == []


@pytest.mark.parametrize("key", [b"000", b"004", b"060", b"079", b"119"])
def test_a_delete_that_lacks_a_block_leaves_the_tree_as_it_was(bee, core, key):
    for each in KEYS:
        bee.put(each, each)
    lost = refused = 0

    def read_block(seq):
        if seq == lost:
            raise BlockNotAvailable(seq)
        return core.get(seq)

    def seqs(tree):
        return [tree.find(each.encode()) for each in KEYS]

    without = [None if each.encode() == key else seq for seq, each in enumerate(KEYS, 1)]
    for lost in range(1, core.length):
        tree = Tree(Operations(read_block, core.has, OperationCache()), Child(core.length - 1, 0))
        try:
            assert tree.delete(key, None)
        except BlockNotAvailable:
            refused += 1
            lost = 0
            assert seqs(tree) == list(range(1, core.length))
            assert tree.delete(key, None)
        lost = 0
        assert seqs(tree) == without
    assert refused >= 8
