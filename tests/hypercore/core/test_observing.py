"""What replication needs of a core: being told of changes, bits of what is stored, subtrees, manifests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Hypercore, KeyPair
from hypercore.bitfield import PAGE_BITS
from hypercore.core import Commit
from hypercore.core.changes import Change
from hypercore.errors import InvalidOperation, InvalidSignature, StorageError
from hypercore.merkle import Node, subtree
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest

COUNT = 24


def observe(core):
    seen: list[tuple[int, Change]] = []
    core.state.observers.append(lambda change: seen.append((core.length, change)))
    return seen


@pytest.fixture
def writer():
    with Hypercore() as core:
        core.append([b"%d" % index for index in range(COUNT)])
        yield core


@pytest.fixture
def copy(writer):
    """A copy that knows the tree and no blocks."""
    with Hypercore(key=writer.key) as copy:
        copy.apply_proof(writer.proof(ProofRequest(upgrade=UpgradeRequest(0, COUNT))))
        yield copy


# --- observers ----------------------------------------------------------------------------------------------


def test_an_observer_is_told_what_was_stored_and_removed(core):
    seen = observe(core)
    core.append(b"0")
    core.append([b"1", b"2", b"3"])
    core.clear(1)
    core.clear_ranges([(0, 1), (3, 4)])
    core.truncate(2)
    assert [(length, list(change.stored), list(change.removed)) for length, change in seen] == [
        (1, [(0, 1)], []),
        (4, [(1, 4)], []),
        (4, [], [(1, 2)]),
        (4, [], [(0, 1), (3, 4)]),
        (2, [], [(2, 4)]),
    ]


def test_an_observer_is_told_of_blocks_and_lengths_that_are_proven(writer, copy):
    seen = observe(copy)
    copy.apply_proof(writer.proof(ProofRequest(block=NodeRequest(3, 4))))
    writer.append(b"more")
    copy.apply_proof(writer.proof(ProofRequest(upgrade=UpgradeRequest(COUNT, 1))))
    assert [(length, list(change.stored), list(change.removed)) for length, change in seen] == [
        (COUNT, [(3, 4)], []),
        (COUNT + 1, [], []),
    ]


def test_observers_come_before_listeners(core):
    seen = []
    core.on_change(lambda: seen.append("listener"))
    core.state.observers.append(lambda change: seen.append("observer"))
    core.append(b"0")
    assert seen == ["observer", "listener"]


def test_a_change_that_fails_is_not_observed(faulty_core, faulty_store):
    seen = observe(faulty_core)
    with faulty_store.failing(StorageError("full")), pytest.raises(StorageError):
        faulty_core.append(b"0")
    assert seen == []


# --- bits of what is stored ---------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=6), st.integers(0, 3))
def test_the_bits_of_what_is_stored_are_those_of_has(cleared, group):
    with Hypercore() as core:
        core.append([b"x"] * 200)
        for first, last in cleared:
            core.clear(first, last)
        for count in (8, 64):
            first = group * count
            expected = sum(1 << place for place in range(count) if core.has(first + place))
            assert core.state.stored_bits(first, count) == expected


def test_the_bits_of_a_page_can_be_had_at_once():
    with Hypercore() as core:
        core.append([b""] * (PAGE_BITS + 5))
        core.clear(3)
        assert core.state.stored_bits(0, PAGE_BITS) == (1 << PAGE_BITS) - 1 - (1 << 3)
        assert core.state.stored_bits(PAGE_BITS, PAGE_BITS) == 0b11111
        assert core.state.stored_bits(2 * PAGE_BITS, PAGE_BITS) == 0


# --- subtrees -----------------------------------------------------------------------------------------------


def blocks_from(writer, first, count):
    return writer.get_many(range(first, first + count))


def put_subtrees(copy, subtrees):
    with Commit(copy.state.database) as commit:
        commit.put_subtrees(copy.state, subtrees)


def test_blocks_of_subtrees_are_stored_together(writer, copy):
    seen = observe(copy)
    put_subtrees(
        copy,
        [
            (first, blocks := blocks_from(writer, first, count), subtree(first, blocks)[:-1])
            for first, count in [(16, 8), (0, 16)]
        ],
    )
    assert [list(change.stored) for _, change in seen] == [[(16, 24), (0, 16)]]
    assert list(copy.read_stream()) == list(writer.read_stream())
    assert copy.contiguous_length == COUNT
    assert copy.audit() == []


def test_a_subtree_in_the_middle_leaves_holes(writer, copy):
    blocks = blocks_from(writer, 16, 8)
    put_subtrees(copy, [(16, blocks, subtree(16, blocks)[:-1])])
    assert copy.contiguous_length == 0
    assert list(copy.stored_ranges()) == [(16, 24)]
    assert copy.audit() == []


def test_a_root_that_comes_along_puts_its_size_right(writer, copy):
    """Of two siblings that came as nodes only the sum of their sizes was proven."""
    proof = writer.proof(ProofRequest(hash=NodeRequest(7, 1)))
    left, right = proof.hash.nodes
    proof.hash.nodes = [
        Node(left.index, left.size + 1, left.hash),
        Node(right.index, right.size - 1, right.hash),
    ]
    copy.apply_proof(proof)
    assert copy.state.need_node(7) != left
    for first in (0, 8):
        blocks = blocks_from(writer, first, 8)
        put_subtrees(copy, [(first, blocks, subtree(first, blocks))])
    assert copy.state.need_node(7) == left
    assert copy.has(0, 16)
    assert copy.audit() == []


def test_subtrees_that_cannot_be_written_change_nothing(faulty_core, faulty_store):
    faulty_core.append([b"%d" % index for index in range(4)])
    faulty_core.clear(0, 4)
    blocks = [b"%d" % index for index in range(4)]
    with faulty_store.failing(StorageError("full")), pytest.raises(StorageError):
        put_subtrees(faulty_core, [(0, blocks, subtree(0, blocks)[:-1])])
    assert not faulty_core.has(0)
    put_subtrees(faulty_core, [(0, blocks, subtree(0, blocks)[:-1])])
    assert faulty_core.contiguous_length == 4
    assert faulty_core.audit() == []


def test_subtrees_of_a_core_that_another_commit_changes_are_refused(writer):
    writer.clear(0, 16)
    blocks = [b"%d" % index for index in range(16)]
    commit = Commit(writer.state.database)
    commit.put_subtrees(writer.state, [(0, blocks, subtree(0, blocks)[:-1])])
    writer.append(b"another commit")
    with pytest.raises(InvalidOperation, match="another commit"):
        commit.write()
    assert writer.audit() == []


# --- manifests ----------------------------------------------------------------------------------------------


def put_manifest(core, manifest):
    with Commit(core.state.database) as commit:
        commit.put_manifest(core.state, manifest)


def test_the_manifest_of_a_core_of_which_only_the_key_was_known_is_kept(tmp_path, writer):
    with Hypercore(tmp_path, key=writer.key) as copy:
        assert copy.manifest is None
        put_manifest(copy, writer.manifest)
        assert copy.manifest == writer.manifest
    with Hypercore(tmp_path, key=writer.key) as copy:
        assert copy.manifest == writer.manifest
        assert not copy.writable
        assert copy.length == 0


def test_the_manifest_of_another_core_is_refused(writer):
    with Hypercore(key=writer.key) as copy, Hypercore(key_pair=KeyPair.generate()) as other:
        with pytest.raises(InvalidSignature):
            put_manifest(copy, other.manifest)
        assert copy.manifest is None
        put_manifest(copy, writer.manifest)
