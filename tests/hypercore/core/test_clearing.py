"""Clearing many ranges at once, forgetting tree nodes, and giving disk space back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Corestore, Hypercore
from hypercore.errors import BadArgument, BlockNotAvailable, InvalidOperation
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest

BLOCKS = [b"block %d" % number for number in range(200)]


@pytest.fixture
def core():
    core = Hypercore()
    core.append(BLOCKS)
    return core


RANGES = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 30)), max_size=8)


def ascending(ranges):
    """Return ranges that do not overlap, given starts and sizes in any order."""
    end = 0
    for start, size in sorted(ranges):
        start = max(start, end)
        end = start + size
        yield start, end


@given(RANGES, RANGES, st.booleans())
def test_clearing_ranges_forgets_just_these_blocks(first, second, prune):
    core = Hypercore()
    core.append(BLOCKS)
    kept = set(range(200))
    for ranges in (first, second):
        cleared = list(ascending(ranges))
        core.clear_ranges(cleared, prune=prune)
        kept -= {block for start, end in cleared for block in range(start, end)}
    assert {block for start, end in core.stored_ranges() for block in range(start, end)} == kept
    assert all(core.get(block) == BLOCKS[block] for block in kept)
    assert core.verify()


@given(RANGES)
def test_without_their_nodes_the_others_can_still_be_proven(ranges):
    core = Hypercore()
    core.append(BLOCKS)
    core.clear_ranges(ascending(ranges), prune=True)
    core.append(b"more")
    copy = Hypercore(key=core.key)
    assert copy.apply_proof(core.proof(ProofRequest(upgrade=UpgradeRequest(0, 201))))
    for start, end in core.stored_ranges():
        for block in range(start, end):
            request = NodeRequest(block, copy.missing_nodes(2 * block))
            assert copy.apply_proof(core.proof(ProofRequest(block=request)))
            assert copy.get(block) == core.get(block)


def test_pruning_forgets_the_nodes_that_only_prove_cleared_blocks(core):
    core.clear_ranges([(8, 16)], prune=True)
    assert core.missing_nodes(2 * 11) == 3  # up to node 23, the root above blocks 8 to 15
    with pytest.raises(InvalidOperation, match="tree node"):
        core.truncate(12)
    core.truncate(16)
    assert core.verify()


def test_without_pruning_all_nodes_stay(core):
    core.clear_ranges([(8, 16)])
    assert core.missing_nodes(2 * 11) == 0
    core.truncate(12)
    assert core.length == 12


def test_a_range_behind_the_end_is_cut_and_a_negative_one_refused(core):
    core.clear_ranges([(198, 10**9)])
    assert list(core.stored_ranges(190)) == [(190, 198)]
    with pytest.raises(BadArgument, match="not negative"):
        core.clear_ranges([(-1, 3)])


def test_more_blocks_than_one_commit_takes_are_cleared(monkeypatch, core):
    monkeypatch.setattr("hypercore.core.hypercore._BLOCKS_PER_CLEARING", 16)
    core.clear_ranges([(3, 150), (160, 161)])
    assert list(core.stored_ranges()) == [(0, 3), (150, 160), (161, 200)]


@pytest.mark.parametrize("part", [(), (10,), (0, 750), (10, 750)], ids=["all", "from", "to", "from-to"])
def test_compacting_gives_the_space_of_cleared_blocks_back(tmp_path, part):
    def size():
        return sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())

    with Corestore(tmp_path) as store:
        core = store.get(name="core")
        for number in range(40):
            core.append([b"%d" % number * 10_000] * 20)
        full = size()
        core.clear_ranges([(10, 750)], prune=True)
        core.compact(*part)
        assert size() < full / 5
        assert core.audit() == []
        assert (core.get(9), core.get(750)) == (b"0" * 10_000, b"37" * 10_000)
        with pytest.raises(BlockNotAvailable):
            core.get(10)


def test_the_space_of_the_tree_nodes_of_a_part_is_given_back_too(tmp_path):
    def size():
        return sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())

    with Corestore(tmp_path) as store:
        core = store.get(name="core")
        core.append([b""] * 100_000)
        full = size()
        core.clear_ranges([(0, 90_000)], prune=True)
        core.compact(end=90_000)
        assert size() < full / 5


def test_compacting_in_memory_changes_nothing(core):
    core.compact()
    core.compact(3, 5)
    assert core.get(7) == BLOCKS[7]


@pytest.mark.parametrize("part", [(-1,), (0, -1)])
def test_only_blocks_that_can_be_are_compacted(core, part):
    with pytest.raises(BadArgument, match="not negative"):
        core.compact(*part)
