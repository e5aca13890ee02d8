import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import crypto, flat_tree
from hypercore.merkle import MerkleTree, Node, encode_node, get_node, get_nodes, subtree

BLOCKS = st.lists(st.binary(max_size=5), max_size=40)


def grown(blocks, tree=None):
    """Append one by one; return the tree and all new nodes."""
    tree = MerkleTree() if tree is None else tree
    nodes = []
    for block in blocks:
        tree, new = tree.append_block(block)
        nodes += new
    return tree, nodes


def by_index(nodes):
    return {node.index: node for node in nodes}


def expected_nodes(blocks):
    """Return every node whose leaves are all there, worked out from the definition."""
    nodes = {2 * i: Node(2 * i, len(block), crypto.leaf_hash(block)) for i, block in enumerate(blocks)}
    for index in range(1, 2 * len(blocks), 2):
        if flat_tree.spans(index)[1] < 2 * len(blocks):
            _add_parent(nodes, index)
    return nodes


def _add_parent(nodes, index):
    left, right = flat_tree.children(index)
    for child in (left, right):
        if child not in nodes:
            _add_parent(nodes, child)
    size = nodes[left].size + nodes[right].size
    nodes[index] = Node(index, size, crypto.parent_hash(size, nodes[left].hash, nodes[right].hash))


def test_an_empty_tree_has_the_hash_of_no_roots():
    tree = MerkleTree()
    assert (tree.length, tree.byte_length, tree.roots) == (0, 0, [])
    assert tree.tree_hash() == crypto.tree_hash(b"")


@given(blocks=BLOCKS)
def test_appending_one_by_one_gives_every_node_once(blocks):
    _, nodes = grown(blocks)
    assert by_index(nodes) == expected_nodes(blocks)
    assert len(nodes) == len(by_index(nodes))


@given(blocks=BLOCKS)
def test_appending_a_list_gives_every_node_once(blocks):
    _, nodes = MerkleTree().append_blocks(blocks)
    assert by_index(nodes) == expected_nodes(blocks)
    assert len(nodes) == len(by_index(nodes))


@given(blocks=BLOCKS)
def test_length_bytes_and_roots_are_those_of_the_blocks(blocks):
    tree, nodes = grown(blocks)
    assert tree.length == len(blocks)
    assert tree.byte_length == sum(map(len, blocks))
    assert tree.roots == [by_index(nodes)[root] for root in flat_tree.full_roots(len(blocks))]


@given(parts=st.lists(BLOCKS, max_size=4))
def test_any_split_of_the_blocks_gives_the_same_tree(parts):
    tree, nodes = MerkleTree(), []
    for part in parts:
        tree, new = tree.append_blocks(part)
        nodes += new
    one_by_one, expected = grown([block for part in parts for block in part])
    assert (tree.length, tree.byte_length) == (one_by_one.length, one_by_one.byte_length)
    assert tree.roots == one_by_one.roots
    assert tree.tree_hash() == one_by_one.tree_hash()
    assert by_index(nodes) == by_index(expected)


@given(before=BLOCKS, behind=BLOCKS)
def test_a_tree_made_of_its_roots_grows_on_as_before(before, behind):
    tree, _ = grown(before)
    again = MerkleTree(tree.roots)
    assert (again.length, again.byte_length, again.tree_hash()) == (
        tree.length,
        tree.byte_length,
        tree.tree_hash(),
    )
    assert grown(behind, again)[0].tree_hash() == grown(before + behind)[0].tree_hash()


@given(blocks=BLOCKS, more=BLOCKS)
def test_growing_leaves_the_old_tree_as_it_was(blocks, more):
    tree, _ = grown(blocks)
    before = (tree.length, tree.byte_length, tree.tree_hash(), list(tree.roots))
    tree.append_blocks(more)
    grown(more, tree)
    assert (tree.length, tree.byte_length, tree.tree_hash(), list(tree.roots)) == before


@given(blocks=st.lists(st.binary(max_size=5), min_size=1), data=st.data())
def test_a_changed_block_changes_the_tree_hash(blocks, data):
    place = data.draw(st.integers(0, len(blocks) - 1))
    changed = [*blocks[:place], blocks[place] + b"\x00", *blocks[place + 1 :]]
    assert grown(blocks)[0].tree_hash() != grown(changed)[0].tree_hash()


@given(st.integers(0, 5), st.integers(0, 20), st.data())
def test_a_subtree_has_the_nodes_of_the_whole_tree(depth, place, data):
    count = 1 << depth
    first = place * count
    block = st.binary(max_size=5)
    blocks = [b""] * first + data.draw(st.lists(block, min_size=count, max_size=count))
    _, nodes = MerkleTree().append_blocks(blocks)
    found = subtree(first, blocks[first:])
    root = 2 * first + count - 1
    assert found[-1].index == root
    by_index = {node.index: node for node in nodes}
    assert found == [by_index[node.index] for node in found]
    assert {node.index for node in found} == set(
        range(flat_tree.spans(root)[0], flat_tree.spans(root)[1] + 1)
    )


def test_new_nodes_come_from_the_leaf_up():
    tree, _ = grown([b"a"] * 7)
    _, nodes = tree.append_block(b"a")
    assert [node.index for node in nodes] == [14, 13, 11, 7]


def test_the_new_nodes_of_a_list_come_level_by_level():
    tree, _ = grown([b"a"])
    _, nodes = tree.append_blocks([b"b", b"c", b"d"])
    assert [node.index for node in nodes] == [2, 4, 6, 1, 5, 3]


@pytest.mark.parametrize(
    "other",
    [Node(3, 1, bytes(32)), Node(2, 2, bytes(32)), Node(2, 1, b"\x01" * 32), "node"],
    ids=["index", "size", "hash", "type"],
)
def test_nodes_are_equal_in_all_or_not_at_all(other):
    assert Node(2, 1, bytes(32)) == Node(2, 1, bytes(32))
    assert Node(2, 1, bytes(32)) != other
    assert len({Node(2, 1, bytes(32)), Node(2, 1, bytes(32)), other}) == 2


UINTS = st.integers(0, 2**53 - 1)
NODES = st.builds(Node, UINTS, UINTS, st.binary(min_size=32, max_size=32))


@given(nodes=st.lists(NODES, max_size=5))
def test_nodes_are_read_back_as_they_were_written(nodes):
    encoded = [encode_node(node) for node in nodes]
    for node, raw in zip(nodes, encoded, strict=True):
        assert get_node(raw, 0) == (node, len(raw))
    assert get_nodes(bytes([len(nodes)]) + b"".join(encoded), 0)[0] == nodes
