"""How much of a bee is in memory does not depend on how much of it was read or written."""

import gc

import pytest

from hypercore.hyperbee.tree import Tree, TreeNode
from tests.hypercore.hyperbee.stored_tree import check_tree, read_tree

LIMIT = 40
A_PATH = 16  # a walk holds the nodes above it
KEYS = [f"{number:04}" for number in range(2000)]


@pytest.fixture(autouse=True)
def limit(monkeypatch):
    monkeypatch.setattr(Tree, "MAX_LOADED", LIMIT)


@pytest.fixture
def most_nodes():
    """Returns the largest number of nodes that this test has in memory while it takes some steps.

    It looks seldom: to go through all objects of a process that runs many tests takes half a second.
    """
    others = nodes_in_memory()
    return lambda steps: max(nodes_in_memory() - others for step, _ in enumerate(steps) if step % 280 == 279)


@pytest.fixture
def full_bee(bee):
    with bee.batch() as batch:
        for key in KEYS:
            batch.put(key, key)
    bee.get(KEYS[0])  # now what the batch had in memory goes
    return bee


def nodes_in_memory():
    gc.collect()
    return sum(type(each) is TreeNode for each in gc.get_objects())


@pytest.mark.parametrize("at_version", [False, True], ids=["live", "checkout"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_iterating_over_all_entries(most_nodes, full_bee, at_version, reverse):
    bee = full_bee.snapshot() if at_version else full_bee
    assert most_nodes(bee.items(reverse=reverse)) <= LIMIT + A_PATH
    assert [entry.key for entry in bee.items(reverse=reverse)] == (KEYS[::-1] if reverse else KEYS)


def test_getting_all_entries(most_nodes, full_bee):
    assert most_nodes(full_bee.get(key) for key in KEYS) <= LIMIT + A_PATH


def test_comparing_with_an_empty_version(most_nodes, full_bee):
    assert most_nodes(full_bee.diff(1)) <= LIMIT + A_PATH


@pytest.mark.parametrize("count", [1, 7], ids=["one-at-a-time", "in-batches"])
def test_putting_new_keys(most_nodes, bee, core, count):
    def put_all():
        for start in range(0, len(KEYS), count):
            with bee.batch() as batch:
                for key in KEYS[start : start + count]:
                    batch.put(key, key)
            yield start

    assert most_nodes(put_all()) <= LIMIT + A_PATH
    root = read_tree(core)
    check_tree(root)
    assert [entry.key for entry in bee.items()] == KEYS


def test_what_a_batch_has_not_written_yet_is_kept(full_bee, core):
    with full_bee.batch() as batch:
        for key in KEYS[::2]:
            batch.put(key, "new")
        assert sum(entry.value == "new" for entry in batch.items()) == 1000
    check_tree(read_tree(core))
    assert sum(entry.value == "new" for entry in full_bee.items()) == 1000
