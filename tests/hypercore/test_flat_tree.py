import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import flat_tree

NODES = st.integers(0, 2**60)
DEPTHS = st.integers(0, 40)

# node: depth, offset, parent, sibling, spans
#
#          7
#      3       11
#    1   5   9    13
#   0 2 4 6 8 10 12 14
FAMILY = [
    pytest.param(0, 0, 0, 1, 2, (0, 0), id="first-leaf"),
    pytest.param(2, 0, 1, 1, 0, (2, 2), id="right-leaf"),
    pytest.param(1, 1, 0, 3, 5, (0, 2), id="left-parent"),
    pytest.param(5, 1, 1, 3, 1, (4, 6), id="right-parent"),
    pytest.param(3, 2, 0, 7, 11, (0, 6), id="second-level"),
    pytest.param(11, 2, 1, 7, 3, (8, 14), id="right-of-second-level"),
    pytest.param(14, 0, 7, 13, 12, (14, 14), id="last-leaf"),
]


@pytest.mark.parametrize(("node", "depth", "offset", "parent", "sibling", "spans"), FAMILY)
def test_small_trees_are_numbered_as_drawn(node, depth, offset, parent, sibling, spans):
    assert flat_tree.depth(node) == depth
    assert flat_tree.offset(node) == offset
    assert flat_tree.index(depth, offset) == node
    assert flat_tree.parent(node) == parent
    assert flat_tree.sibling(node) == sibling
    assert flat_tree.spans(node) == spans


@given(depth=DEPTHS, offset=st.integers(0, 2**40))
def test_depth_and_offset_give_the_index_back(depth, offset):
    node = flat_tree.index(depth, offset)
    assert (flat_tree.depth(node), flat_tree.offset(node)) == (depth, offset)


@given(node=NODES)
def test_a_node_and_its_sibling_are_the_children_of_their_parent(node):
    sibling = flat_tree.sibling(node)
    assert sibling != node
    assert flat_tree.sibling(sibling) == node
    assert flat_tree.parent(sibling) == flat_tree.parent(node)
    assert flat_tree.children(flat_tree.parent(node)) == (min(node, sibling), max(node, sibling))


@given(node=NODES)
def test_a_parent_stands_one_level_above_and_between_its_children(node):
    parent = flat_tree.parent(node)
    assert flat_tree.depth(parent) == flat_tree.depth(node) + 1
    assert flat_tree.offset(parent) == flat_tree.offset(node) // 2
    left, right = flat_tree.children(parent)
    assert left < parent < right


@given(node=NODES)
def test_the_spans_hold_as_many_leaves_as_leaf_count_says(node):
    first, last = flat_tree.spans(node)
    assert first % 2 == last % 2 == 0
    assert (last - first) // 2 + 1 == flat_tree.leaf_count(node) == 2 ** flat_tree.depth(node)


@given(depth=st.integers(1, 40), offset=st.integers(0, 2**40))
def test_the_spans_of_a_parent_are_those_of_its_children_joined(depth, offset):
    node = flat_tree.index(depth, offset)
    left, right = flat_tree.children(node)
    assert flat_tree.spans(left)[0] == flat_tree.spans(node)[0]
    assert flat_tree.spans(left)[1] + 2 == flat_tree.spans(right)[0]
    assert flat_tree.spans(right)[1] == flat_tree.spans(node)[1]


@pytest.mark.parametrize("leaf", [0, 2, 4096], ids=["first", "second", "far"])
def test_a_leaf_has_no_children(leaf):
    with pytest.raises(ValueError, match=f"node {leaf} is a leaf"):
        flat_tree.children(leaf)


@pytest.mark.parametrize(
    ("length", "roots"),
    [
        pytest.param(0, [], id="empty"),
        pytest.param(1, [0], id="one-block"),
        pytest.param(2, [1], id="perfect-tree"),
        pytest.param(3, [1, 4], id="two-roots"),
        pytest.param(7, [3, 9, 12], id="three-roots"),
        pytest.param(8, [7], id="perfect-again"),
    ],
)
def test_full_roots_of_short_logs(length, roots):
    assert flat_tree.full_roots(length) == roots


@given(length=st.integers(0, 2**53))
def test_full_roots_cover_every_block_once_from_the_largest_tree_to_the_smallest(length):
    next_leaf = 0
    depths = []
    for root in flat_tree.full_roots(length):
        first, last = flat_tree.spans(root)
        assert first == next_leaf
        next_leaf = last + 2
        depths.append(flat_tree.depth(root))
    assert next_leaf == 2 * length
    assert depths == sorted(set(depths), reverse=True)
