"""A copy goes over to another fork only if that fork is signed, higher, and known well enough."""

import pytest

from hypercore import Hypercore, KeyPair
from hypercore.errors import InvalidOperation, InvalidProof, InvalidSignature
from hypercore.manifest import Manifest
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest

BLOCKS = [b"a", b"b", b"c", b"d", b"e"]


def whole(core):
    return core.proof(ProofRequest(upgrade=UpgradeRequest(0, core.length)))


def shown(core):
    blocks = [core.get(index) if core.has(index) else None for index in range(core.length)]
    return core.length, core.fork, core.tree_hash(), core.signature, blocks


def begun(copy, proof, source):
    """A reorg that knows all it has to."""
    reorg = copy.begin_reorg(proof)
    while reorg.wanted is not None:
        reorg.update(source.proof(ProofRequest(hash=reorg.wanted)))
    return reorg


@pytest.fixture
def source():
    with Hypercore() as source:
        source.append(BLOCKS)
        yield source


@pytest.fixture
def copy(source):
    """A copy with two of the blocks, of a source that has another fork by now: three blocks are the same."""
    with Hypercore(key=source.key) as copy:
        copy.apply_proof(whole(source))
        for index in (0, 3):
            request = ProofRequest(block=NodeRequest(index, copy.missing_nodes(2 * index)))
            copy.apply_proof(source.proof(request))
        source.truncate(3)
        source.append([b"new", b"blocks", b"here"])
        yield copy


def test_a_signed_fork_replaces_what_differs_and_keeps_what_is_the_same(source, copy):
    reorg = begun(copy, whole(source), source)
    copy.apply_reorg(reorg)
    assert reorg.ancestors == 3
    assert shown(copy) == (6, 1, source.tree_hash(), source.signature, [b"a", *[None] * 5])
    assert copy.verify()
    assert copy.audit() == []


def forged_by_another_key(proof, source):
    with Hypercore(key_pair=KeyPair.generate()) as forger:
        forger.append(BLOCKS)
        forger.truncate(3)
        forger.append([b"new", b"blocks", b"here"])
        proof.upgrade.signature = forger.signature


def changed(proof, source):
    proof.upgrade.signature = bytes(64)


def missing(proof, source):
    proof.upgrade.signature = None


def of_a_fork_that_was_not_signed(proof, source):
    proof.fork += 1


def of_another_length(proof, source):
    with Hypercore(key_pair=source.key_pair) as shorter:
        shorter.append(BLOCKS)
        shorter.truncate(3)
        shorter.append([b"new", b"blocks"])
        proof.upgrade.signature = shorter.signature


@pytest.mark.parametrize(
    "forge",
    [forged_by_another_key, changed, missing, of_a_fork_that_was_not_signed, of_another_length],
    ids=lambda forge: forge.__name__.replace("_", "-"),
)
def test_a_fork_whose_signature_does_not_hold_changes_nothing(source, copy, forge):
    before = shown(copy)
    proof = whole(source)
    forge(proof, source)
    with pytest.raises(InvalidSignature):
        copy.apply_reorg(begun(copy, proof, source))
    assert shown(copy) == before
    assert copy.verify()
    assert copy.audit() == []
    copy.apply_reorg(begun(copy, whole(source), source))
    assert copy.fork == 1


def test_a_fork_of_another_core_changes_nothing(copy):
    before = shown(copy)
    with Hypercore() as other:
        other.append(BLOCKS)
        other.truncate(0)
        other.append([b"x"] * 9)
        with pytest.raises(InvalidSignature):
            copy.apply_reorg(begun(copy, whole(other), other))
    assert shown(copy) == before


def test_a_copy_that_knows_only_the_key_learns_the_manifest_with_the_fork(source):
    with Hypercore(key=source.key) as copy:
        source.truncate(1)
        copy.apply_reorg(begun(copy, whole(source), source))
        assert (copy.length, copy.fork) == (1, 1)
        assert copy.manifest == Manifest.for_key(source.key_pair.public_key)


def test_a_copy_that_knows_only_the_key_refuses_another_manifest(source):
    proof = whole(source)
    proof.manifest = Manifest.for_key(KeyPair.generate().public_key)
    proof.fork = 1
    with Hypercore(key=source.key) as copy:
        reorg = copy.begin_reorg(proof)
        with pytest.raises(InvalidSignature, match="not that of the core"):
            copy.apply_reorg(reorg)


def test_a_fork_is_not_gone_over_to_twice_or_back(source, copy):
    reorg = begun(copy, whole(source), source)
    copy.apply_reorg(reorg)
    before = shown(copy)
    with pytest.raises(InvalidOperation, match="not a higher one"):
        copy.apply_reorg(reorg)
    assert shown(copy) == before


def test_a_fork_that_is_not_known_well_enough_is_not_gone_over_to(source, copy):
    before = shown(copy)
    reorg = copy.begin_reorg(whole(source))
    assert reorg.wanted is not None
    with pytest.raises(InvalidOperation, match="not known well enough"):
        copy.apply_reorg(reorg)
    assert shown(copy) == before


def test_another_fork_is_shown_from_its_beginning(source, copy):
    proof = source.proof(ProofRequest(upgrade=UpgradeRequest(3, 3)))
    with pytest.raises(InvalidProof, match="from its first block on"):
        copy.begin_reorg(proof)
