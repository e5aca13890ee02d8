"""In what portions blocks are asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore.replication.groups import BLOCKS_PER_GROUP, Cursor, first_subtree

BITS = st.one_of(
    st.integers(1, 2**64 - 1), st.sets(st.integers(0, 63), min_size=1).map(lambda s: sum(1 << b for b in s))
)
LIMITS = st.sampled_from([1, 2, 4, 8, 16, 32, 64])


def subtrees_in(bits, limit):
    """Return place and size of every perfect subtree whose blocks are all there."""
    return [
        (place, size)
        for size in (1, 2, 4, 8, 16, 32, 64)
        if size <= limit
        for place in range(0, BLOCKS_PER_GROUP, size)
        if all(bits >> block & 1 for block in range(place, place + size))
    ]


@given(BITS, LIMITS)
def test_the_first_subtree_begins_at_the_first_block_and_is_the_largest_there(bits, limit):
    candidates = subtrees_in(bits, limit)
    first = min(place for place, _ in candidates)
    assert first_subtree(bits, limit) == max(each for each in candidates if each[0] == first)


@pytest.mark.parametrize(
    ("bits", "limit", "expected"),
    [
        pytest.param(2**64 - 1, 64, (0, 64), id="all"),
        pytest.param(2**64 - 1, 16, (0, 16), id="limited"),
        pytest.param(0b1110, 64, (1, 1), id="not-aligned"),
        pytest.param(0b11110000, 64, (4, 4), id="aligned"),
        pytest.param(1 << 63, 64, (63, 1), id="the-last"),
        pytest.param(0b1011, 64, (0, 2), id="before-a-hole"),
    ],
)
def test_a_subtree_is_aligned_and_whole(bits, limit, expected):
    assert first_subtree(bits, limit) == expected


def groups_of(cursor):
    seen = []
    while (group := cursor.group) is not None:
        seen.append(group)
        cursor.step += 1
    return seen


@given(st.integers(0, 100), st.integers(1, 30), st.integers(0, 29))
def test_a_cursor_goes_once_through_all_groups_from_anywhere(first, count, shift):
    seen = groups_of(Cursor(first, count, shift % count, (0, 0)))
    assert seen[0] == first + shift % count
    assert sorted(seen) == list(range(first, first + count))


@given(st.integers(0, 100), st.integers(1, 30), st.integers(0, 29), st.integers(0, 140), st.integers(0, 30))
def test_a_cursor_that_goes_back_comes_by_all_groups_from_there_on(first, count, shift, group, steps):
    cursor = Cursor(first, count, shift % count, (0, 0))
    cursor.step = min(steps, count)
    cursor.go_back(group)
    assert cursor.step <= min(steps, count)
    assert set(groups_of(cursor)) >= set(range(max(group, first), first + count))


@given(
    st.integers(0, 100),
    st.integers(1, 30),
    st.integers(0, 29),
    st.integers(0, 30),
    st.sets(st.integers(0, 130)),
)
def test_a_cursor_that_skips_comes_by_all_that_is_looked_for_from_there_on(first, count, shift, step, groups):
    cursor = Cursor(first, count, shift % count, (0, 0))
    cursor.step = step
    ahead = groups_of(cursor)
    cursor.step = step
    seen = []
    while True:
        cursor.skip(lambda start, end: min([group for group in groups if start <= group < end], default=end))
        if cursor.group is None:
            break
        seen.append(cursor.group)
        cursor.step += 1
    assert seen == [group for group in ahead if group in groups]
