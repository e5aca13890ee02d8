"""Bees made of wrong blocks: a DecodingError that names the block, or an answer, and always an end."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypercore import Hyperbee, Hypercore
from hypercore.errors import DecodingError
from hypercore.hyperbee import blocks, extension
from hypercore.hyperbee.ranges import Range
from tests.hypercore.damage import cuts, flips

HEADER = blocks.encode_header(None)
ENDLESS = b"\xff" * 12


def level(seqs=(), children=()):
    """Return a tree node: the seqs of its keys, and (seq, place) of each child."""
    pieces = [blocks.encode_child(*child) for child in children]
    return blocks.encode_keys(list(seqs)) + (blocks.encode_children(pieces) if pieces else b"")


def block(*levels, key=b"m", value=b"v"):
    return blocks.encode_block(blocks.encode_index(list(levels)), key, value)


LEAF = block(level([1]))

# A key field that holds a number of twelve bytes, and the same for the children.
ENDLESS_KEY = b"\x0a\x0c" + ENDLESS
ENDLESS_CHILD = level([1]) + b"\x12\x0c" + ENDLESS

HOSTILE = {
    "node-that-is-its-own-child": [block(level([1], [(1, 0), (1, 0)]))],
    "two-nodes-in-a-circle": [block(level([1], [(1, 1), (1, 1)]), level([1], [(1, 0), (1, 0)]))],
    "circle-without-keys": [block(level([], [(1, 1)]), level([], [(1, 0)]))],
    "circle-over-two-blocks": [block(level([1], [(2, 0), (2, 0)])), block(level([2], [(1, 0), (1, 0)]))],
    "child-in-a-later-block": [block(level([1], [(2, 0), (9, 0)]))],
    "child-in-the-header": [LEAF, block(level([2], [(0, 0), (0, 0)]))],
    "child-that-is-not-there": [LEAF, block(level([2], [(1, 7), (1, 7)]))],
    "key-in-a-later-block": [block(level([2]))],
    "key-in-the-header": [block(level([0]))],
    "nine-keys": [block(level([1] * 9))],
    "a-thousand-keys": [block(level([1] * 1000))],
    "too-few-children": [LEAF, block(level([1, 2], [(1, 0), (1, 0)]))],
    "too-many-children": [LEAF, block(level([2], [(1, 0)] * 3))],
    "child-without-place": [LEAF, block(level([2]) + b"\x12\x03\x01\x00\x01")],
    "endless-key": [block(ENDLESS_KEY)],
    "endless-child": [block(ENDLESS_CHILD)],
    "endless-index": [b"\x0a" + ENDLESS],
    "no-tree-node": [block()],
    "empty-block": [b""],
    "header-again": [HEADER],
    "noise": [b"\xaa" * 50],
}

USES = {
    "get": lambda bee: bee.get(b"k"),
    "get-behind": lambda bee: bee.get(b"z"),
    "put": lambda bee: bee.put(b"k"),
    "put-behind": lambda bee: bee.put(b"z"),
    "delete": lambda bee: bee.delete(b"k"),
    "items": lambda bee: list(bee.items()),
    "items-reverse": lambda bee: list(bee.items(reverse=True)),
    "peek-behind": lambda bee: bee.peek(gt=b"z"),
    "batch": lambda bee: bee.batch().put(b"k"),
    "diff": lambda bee: list(bee.diff(1)),
    "diff-of-nothing": lambda bee: list(bee.checkout(1).diff(bee)),
}
ASKED = [extension.Get(version, b"z").encode() for version in (1, 2, 5)] + [
    extension.Iterate(version, Range(), reverse=reverse, checkpoint=checkpoint).encode()
    for version in (2, 5)
    for reverse in (False, True)
    for checkpoint in ((), (1, 0, 1), (2, 0, 2), (9, 9, 9))
]


def core_of(*stored):
    core = Hypercore()
    core.append([HEADER, *stored])
    return core


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("stored", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_block_is_refused_by_its_number(stored, use):
    with core_of(*stored) as core:
        with pytest.raises(DecodingError, match=r"block \d+: "):
            use(Hyperbee(core))
        assert core.length == len(stored) + 1


CIRCLES = ["node-that-is-its-own-child", "two-nodes-in-a-circle"]
NO_CIRCLES = [name for name in HOSTILE if name not in CIRCLES]


@pytest.mark.parametrize("stored", [HOSTILE[name] for name in NO_CIRCLES], ids=NO_CIRCLES)
def test_nothing_is_cleared_when_a_linked_block_is_hostile(stored):
    with core_of(*stored) as core:
        with pytest.raises(DecodingError, match=r"block \d+: "):
            Hyperbee(core).clear_unlinked()
        assert all(map(core.has, range(core.length)))


@pytest.mark.parametrize("stored", [HOSTILE[name] for name in CIRCLES], ids=CIRCLES)
def test_clearing_what_nodes_in_a_circle_do_not_link_has_an_end(stored):
    with core_of(*stored) as core:
        Hyperbee(core).clear_unlinked()
        assert core.has(1)


@pytest.mark.parametrize(
    "stored",
    [[b""], [b"\xaa" * 50], [HEADER], [block(ENDLESS_KEY, value=None)]],
    ids=["empty", "noise", "header", "endless"],
)
def test_the_history_names_the_block_that_is_wrong(stored):
    with core_of(LEAF, *stored) as core, pytest.raises(DecodingError, match="block 2: "):
        list(Hyperbee(core).history())


def test_a_delete_that_needs_a_missing_neighbour_names_the_block():
    lonely = block(level([], [(1, 0)]), key=b"n")
    with core_of(LEAF, lonely) as core, pytest.raises(DecodingError, match=r"block \d+: "):
        Hyperbee(core).delete(b"m")


def test_a_delete_that_would_take_a_key_from_an_empty_leaf_names_the_block():
    root = block(level([2], [(1, 0), (1, 0)]), key=b"k")
    with core_of(block(level()), root) as core, pytest.raises(DecodingError, match=r"block \d+: "):
        Hyperbee(core).delete(b"k")


def test_a_long_chain_of_nodes_without_keys_has_an_end():
    chain = [block(level([], [(seq, 0)])) for seq in range(1, 3000)]
    with core_of(LEAF, *chain) as core:
        use_all(core)


def test_a_tree_that_shows_one_node_again_and_again_is_read_bit_by_bit():
    twice = [block(level([1], [(seq, 0), (seq, 0)])) for seq in range(1, 60)]
    with core_of(LEAF, *twice) as core:
        bee = Hyperbee(core)
        assert len(list(itertools.islice(bee.items(), 500))) == 500
        assert bee.get(b"z") is None
        assert bee.peek(gt=b"z") is None
        assert len(bee.answer(extension.Iterate(bee.version, Range()).encode())) == 1
        bee.clear_unlinked()
        assert all(core.has(seq) for seq in range(1, 60))


def complaint(use, core):
    """Return what a DecodingError says, None if there is none."""
    try:
        use(Hyperbee(core))
    except DecodingError as error:
        return str(error)
    return None


def use_all(core):
    """Use bees on a core in every way; a DecodingError must name its block."""
    for use in [*USES.values(), lambda bee: list(bee.history()), lambda bee: bee.get_by_seq(1)]:
        assert "block " in (complaint(use, core) or "block ")
    for message in ASKED:
        for answer in Hyperbee(core).answer(message):
            assert isinstance(extension.decode(answer), extension.Cache)
    assert "block " in (complaint(lambda bee: bee.clear_unlinked(), core) or "block ")


SEQS = st.integers(0, 4)
LEVELS = st.builds(
    level,
    st.lists(SEQS, max_size=3) | st.lists(st.integers(1, 2), max_size=10),
    st.lists(st.tuples(SEQS, st.integers(0, 2)), max_size=4),
)
STORED = st.builds(
    lambda levels, key, value: block(*levels, key=key, value=value),
    st.lists(LEVELS, max_size=3),
    st.sampled_from([b"a", b"k", b"m", b"z"]),
    st.none() | st.just(b"v"),
)


@given(stored=st.lists(STORED, min_size=1, max_size=4))
@settings(max_examples=200)
def test_any_tree_nodes_give_an_answer_or_a_decoding_error(stored):
    with core_of(*stored) as core:
        use_all(core)


@st.composite
def leveled_trees(draw):
    """Return blocks of trees whose nodes fit together, but are too small, not sorted and not equally deep."""
    stored, widths = [], draw(st.lists(st.integers(0, 8), min_size=2, max_size=5))
    for seq, width in enumerate(widths, 1):
        seqs = [draw(st.integers(1, seq)) for _ in range(width)]
        inner = seq > 1 and draw(st.booleans())
        children = [(draw(st.integers(1, seq - 1)), 0) for _ in range(width + 1)] if inner else []
        stored.append(block(level(seqs, children), key=draw(st.sampled_from([b"a", b"k", b"m", b"z"]))))
    return stored


@given(stored=leveled_trees())
@settings(max_examples=200)
def test_trees_out_of_shape_give_an_answer_or_a_decoding_error(stored):
    with core_of(*stored) as core:
        use_all(core)


def real_blocks():
    with Hypercore() as core:
        bee = Hyperbee(core)
        for number in range(40):
            bee.put(b"%02d" % (number * 7 % 40), b"v")
        return list(core.read_stream())


@pytest.mark.parametrize("damage", [cuts, flips], ids=["cut-off", "changed"])
def test_a_real_root_that_is_damaged_gives_an_answer_or_a_decoding_error(damage):
    *rest, last = real_blocks()
    for damaged in damage(last):
        with core_of(*rest[1:], damaged) as core:
            use_all(core)
