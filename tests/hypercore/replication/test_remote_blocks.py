"""What a peer has said to have, beside a set of numbers, and how little room it takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from hypercore.bitfield import PAGE_BITS
from hypercore.encoding import MAX_UINT
from hypercore.replication.remote_blocks import MAX_PAGES, RemoteBlocks
from tests.memory import traced

SIZE = 40_000

# Small numbers, and those around the end of a page.
PLACES = st.one_of(st.integers(0, 200), st.integers(PAGE_BITS - 70, PAGE_BITS + 70), st.integers(0, SIZE))
RANGES = st.tuples(PLACES, PLACES).map(lambda ends: (min(ends), max(ends)))
WORDS = st.lists(st.binary(min_size=4, max_size=4), max_size=20).map(b"".join)


class AgainstSet(RuleBasedStateMachine):
    """What is remembered of a peer, beside the set of its blocks."""

    def __init__(self):
        super().__init__()
        self.blocks = RemoteBlocks()
        self.model = set()

    @rule(ends=RANGES)
    def add(self, ends):
        self.blocks.add(*ends)
        self.model |= set(range(*ends))

    @rule(ends=RANGES)
    def remove(self, ends):
        self.blocks.remove(*ends)
        self.model -= set(range(*ends))

    @rule(start=st.integers(0, SIZE // 32).map(lambda word: 32 * word), words=WORDS)
    def replace(self, start, words):
        self.blocks.replace(start, words)
        self.model -= set(range(start, start + 8 * len(words)))
        self.model |= {
            start + 8 * place + bit for place, byte in enumerate(words) for bit in range(8) if byte >> bit & 1
        }

    @rule(ends=RANGES)
    def has(self, ends):
        assert self.blocks.has(*ends) == self.model.issuperset(range(*ends))

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def has_what_it_has(self, data):
        first = data.draw(st.sampled_from(sorted(self.model)))
        last = first
        while last in self.model:
            last += 1
        assert self.blocks.has(first, last)
        assert not self.blocks.has(first, last + 1)

    @rule(ends=RANGES)
    def first(self, ends):
        expected = next((index for index in range(*ends) if index in self.model), ends[1])
        assert self.blocks.first(*ends) == expected

    @rule(group=st.integers(0, SIZE // 64), count=st.sampled_from([8, 32, 64]))
    def bits(self, group, count):
        start = 64 * group
        expected = sum(1 << place for place in range(count) if start + place in self.model)
        assert self.blocks.bits(start, count) == expected


TestAgainstSet = AgainstSet.TestCase


@given(st.lists(st.tuples(st.booleans(), PLACES, PLACES), max_size=30), PLACES)
def test_long_ranges_are_kept_as_exactly_as_short_ones(changes, probe):
    scale = 100 * PAGE_BITS  # a distance of 1 is more than the pages that a range may have as bits
    blocks = RemoteBlocks()
    model: set[int] = set()
    blocks.remove(0, 1)
    for adds, one, other in changes:
        first, last = sorted((one % 50 + 1, other % 50 + 1))
        (blocks.add if adds else blocks.remove)(first * scale, last * scale)
        (model.update if adds else model.difference_update)(range(first, last))
    place = probe % 50
    assert blocks.has(place * scale, (place + 1) * scale) == (place in model)
    assert blocks.has(place * scale, place * scale + 1) == (place in model)
    assert blocks.first(scale, 60 * scale) == scale * min(model, default=60)
    assert blocks.bits(place * scale, 64) == ((1 << 64) - 1 if place in model else 0)


def test_a_peer_may_claim_all_blocks_that_there_can_be():
    blocks = RemoteBlocks()
    blocks.add(0, 2 * MAX_UINT)
    assert blocks.has(MAX_UINT - 1, MAX_UINT)
    blocks.remove(MAX_UINT - 5, MAX_UINT)
    assert blocks.has(0, MAX_UINT - 5)
    assert not blocks.has(MAX_UINT - 5, MAX_UINT - 4)
    assert blocks.has(MAX_UINT, 2 * MAX_UINT)


def flood_of_ranges(blocks):
    for number in range(3000):
        blocks.add(1 + number * 100_000, 2 + number * 100_000)


def flood_of_long_ranges(blocks):
    for number in range(3000):
        blocks.add(1 + number * 2**40, 2**39 + number * 2**40)


def flood_of_holes(blocks):
    blocks.add(0, 2**53)
    for number in range(3000):
        blocks.remove(number * 2**40 + 1, number * 2**40 + 2)


def flood_of_bitfields(blocks):
    for number in range(300):
        blocks.replace(number * 2**21, b"\x55" * 2**18)


def ranges_up_to_the_largest_number(blocks):
    for end in range(1000):
        blocks.add(1, MAX_UINT - end)


@pytest.mark.parametrize(
    "flood",
    [
        flood_of_ranges,
        flood_of_long_ranges,
        flood_of_holes,
        flood_of_bitfields,
        ranges_up_to_the_largest_number,
    ],
)
def test_whatever_a_peer_says_takes_six_mebibytes_at_most(flood):
    blocks = RemoteBlocks()
    with traced() as memory:
        flood(blocks)
    assert memory.size < 6 << 20
    assert memory.peak < 8 << 20


def test_what_was_said_last_is_remembered_when_there_is_too_much():
    blocks = RemoteBlocks()
    for number in [*range(3000, 0, -1), 1]:
        blocks.add(number * 100_000, number * 100_000 + 1)
    for number in range(1, 3001):
        assert blocks.has(number * 100_000, number * 100_000 + 1) == (number <= MAX_PAGES)
