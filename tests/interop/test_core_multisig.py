"""Cores that two of three have to sign: signatures put together on one side hold on the other."""

import pytest

from hypercore import KeyPair
from hypercore.manifest import Manifest, Signer
from hypercore.merkle import MerkleTree
from hypercore.signing import Authority
from tests.interop.core_histories import random_batch
from tests.interop.core_operations import Life, assert_same_life, describe
from tests.interop.core_requests import damaged_signature, follow
from tests.interop.seeds import SEEDS

KEY_PAIRS = [KeyPair.from_seed(bytes([number]) * 32) for number in (1, 2, 3)]
SIGNERS = [Signer(pair.public_key, bytes([number]) * 32) for number, pair in enumerate(KEY_PAIRS)]

MANIFESTS = {
    "version-0": Manifest.create(*SIGNERS, version=0),
    "version-0-with-patches": Manifest.create(*SIGNERS, version=0, allow_patch=True),
    "version-1": Manifest.create(*SIGNERS),
    "version-1-with-patches": Manifest.create(*SIGNERS, allow_patch=True),
    "version-2": Manifest.create(*SIGNERS, user_data=b"application"),
}


def sign_here(manifest, chosen, blocks):
    """Return the signature that our implementation puts together."""
    authority = Authority(manifest.key(), manifest)
    tree, _ = MerkleTree().append_blocks([bytes.fromhex(block) for block in blocks])
    parts = [
        (number, authority.signer(KEY_PAIRS[number]).sign(tree.tree_hash(), tree.length, 0))
        for number in chosen
    ]
    return authority.assemble(parts).hex()


def sign_in_javascript(peer, manifest, chosen, blocks, length, has):
    """Return the signature that Node puts together; each signer may have more blocks than it is for."""
    signers = [
        {"number": number, "has": count, "keyPair": describe(key_pair=KEY_PAIRS[number])["keyPair"]}
        for number, count in zip(chosen, has, strict=True)
    ]
    return peer(
        "signTogether", manifest=manifest.encode().hex(), signers=signers, blocks=blocks, length=length
    )


def live_and_follow(peer, random, manifest, batches, signatures):
    """Append each batch with its signature, and let a peer follow, on both sides."""
    with Life(None, manifest=manifest) as life, Life(None, key=manifest.key()) as follower:
        for batch, signature in zip(batches, signatures, strict=True):
            damaged = damaged_signature(random, signature)
            refused = life.do("append", blocks=batch, signature=damaged)
            assert refused == {"refused": "INVALID_SIGNATURE"}
            assert life.do("append", blocks=batch, signature=signature)["signature"] == signature
            follow(random, life, follower, requests=6)
    assert_same_life(peer, life)
    assert_same_life(peer, follower)


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
@pytest.mark.parametrize("seed", SEEDS[::4])
def test_a_signature_put_together_here_holds_in_javascript(peer, random, manifest):
    batches = [random_batch(random) for _ in range(3)]
    blocks, signatures = [], []
    for batch in batches:
        blocks += batch
        signatures.append(sign_here(manifest, random.sample(range(3), 2), blocks))
    live_and_follow(peer, random, manifest, batches, signatures)


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
@pytest.mark.parametrize("seed", SEEDS[::4])
def test_a_signature_put_together_in_javascript_holds_here(peer, random, manifest):
    batches = [random_batch(random) for _ in range(3)]
    blocks = [block for batch in batches for block in batch]
    length, signatures = 0, []
    for batch in batches:
        length += len(batch)
        has = [random.randint(length, len(blocks)) if manifest.allow_patch else length for _ in range(2)]
        chosen = random.sample(range(3), 2)
        signatures.append(sign_in_javascript(peer, manifest, chosen, blocks, length, has))
    live_and_follow(peer, random, manifest, batches, signatures)


@pytest.mark.parametrize("chosen", [[0], [1, 1], []], ids=["one", "one-twice", "none"])
@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_both_refuse_the_signature_of_fewer_than_two(peer, manifest, chosen):
    blocks = ["61", "62"]
    with Life(None, manifest=manifest) as life:
        life.do("append", blocks=blocks, signature=sign_here(manifest, chosen, blocks))
    assert life.answers == [{"refused": "INVALID_SIGNATURE"}]
    assert_same_life(peer, life)


@pytest.mark.parametrize("version", [0, 1])
def test_both_refuse_a_patch_that_the_manifest_does_not_allow(peer, version):
    manifest = MANIFESTS[f"version-{version}"]
    blocks = ["61", "62", "63"]
    signature = sign_in_javascript(peer, manifest, [0, 2], blocks, 2, has=[3, 2])
    with Life(None, manifest=manifest) as life:
        life.do("append", blocks=blocks[:2], signature=signature)
    assert life.answers == [{"refused": "INVALID_SIGNATURE"}]
    assert_same_life(peer, life)
