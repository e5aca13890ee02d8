"""Forgetting the blocks that nothing needs any more."""

import pytest

from hypercore import Hyperbee, Hypercore
from hypercore.errors import BadArgument, BlockNotAvailable, InvalidOperation
from hypercore.hyperbee import Entry
from hypercore.proofs import NodeRequest, ProofRequest
from tests.hypercore.hyperbee.stored_tree import check_tree, read_tree


@pytest.fixture
def overwritten(bee):
    """A bee of 30 keys, each put ten times, and what it shows at each version."""
    shown: dict[int, list[Entry]] = {1: []}
    for number in range(300):
        bee.put(f"{number % 30:02}", f"{number}")
        shown[bee.version] = list(bee.items())
    return bee, shown


def stored(bee):
    return sum(map(bee.core.has, range(bee.core.length)))


def is_whole(bee, version, expected):
    try:
        return list(bee.checkout(version).items()) == expected
    except BlockNotAvailable:
        return False


def test_all_entries_stay_and_the_history_goes(overwritten):
    bee, shown = overwritten
    bee.clear_unlinked()
    assert list(bee.items()) == shown[301]
    assert stored(bee) < 60
    with pytest.raises(BlockNotAvailable):
        list(bee.history())
    check_tree(read_tree(bee.core))
    bee.put("new", "1")
    assert bee.get("new").value == "1"
    assert bee.core.audit() == []


@pytest.mark.parametrize("oldest", [1, 2, 31, 150, 300, 301])
def test_all_versions_from_the_oldest_on_stay(overwritten, oldest):
    bee, shown = overwritten
    bee.clear_unlinked(oldest)
    for version in range(oldest, 302):
        assert is_whole(bee, version, shown[version])
    history = [each.value for each in bee.history(gte=oldest)]
    assert history == [f"{number}" for number in range(oldest - 1, 300)]
    assert stored(bee) < 301 - oldest + 60


def test_what_was_cleared_can_still_be_proven_unless_it_is_pruned(overwritten):
    bee, _ = overwritten
    bee.clear_unlinked(200)
    assert bee.core.proof(ProofRequest(hash=NodeRequest(2 * 100))).hash
    bee.clear_unlinked(200, prune=True)
    with pytest.raises(InvalidOperation, match="tree node 200 is not stored"):
        bee.core.proof(ProofRequest(hash=NodeRequest(2 * 100)))


def test_clearing_a_sub_clears_the_bee_that_it_is_part_of(bee):
    for number in range(100):
        bee.sub("s").put(f"{number % 10}", f"{number}")
        bee.put(f"{number % 10}", f"{number}")
    expected = list(bee.items())
    bee.sub("s").clear_unlinked()
    assert list(bee.items()) == expected
    assert stored(bee) < 40


def test_an_empty_bee_has_nothing_to_clear(bee):
    bee.clear_unlinked()
    bee.put("a", "1")
    bee.delete("a")
    bee.clear_unlinked()
    assert [bee.core.has(seq) for seq in range(3)] == [True, False, True]
    assert list(bee.items()) == []


@pytest.mark.parametrize("version", [0, -1, 303])
def test_only_a_version_that_there_is_can_be_the_oldest(overwritten, version):
    bee, _ = overwritten
    with pytest.raises(BadArgument, match=f"between 1 and 301, found {version}"):
        bee.clear_unlinked(version)
    assert stored(bee) == 301


def test_a_checkout_cannot_be_cleared(bee):
    bee.put("a", "1")
    with pytest.raises(BadArgument, match="cannot be cleared"):
        bee.snapshot().clear_unlinked()


# --- headers ------------------------------------------------------------------------------------------------


def test_a_core_that_begins_with_the_header_is_a_hyperbee(bee, core):
    with pytest.raises(BlockNotAvailable):
        Hyperbee.is_hyperbee(core)
    bee.put("a", "1")
    assert Hyperbee.is_hyperbee(core)
    assert bee.metadata() is None
    with Hypercore() as other:
        other.append(b"something else")
        assert not Hyperbee.is_hyperbee(other)
