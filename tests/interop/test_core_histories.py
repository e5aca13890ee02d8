"""The same operations on the same core, here and in JavaScript: after each, both are in the same state."""

import pytest

from tests.interop.core_histories import KINDS, live, random_offsets
from tests.interop.core_operations import Life, assert_same_life
from tests.interop.seeds import SEEDS


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_histories_lead_through_the_same_states(peer, random, kind, tmp_path):
    with Life(tmp_path, **kind) as life:
        live(random, life, steps=30)
        life.do("blocks")
        life.do("seek", offsets=random_offsets(random, life.core, 20))
        life.do("reopen")
        life.do("seek", offsets=random_offsets(random, life.core, 20))
    assert_same_life(peer, life)


def test_blocks_on_both_sides_of_a_bitfield_page_are_kept_and_forgotten_as_in_javascript(peer, tmp_path):
    page = 32768
    with Life(tmp_path, name="core") as life:
        life.do("append", blocks=[""] * (page + 100))
        life.do("clear", start=page - 3, end=page + 5)
        life.do("clear", start=7, end=8)
        life.do("reopen")
        life.do("truncate", length=page + 2)
        life.do("append", blocks=["61"] * 40)
        life.do("truncate", length=page - 1)
        life.do("append", blocks=["61"] * 3)
        life.do("reopen")
    assert_same_life(peer, life)


EMPTY_BLOCKS = {
    "first": ["", "61"],
    "last": ["61", "62", ""],
    "in-the-right-half": ["61", "62", "", "63"],
    "in-both-halves": ["61", "", "", "62"],
    "nothing-else": ["", ""],
}


@pytest.mark.parametrize("blocks", EMPTY_BLOCKS.values(), ids=EMPTY_BLOCKS)
def test_a_seek_to_empty_blocks_stops_where_it_does_in_javascript(peer, blocks):
    with Life(None, name="core") as life:
        life.do("append", blocks=blocks)
        life.do("seek", offsets=list(range(life.core.byte_length + 1)))
    assert_same_life(peer, life)
