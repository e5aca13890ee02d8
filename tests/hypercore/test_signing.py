import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import KeyPair
from hypercore.encoding import MAX_UINT, encode_uint
from hypercore.errors import BadArgument, InvalidSignature
from hypercore.manifest import Manifest, Prologue, Signer
from hypercore.merkle import MerkleTree, Node, encode_node
from hypercore.proofs import ProofRequest, UpgradeRequest
from hypercore.signing import Authority
from tests.data.manifests import manifest_of
from tests.data.vectors import vectors
from tests.hypercore.damage import cuts, flips
from tests.hypercore.proofs.trees import Source
from tests.memory import traced

PAIRS = [KeyPair.from_seed(bytes([seed]) * 32) for seed in (1, 2, 3)]
PAIR = PAIRS[0]
VECTORS = vectors("proofs")
BLOCKS = [bytes.fromhex(block) for block in VECTORS["blocks"]]


def tree_of(length, blocks=BLOCKS):
    return MerkleTree().append_blocks(blocks[:length])[0]


TREE = tree_of(5)


def authority_of(kind):
    """Return the authority over a core that one key signs."""
    manifest = Manifest.for_key(PAIR.public_key, {"version-0": 0, "version-2": 2}.get(kind, 1))
    key = PAIR.public_key if kind == "compat" else manifest.key()
    return Authority(key, manifest)


def sign(authority, tree=TREE, fork=0, pair=PAIR):
    return authority.signer(pair).sign(tree.tree_hash(), tree.length, fork)


KINDS = ["compat", "version-0", "version-1", "version-2"]


@pytest.mark.parametrize("kind", KINDS)
@given(fork=st.integers(0, 2**53), index=st.integers(0, 50), size=st.integers(0, 2**53))
def test_a_signature_holds_for_its_tree_and_fork_only(kind, fork, index, size):
    authority = authority_of(kind)
    tree = MerkleTree([Node(2**index - 1, size, b"\x05" * 32)])
    signature = sign(authority, tree, fork)
    assert authority.verify(tree, fork, signature)
    assert not authority.verify(tree, fork + 1, signature)
    for other in (
        MerkleTree([Node(2 ** (index + 1) - 1, size, b"\x05" * 32)]),
        MerkleTree([Node(2**index - 1, size + 1, b"\x05" * 32)]),
        MerkleTree([Node(2**index - 1, size, bytes(32))]),
    ):
        assert not authority.verify(other, fork, signature)


@pytest.mark.parametrize(("kind", "size"), [*zip(KINDS, [64, 64, 68, 68], strict=True)], ids=KINDS)
def test_newer_manifests_wrap_the_signature(kind, size):
    assert len(sign(authority_of(kind))) == size


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_with_any_byte_missing_does_not_hold(kind):
    authority = authority_of(kind)
    signature = sign(authority)
    for damaged in (*cuts(signature), b"\x00" + signature, None):
        assert authority.verify(TREE, 0, damaged) is False


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_signature_does_not_hold(kind):
    authority = authority_of(kind)
    signature = sign(authority)
    # The number behind a wrapped signature says for which longer tree it is: ignored without patches.
    ignored = set() if len(signature) == 64 else {66}
    for place, damaged in enumerate(flips(signature)):
        if place // 3 not in ignored:
            assert authority.verify(TREE, 0, damaged) is False


@pytest.mark.parametrize(("kind", "holds"), [*zip(KINDS, [False, False, True, True], strict=True)], ids=KINDS)
def test_bytes_behind_a_wrapped_signature_are_ignored_as_in_the_reference(kind, holds):
    authority = authority_of(kind)
    assert authority.verify(TREE, 0, sign(authority) + b"\x00") is holds


def authorities():
    several = [manifest_of(case["manifest"]) for case in VECTORS["multisig"]]
    odd = [
        Manifest(),
        Manifest((Signer(PAIR.public_key),), quorum=0),
        Manifest((Signer(PAIR.public_key),), version=0, quorum=1, allow_patch=True),
        Manifest((), prologue=Prologue(bytes(32), 3)),
        Manifest((), version=0, prologue=Prologue(bytes(32), 3)),
        Manifest((Signer(PAIR.public_key),), quorum=1, prologue=Prologue(bytes(32), 3)),
    ]
    return [*map(authority_of, KINDS), *(Authority(each.key(), each) for each in (*several, *odd))]


AUTHORITIES = authorities()


@given(signature=st.binary(max_size=300), length=st.integers(0, 12))
def test_random_bytes_are_no_signature(signature, length):
    tree = tree_of(length)
    assert [authority.verify(tree, 0, signature) for authority in AUTHORITIES] == [False] * len(AUTHORITIES)


UINTS = st.one_of(st.integers(0, 5), st.integers(0, MAX_UINT), st.just(MAX_UINT)).map(encode_uint)
FIXED = st.binary(min_size=64, max_size=64)
NODES = st.builds(Node, st.integers(0, 30) | st.just(MAX_UINT), st.integers(0, MAX_UINT), st.just(bytes(32)))


def array(items):
    return st.lists(items, max_size=4).map(lambda each: encode_uint(len(each)) + b"".join(each))


def joined(*parts):
    return st.tuples(*parts).map(b"".join)


NEW = joined(array(joined(UINTS, FIXED, UINTS)), array(NODES.map(encode_node)))
OLD = joined(
    array(
        joined(st.just(b"\x00"), UINTS, FIXED)
        | joined(st.just(b"\x01"), UINTS, FIXED, UINTS, UINTS, array(UINTS))
    ),
    array(NODES.map(encode_node)),
)


@given(signature=NEW | OLD, length=st.integers(0, 12))
def test_well_formed_nonsense_is_no_signature(signature, length):
    tree = tree_of(length)
    assert [authority.verify(tree, 0, signature) for authority in AUTHORITIES] == [False] * len(AUTHORITIES)


def test_a_signature_for_one_core_does_not_hold_for_another_of_the_same_key():
    assert not authority_of("version-2").verify(TREE, 0, sign(authority_of("version-1")))


def test_the_signature_of_another_key_does_not_hold():
    other = Manifest.for_key(PAIRS[1].public_key)
    signature = sign(Authority(other.key(), other), pair=PAIRS[1])
    assert not authority_of("version-1").verify(TREE, 0, signature)


def test_a_manifest_of_another_core_is_refused():
    with pytest.raises(InvalidSignature, match="belongs to core"):
        Authority(bytes(32), Manifest.for_key(PAIR.public_key))


def test_a_key_pair_that_the_manifest_does_not_name_cannot_sign():
    with pytest.raises(BadArgument, match="does not name"):
        authority_of("version-1").signer(PAIRS[1])


def test_half_a_key_pair_cannot_sign():
    with pytest.raises(BadArgument, match="secret key"):
        authority_of("version-1").signer(KeyPair(PAIR.public_key))


def test_an_authority_knows_its_signers():
    assert authority_of("compat").names(PAIR.public_key)
    assert not authority_of("compat").names(PAIRS[1].public_key)


class TestSeveralSigners:
    CASES = pytest.mark.parametrize(
        "case",
        VECTORS["multisig"],
        ids=[
            f"version-{case['version']}-{'patches' if case['allowPatch'] else 'alike'}"
            for case in VECTORS["multisig"]
        ],
    )

    def authority(self, case):
        manifest = manifest_of(case["manifest"])
        assert manifest.encode().hex() == case["manifestEncoded"]
        return Authority(bytes.fromhex(case["key"]), manifest)

    def blob(self, case, name="honest"):
        [blob] = [bytes.fromhex(each["blob"]) for each in case["blobs"] if each["name"] == name]
        return blob

    def patch(self, length, signed_length):
        """Return what leads from a tree to the longer one that was signed."""
        request = ProofRequest(upgrade=UpgradeRequest(length, signed_length - length))
        return Source(BLOCKS[:signed_length]).answer(request).upgrade

    @CASES
    def test_each_signs_as_in_the_reference(self, case):
        authority = self.authority(case)
        assert authority.needs_several
        signatures = [
            sign(authority, tree_of(length), pair=pair)
            for length, pair in zip(case["signedLengths"], PAIRS, strict=False)
        ]
        assert [signature.hex() for signature in signatures] == case["rawSignatures"]
        patches = {
            number: self.patch(case["length"], length)
            for number, length in enumerate(case["signedLengths"])
            if length > case["length"]
        }
        assert (patches != {}) == case["allowPatch"]
        assert authority.assemble([*enumerate(signatures)], patches) == self.blob(case)

    @pytest.mark.parametrize("version", [0, 1])
    def test_patches_are_refused_where_all_have_to_sign_the_same_tree(self, version):
        manifest = Manifest(tuple(Signer(pair.public_key) for pair in PAIRS), version=version, quorum=2)
        authority = Authority(manifest.key(), manifest)
        with pytest.raises(BadArgument, match="does not allow patches"):
            authority.assemble([(0, bytes(64)), (1, bytes(64))], {1: self.patch(5, 7)})

    @CASES
    def test_assembled_signatures_hold_where_they_do_in_the_reference(self, case):
        tree = tree_of(case["length"])
        for each in case["blobs"]:
            holds = self.authority(case).verify(tree, 0, bytes.fromhex(each["blob"]))
            assert (each["name"], holds) == (each["name"], each["verifies"])

    @CASES
    def test_they_do_not_hold_for_another_tree_or_fork(self, case):
        authority, blob = self.authority(case), self.blob(case)
        assert not authority.verify(tree_of(case["length"]), 1, blob)
        assert not authority.verify(tree_of(case["length"] + 1), 0, blob)
        assert not authority.verify(tree_of(case["length"], BLOCKS[1:]), 0, blob)

    @CASES
    def test_cut_off_signatures_do_not_hold(self, case):
        authority, tree = self.authority(case), tree_of(case["length"])
        assert not any(authority.verify(tree, 0, cut) for cut in cuts(self.blob(case)))

    @CASES
    def test_any_changed_byte_gives_an_answer_and_never_another_error(self, case):
        authority, tree = self.authority(case), tree_of(case["length"])
        assert {authority.verify(tree, 0, each) for each in flips(self.blob(case))} <= {False, True}

    @CASES
    def test_a_changed_byte_in_the_signature_of_one_spoils_all(self, case):
        authority, tree, blob = self.authority(case), tree_of(case["length"]), self.blob(case)
        for raw in map(bytes.fromhex, case["rawSignatures"]):
            place = blob.index(raw)
            damaged = (blob[:place] + each + blob[place + 64 :] for each in flips(raw))
            assert not any(authority.verify(tree, 0, each) for each in damaged)

    @pytest.mark.parametrize("patch", [1, 2**31, MAX_UINT], ids=["short", "long", "longest"])
    @CASES
    def test_a_patch_without_its_nodes_does_not_hold(self, case, patch):
        authority, tree = self.authority(case), tree_of(case["length"])
        flags, tail = (
            (b"\x01", b"\x05" + encode_uint(patch) + b"\x00")
            if case["version"] == 0
            else (b"", encode_uint(patch))
        )
        raw = enumerate(map(bytes.fromhex, case["rawSignatures"]))
        signature = (
            b"\x02" + b"".join(flags + encode_uint(number) + each + tail for number, each in raw) + b"\x00"
        )
        # Where patches are not allowed, nobody looks at them: all have signed this tree.
        assert authority.verify(tree, 0, signature) is not case["allowPatch"]


def test_a_long_signature_takes_memory_in_proportion_to_its_length():
    [case] = [case for case in VECTORS["multisig"] if case["version"] == 1 and case["allowPatch"]]
    authority = Authority(bytes.fromhex(case["key"]), manifest_of(case["manifest"]))
    proofs = (b"\x00" + bytes(64) + b"\x01") * 500
    nodes = b"".join(encode_node(Node(2 * i, 1, bytes(32))) for i in range(1000))
    signature = encode_uint(500) + proofs + encode_uint(1000) + nodes
    with traced() as memory:
        assert not authority.verify(TREE, 0, signature)
    assert memory.peak < 50 * len(signature)


@pytest.mark.parametrize(
    "manifest",
    [
        Manifest(tuple(Signer(pair.public_key) for pair in PAIRS), quorum=1),
        Manifest(tuple(Signer(pair.public_key) for pair in PAIRS), version=0, quorum=1),
        Manifest((Signer(PAIR.public_key),), quorum=1, allow_patch=True),
        Manifest((Signer(PAIR.public_key),), version=0, quorum=1, allow_patch=True),
    ],
    ids=["one-of-three", "old-one-of-three", "patches", "old-with-patches"],
)
def test_where_one_is_enough_the_signature_of_each_holds_as_it_is(manifest):
    authority = Authority(manifest.key(), manifest)
    assert not authority.needs_several
    for pair in PAIRS[: len(manifest.signers)]:
        assert authority.verify(TREE, 0, sign(authority, pair=pair))
        assert not authority.verify(tree_of(6), 0, sign(authority, pair=pair))


class TestStaticCore:
    CASE = VECTORS["staticCore"]

    @pytest.fixture
    def authority(self):
        return Authority(bytes.fromhex(self.CASE["key"]), manifest_of(self.CASE["manifest"]))

    def test_its_tree_holds_without_a_signature(self, authority):
        tree = tree_of(self.CASE["length"])
        assert tree.tree_hash().hex() == self.CASE["treeHash"]
        assert authority.verify(tree, 0, None)
        assert authority.verify(tree, 0, b"anything")

    @pytest.mark.parametrize("length", [0, 3, 4, 6, 8])
    def test_no_other_length_holds(self, authority, length):
        assert not authority.verify(tree_of(length), 0, None)
        assert not authority.verify(tree_of(length), 0, b"\x00\x00")

    def test_no_other_blocks_hold(self, authority):
        assert not authority.verify(tree_of(self.CASE["length"], BLOCKS[1:]), 0, None)

    def test_nobody_signs_it(self, authority):
        with pytest.raises(BadArgument):
            authority.signer(PAIR)


class TestPrologueAndSigner:
    MANIFEST = Manifest.create(Signer(PAIR.public_key), prologue=Prologue(TREE.tree_hash(), TREE.length))

    @pytest.fixture
    def authority(self):
        return Authority(self.MANIFEST.key(), self.MANIFEST)

    def test_the_prologue_needs_no_signature(self, authority):
        assert authority.verify(TREE, 0, None)

    def test_a_signature_does_not_make_up_for_another_prologue(self, authority):
        other = tree_of(TREE.length, BLOCKS[1:])
        assert not authority.verify(other, 0, sign(authority, other))
        assert not authority.verify(tree_of(3), 0, sign(authority, tree_of(3)))

    def test_what_is_behind_the_prologue_needs_a_signature(self, authority):
        longer = tree_of(7)
        assert authority.verify(longer, 0, sign(authority, longer))
        assert not authority.verify(longer, 0, None)
