from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import KeyPair, crypto
from hypercore.errors import BadArgument
from tests.hypercore.damage import flips

PAIR = KeyPair.from_seed(b"\x01" * 32)
SECRET_KEY = b"\x01" * 32 + PAIR.public_key
HASHES = st.binary(min_size=32, max_size=32)


def u64(*numbers):
    return b"".join(number.to_bytes(8, "little") for number in numbers)


def plain_hash(data):
    return blake2b(data, digest_size=32).digest()


@given(block=st.binary())
def test_the_hash_of_a_leaf_covers_size_and_block(block):
    assert crypto.leaf_hash(block) == plain_hash(b"\x00" + u64(len(block)) + block)


@given(size=st.integers(0, 2**53), left=HASHES, right=HASHES)
def test_the_hash_of_a_parent_covers_size_and_both_children(size, left, right):
    assert crypto.parent_hash(size, left, right) == plain_hash(b"\x01" + u64(size) + left + right)


@given(roots=st.lists(st.tuples(st.integers(0, 2**53), st.integers(0, 2**53), HASHES), max_size=4))
def test_the_tree_hash_covers_hash_index_and_size_of_each_root(roots):
    pieces = [crypto.root_piece(*root) for root in roots]
    expected = b"".join(hash_ + u64(index, size) for index, size, hash_ in roots)
    assert crypto.tree_hash(b"".join(pieces)) == plain_hash(b"\x02" + expected)


def test_a_signable_names_the_core_the_tree_its_length_and_its_fork():
    assert crypto.signable(b"c" * 32, b"h" * 32, 3, 1) == crypto.TREE + b"c" * 32 + b"h" * 32 + u64(3, 1)


def test_every_namespace_is_another_one():
    named = [
        crypto.TREE,
        crypto.REPLICATE_INITIATOR,
        crypto.REPLICATE_RESPONDER,
        crypto.MANIFEST,
        crypto.DEFAULT_NAMESPACE,
        crypto.DEFAULT_ENCRYPTION,
        crypto.CORESTORE,
        crypto.ROOT_NAMESPACE,
    ]
    assert len(set(named)) == 8
    assert {len(namespace) for namespace in named} == {32}
    assert crypto.namespaces("hypercore", 6) == named[:6]


def test_a_seed_always_gives_the_same_key_pair():
    assert KeyPair.from_seed(b"\x01" * 32) == PAIR
    assert PAIR.secret_key == SECRET_KEY


def test_generated_key_pairs_differ():
    assert KeyPair.generate() != KeyPair.generate()


def test_the_secret_key_is_not_shown():
    assert SECRET_KEY.hex() not in repr(PAIR)
    assert repr(SECRET_KEY) not in repr(PAIR)


@pytest.mark.parametrize("size", [0, 31, 33], ids=["empty", "short", "long"])
def test_a_seed_has_32_bytes(size):
    with pytest.raises(BadArgument, match=f"a seed has 32 bytes, found {size}"):
        KeyPair.from_seed(bytes(size))


@pytest.mark.parametrize(
    ("public", "secret", "wrong"),
    [
        pytest.param(31, None, "public key", id="short-public-key"),
        pytest.param(33, 64, "public key", id="long-public-key"),
        pytest.param(32, 0, "secret key", id="empty-secret-key"),
        pytest.param(32, 32, "secret key", id="seed-as-secret-key"),
        pytest.param(32, 65, "secret key", id="long-secret-key"),
    ],
)
def test_the_sizes_of_keys_are_checked(public, secret, wrong):
    with pytest.raises(BadArgument, match=wrong):
        KeyPair(bytes(public), None if secret is None else bytes(secret))


@given(message=st.binary())
def test_a_signature_holds_for_its_message_and_key(message):
    signature = crypto.sign(message, SECRET_KEY)
    assert len(signature) == 64
    assert crypto.verify(message, signature, PAIR.public_key)
    assert not crypto.verify(message + b"\x00", signature, PAIR.public_key)
    assert not crypto.verify(message, signature, KeyPair.from_seed(b"\x02" * 32).public_key)


def test_a_damaged_signature_does_not_hold():
    for damaged in flips(crypto.sign(b"message", SECRET_KEY)):
        assert not crypto.verify(b"message", damaged, PAIR.public_key)


@pytest.mark.parametrize("size", [0, 63, 65, 128], ids=["empty", "short", "long", "double"])
def test_a_signature_of_the_wrong_size_does_not_hold(size):
    assert crypto.verify(b"message", bytes(size), PAIR.public_key) is False


@pytest.mark.parametrize("size", [0, 31, 33], ids=["empty", "short", "long"])
def test_nothing_holds_for_a_public_key_of_the_wrong_size(size):
    assert crypto.verify(b"message", crypto.sign(b"message", SECRET_KEY), bytes(size)) is False


def test_a_discovery_key_tells_the_core_but_not_its_key():
    assert crypto.discovery_key(b"k" * 32) == blake2b(b"hypercore", digest_size=32, key=b"k" * 32).digest()


def test_each_primary_key_namespace_and_name_derives_another_key_pair():
    namespace = crypto.derive_namespace(crypto.ROOT_NAMESPACE, b"a")
    pairs = {
        crypto.derive_key_pair(primary, within, name)
        for primary in (bytes(32), b"\x01" * 32)
        for within in (crypto.ROOT_NAMESPACE, namespace)
        for name in ("", "a", "ä")
    }
    assert len(pairs) == 12
