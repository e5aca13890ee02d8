import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore.errors import BadArgument, DecodingError
from hypercore.manifest import Manifest, Prologue, Signer, decode_manifest, decode_stored_manifest
from tests.hypercore.damage import cuts

A, B, C = (Signer(bytes([number]) * 32, bytes([number + 100]) * 32) for number in (1, 2, 3))
PROLOGUE = Prologue(b"\x07" * 32, 300)

MANIFESTS = {
    "version-0-single": Manifest((A,), version=0, quorum=1),
    "version-0-two-signers": Manifest((A, B), version=0, quorum=2),
    "version-0-patches": Manifest((A,), version=0, quorum=1, allow_patch=True),
    "version-0-nobody": Manifest((), version=0),
    "version-0-static": Manifest((), version=0, prologue=Prologue(b"\x07" * 32, 0)),
    "one-key": Manifest.for_key(b"\x01" * 32),
    "nobody": Manifest(),
    "version-1-all-fields": Manifest((A, B, C), quorum=2, allow_patch=True, prologue=PROLOGUE),
    "no-quorum": Manifest((A,), quorum=0),
    "many-signers": Manifest((A,) * 300, quorum=299),
    "version-2-all-fields": Manifest((A,), 2, 1, False, PROLOGUE, (b"\x08" * 32, b"\x09" * 32), b"data"),
    "empty-user-data": Manifest((A,), 2, 1, user_data=b""),
}
EVERY = pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)

KEYS = st.binary(min_size=32, max_size=32)
SIGNERS = st.lists(st.builds(Signer, KEYS, KEYS), max_size=4).map(tuple)


@st.composite
def any_manifest(draw):
    signers = draw(SIGNERS)
    version = draw(st.sampled_from([1, 2]))
    return Manifest(
        signers,
        version,
        draw(st.integers(0, len(signers))),
        draw(st.booleans()),
        draw(st.none() | st.builds(Prologue, KEYS, st.integers(0, 2**53 - 1))),
        tuple(draw(st.lists(KEYS, max_size=3))) if version == 2 else (),
        draw(st.none() | st.binary()) if version == 2 else None,
    )


@EVERY
def test_a_manifest_is_read_back_where_it_stands(manifest):
    encoded = manifest.encode()
    assert decode_manifest(b"\xff" + encoded + b"\xff", 1) == (manifest, len(encoded) + 1)


@EVERY
def test_a_stored_manifest_is_read_back(manifest):
    assert decode_stored_manifest(manifest.encode_stored()) == manifest


@given(manifest=any_manifest())
def test_the_stored_form_is_the_sent_one_from_version_1_on(manifest):
    assert manifest.encode() == manifest.encode_stored()
    assert decode_manifest(manifest.encode()) == (manifest, len(manifest.encode()))


@EVERY
def test_a_manifest_that_is_cut_off_is_refused(manifest):
    for cut in cuts(manifest.encode()[:400]):
        with pytest.raises(DecodingError):
            decode_manifest(cut)


@EVERY
def test_a_stored_manifest_that_is_cut_off_is_refused(manifest):
    for cut in cuts(manifest.encode_stored()[:400]):
        with pytest.raises(DecodingError):
            decode_stored_manifest(cut)


def test_every_manifest_has_another_key():
    assert len({manifest.key() for manifest in MANIFESTS.values()}) == len(MANIFESTS)


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        pytest.param("03" + "00" * 4, "version 3 is not known", id="unknown-version"),
        pytest.param("000003", "kind 0 to 2", id="unknown-kind-of-version-0"),
        pytest.param("000100", "hash of a manifest", id="unknown-hash-in-version-0"),
        pytest.param("01000100" + "00", "hash of a manifest", id="unknown-hash"),
        pytest.param("00000101" + "00" * 64, "signature of a signer", id="unknown-signature"),
        pytest.param("0100000100", "quorum of 1", id="quorum-without-signers"),
        pytest.param("00000200" + "0100", "quorum of 1", id="quorum-without-signers-in-version-0"),
        pytest.param("0104000000" + "01" + "00" * 32, "need manifest version 2", id="linked-in-version-1"),
        pytest.param("0108000000" + "0100", "need manifest version 2", id="user-data-in-version-1"),
        pytest.param("01000000" + "ff" + "ff" * 6 + "1f00", "items announced", id="countless-signers"),
        pytest.param("0204000000" + "feffffffff", "items announced", id="countless-linked-keys"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(damaged, reason):
    with pytest.raises(DecodingError, match=reason):
        decode_manifest(bytes.fromhex(damaged))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"version": 3}, id="unknown-version"),
        pytest.param({"version": -1}, id="negative-version"),
        pytest.param({"quorum": 1}, id="quorum-without-signers"),
        pytest.param({"signers": (A,), "quorum": 2}, id="quorum-above-signers"),
        pytest.param({"signers": (A,), "quorum": -1}, id="negative-quorum"),
        pytest.param({"linked": (b"\x01" * 32,)}, id="linked-in-version-1"),
        pytest.param({"user_data": b""}, id="user-data-in-version-1"),
        pytest.param({"version": 2, "linked": (b"\x01" * 31,)}, id="short-linked-key"),
    ],
)
def test_fields_that_do_not_fit_each_other_are_refused(fields):
    with pytest.raises(BadArgument):
        Manifest(**fields)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        pytest.param(lambda: Signer(bytes(31)), "public key of a signer", id="short-public-key"),
        pytest.param(lambda: Signer(bytes(32), b""), "namespace of a signer", id="empty-namespace"),
        pytest.param(lambda: Prologue(bytes(33), 0), "hash of a prologue", id="long-hash"),
        pytest.param(lambda: Prologue(bytes(32), -1), "length of a prologue", id="negative-length"),
    ],
)
def test_the_parts_check_their_sizes(make, what):
    with pytest.raises(BadArgument, match=what):
        make()


@pytest.mark.parametrize(
    ("count", "quorum"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3)], ids=["none", "one", "two", "three", "four"]
)
def test_the_usual_quorum_is_a_majority(count, quorum):
    assert Manifest.create(*[A] * count).quorum == quorum


def test_the_usual_version_is_the_oldest_that_can_say_it():
    assert Manifest.create(A).version == 1
    assert Manifest.create(A, linked=(b"\x01" * 32,)).version == 2
    assert Manifest.create(A, user_data=b"").version == 2
    assert Manifest.create(A, version=0).version == 0


def test_a_manifest_of_version_0_is_stored_in_the_layout_of_version_1():
    old, new = Manifest((A,), version=0, quorum=1), Manifest((A,), version=1, quorum=1)
    assert old.encode_stored() == b"\x00" + new.encode_stored()[1:]
    assert old.encode() != old.encode_stored()
