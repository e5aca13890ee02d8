import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Hypercore
from hypercore.errors import BadArgument, BlockNotAvailable, Closed, StorageCorrupt
from hypercore.storage import Memory
from tests.hypercore.core.stored import block_key, opened, write

BLOCKS = [b"%d" % number for number in range(10)]


@pytest.fixture
def filled(faulty_core):
    """A core of ten blocks on each kind of store."""
    faulty_core.append(BLOCKS)
    return faulty_core


NEGATIVE = pytest.mark.parametrize(
    "index", [-1, -10, -257, -(2**70)], ids=["last", "first", "below-a-byte", "far-below"]
)
BEHIND = pytest.mark.parametrize(
    "index",
    [10, 256, 2**32, 2**63, 2**64, 2**70],
    ids=["end", "two-bytes", "eight-bytes", "sign", "nine-bytes", "far"],
)


def test_a_block_is_read_by_its_index(filled):
    assert [filled.get(index) for index in range(10)] == BLOCKS


@NEGATIVE
def test_a_negative_index_is_refused(filled, index):
    for read in (
        filled.get,
        filled.has,
        lambda i: filled.get_many([0, i]),
        lambda i: list(filled.read_stream(i)),
    ):
        with pytest.raises(BadArgument, match=f"not negative, found {index}"):
            read(index)


@BEHIND
def test_a_block_behind_the_end_is_not_available(filled, index):
    for read in (filled.get, lambda i: filled.get_many([0, i]), lambda i: filled.get_many(range(i, i + 1))):
        with pytest.raises(BlockNotAvailable) as error:
            read(index)
        assert error.value.index == index
        assert str(error.value) == f"block {index} is not available here (the core has 10 blocks)"


@BEHIND
def test_a_block_behind_the_end_is_not_there(filled, index):
    assert not filled.has(index)
    assert not filled.has(0, index + 1)


def test_several_blocks_come_in_the_order_asked_for(filled):
    assert filled.get_many([7, 1, 1, 9]) == [b"7", b"1", b"1", b"9"]
    assert filled.get_many(iter([2, 0])) == [b"2", b"0"]
    assert filled.get_many([]) == []


@pytest.mark.parametrize(
    "indexes",
    [
        range(10),
        range(3, 7),
        range(9, 10),
        range(5, 5),
        range(7, 3),
        range(0, 10, 3),
        range(9, -1, -1),
        range(9, -1, -4),
    ],
    ids=[
        "all",
        "middle",
        "last",
        "empty",
        "reversed-empty",
        "every-third",
        "backwards",
        "every-fourth-backwards",
    ],
)
def test_a_range_of_blocks_is_what_the_range_says(filled, indexes):
    assert filled.get_many(indexes) == [BLOCKS[index] for index in indexes]


def test_a_range_beyond_the_end_names_the_first_missing_block(filled):
    for indexes in (range(8, 13), range(8, 2**70), [9, 11, 10]):
        with pytest.raises(BlockNotAvailable) as error:
            filled.get_many(indexes)
        assert error.value.index == (11 if isinstance(indexes, list) else 10)


def test_a_range_that_begins_below_zero_is_refused(filled):
    with pytest.raises(BadArgument):
        filled.get_many(range(-2, 2))


@given(start=st.integers(0, 14), end=st.none() | st.integers(0, 14))
def test_has_tells_whether_all_blocks_of_a_range_are_there(start, end):
    with Hypercore() as core:
        core.append(BLOCKS)
        assert core.has(start, end) == all(
            index < 10 for index in range(start, start + 1 if end is None else end)
        )


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_a_stream_from_a_negative_block_is_refused(filled, reverse):
    for core in (filled, filled.session("branch")):
        with pytest.raises(BadArgument, match="not negative, found -1"):
            list(core.read_stream(-1, 1, reverse=reverse))


def test_a_range_with_a_negative_end_is_refused(filled):
    with pytest.raises(BadArgument, match="0 to -1"):
        filled.has(0, -1)


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize(
    ("start", "end"), [(0, None), (0, 10), (3, 7), (9, None), (5, 5), (7, 3), (10, None), (2**70, None)]
)
def test_a_stream_gives_the_blocks_of_its_range(filled, start, end, reverse):
    expected = BLOCKS[start:end]
    assert list(filled.read_stream(start, end, reverse=reverse)) == (expected[::-1] if reverse else expected)


@pytest.mark.parametrize(
    "start", [0, 9, 10, 12], ids=["from-the-first", "from-the-last", "from-the-end", "from-behind"]
)
def test_a_stream_beyond_the_end_names_the_first_missing_block(filled, start):
    with pytest.raises(BlockNotAvailable) as error:
        list(filled.read_stream(start, 13))
    assert error.value.index == max(10, start)


def test_a_stream_ends_where_the_core_ended_when_it_was_made(filled):
    forward, reverse = filled.read_stream(8), filled.read_stream(8, reverse=True)
    filled.append([b"new", b"newer"])
    assert next(forward) == b"8"
    filled.append(b"newest")
    assert list(forward) == [b"9"]
    assert list(reverse) == [b"9", b"8"]


def test_a_stream_of_a_core_that_was_closed_ends_with_closed(tmp_path):
    with Hypercore(tmp_path) as core:
        core.append(BLOCKS)
        stream = core.read_stream()
        assert next(stream) == b"0"
    with pytest.raises(Closed):
        next(stream)


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize(
    ("lost", "first"), [([3], 3), ([6, 2], 2), (range(10), 0)], ids=["one", "two", "all"]
)
def test_a_stream_over_lost_blocks_ends_with_an_error_that_names_the_first(lost, first, reverse):
    store = Memory()
    core = opened(store)
    core.append(BLOCKS)
    for index in lost:
        write(store, block_key(index), None)
    stream = core.read_stream(reverse=reverse)
    assert [next(stream) for _ in range(10 - len(lost))] == [
        BLOCKS[index] for index in (range(9, -1, -1) if reverse else range(10)) if index not in lost
    ]
    with pytest.raises(StorageCorrupt, match=f"^memory: {len(lost)} .* lost, the first is {first}: audit it"):
        next(stream)


def test_a_stream_over_blocks_that_came_back_still_says_that_they_were_lost():
    store = Memory()
    core = opened(store)
    core.append(BLOCKS)
    write(store, block_key(3), None)
    stream = core.read_stream()
    write(store, block_key(3), BLOCKS[3])
    with pytest.raises(StorageCorrupt, match=r"1 of the blocks 0 to 9 of core .* are lost: audit it"):
        list(stream)


def test_streams_side_by_side_do_not_disturb_each_other(filled):
    pairs = zip(filled.read_stream(), filled.read_stream(reverse=True), strict=True)
    assert list(pairs) == list(zip(BLOCKS, BLOCKS[::-1], strict=True))
