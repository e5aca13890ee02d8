"""Compares encrypted blocks with the reference's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Corestore, Hypercore, crypto, encryption
from hypercore.encryption import PADDING, BlockEncryption, block_encryption_key
from hypercore.errors import BadArgument, DecodingError
from hypercore.sodium import portable_xor
from tests.data.vectors import vectors

VECTORS = vectors("encryption")
raw = bytes.fromhex

CORE_KEY, ENCRYPTION_KEY = b"\x01" * 32, b"\x14" * 32
ENCRYPTION = BlockEncryption(CORE_KEY, ENCRYPTION_KEY)
HELLO = ENCRYPTION.encrypt(3, 0, b"hello")

U64 = st.integers(0, 2**64 - 1)
KEYS = st.binary(min_size=32, max_size=32)


# --- against the reference ------------------------------------------------------------------------


def kind(vector):
    names = [name for name in ("compat", "block") if vector[name]]
    return "-".join([f"key-{vector['encryptionKey'][:2]}", *(names or ["manifest"])])


def encryption_of(vector):
    keys = raw(vector["coreKey"]), raw(vector["encryptionKey"])
    return BlockEncryption(*keys, compat=vector["compat"], block_key=vector["block"])


derived = pytest.mark.parametrize(
    "vector", [pytest.param(each, id=kind(each)) for each in VECTORS["encryption"]]
)
of_cores = pytest.mark.parametrize(
    "vector", [pytest.param(each, id=each["name"]) for each in VECTORS["encryptedCores"]]
)


@derived
def test_keys_are_derived_as_in_the_reference(vector):
    ours = encryption_of(vector)
    assert (ours.block_key.hex(), ours.blinding_key.hex()) == (vector["blockKey"], vector["blindingKey"])


@derived
def test_blocks_are_encrypted_as_in_the_reference(vector):
    ours = encryption_of(vector)
    for block in vector["blocks"]:
        stored = ours.encrypt(block["index"], block["fork"], raw(block["plain"]))
        assert stored.hex() == block["encrypted"]


@derived
def test_blocks_of_the_reference_are_decrypted(vector):
    ours = encryption_of(vector)
    for block in vector["blocks"]:
        assert ours.decrypt(block["index"], raw(block["encrypted"])).hex() == block["plain"]


def test_block_encryption_keys_are_those_of_the_reference():
    vector = VECTORS["blockEncryptionKey"]
    assert (
        block_encryption_key(raw(vector["coreKey"]), raw(vector["encryptionKey"])).hex() == vector["blockKey"]
    )


@of_cores
def test_a_core_of_the_reference_stores_the_same_blocks(vector):
    ours = BlockEncryption(raw(vector["key"]), raw(vector["encryptionKey"]), compat=vector["compat"])
    blocks = [raw(block) for block in vector["blocks"]]
    assert [ours.encrypt(index, 0, block).hex() for index, block in enumerate(blocks)] == vector["stored"]
    assert vector["padding"] == BlockEncryption.PADDING == PADDING
    assert vector["stored"][0][2 * PADDING :] == vector["getDecryptFalse"]


@of_cores
def test_a_block_appended_after_truncation_is_encrypted_for_the_new_fork(vector):
    ours = BlockEncryption(raw(vector["key"]), raw(vector["encryptionKey"]), compat=vector["compat"])
    after = vector["afterTruncate"]
    assert ours.encrypt(2, after["fork"], raw(after["blocks"][2])).hex() == after["stored"][2]
    assert after["stored"][:2] == vector["stored"][:2]
    assert [ours.decrypt(i, raw(block)).hex() for i, block in enumerate(after["stored"])] == after["blocks"]


# --- rules of our own -----------------------------------------------------------------------------


@given(index=U64, fork=U64, block=st.binary(max_size=300))
def test_a_stored_block_is_decrypted_with_its_index_alone(index, fork, block):
    stored = ENCRYPTION.encrypt(index, fork, block)
    assert len(stored) == len(block) + PADDING
    assert ENCRYPTION.decrypt(index, stored) == block


def test_a_block_key_opens_the_core_without_the_encryption_key():
    key = block_encryption_key(CORE_KEY, ENCRYPTION_KEY)
    assert BlockEncryption(CORE_KEY, key, block_key=True).decrypt(3, HELLO) == b"hello"


@pytest.mark.parametrize("size", range(PADDING))
def test_a_block_too_short_for_its_padding_is_refused(size):
    with pytest.raises(DecodingError, match=f"block 3 is not encrypted: it has {size} bytes"):
        ENCRYPTION.decrypt(3, HELLO[:size])


@pytest.mark.parametrize("size", range(PADDING, len(HELLO)))
def test_the_beginning_of_a_stored_block_is_decrypted_to_the_beginning_of_its_content(size):
    assert ENCRYPTION.decrypt(3, HELLO[:size]) == b"hello"[: size - PADDING]


@pytest.mark.parametrize(
    ("other", "index"),
    [
        pytest.param(BlockEncryption(CORE_KEY, b"\x15" * 32), 3, id="other-encryption-key"),
        pytest.param(BlockEncryption(b"\x02" * 32, ENCRYPTION_KEY), 3, id="other-core"),
        pytest.param(BlockEncryption(CORE_KEY, ENCRYPTION_KEY, compat=True), 3, id="compat"),
        pytest.param(BlockEncryption(CORE_KEY, ENCRYPTION_KEY, block_key=True), 3, id="as-block-key"),
        pytest.param(ENCRYPTION, 4, id="other-index"),
    ],
)
def test_the_wrong_key_or_index_gives_other_bytes_of_the_same_length(other, index):
    content = other.decrypt(index, HELLO)
    assert content != b"hello"
    assert len(content) == 5


@pytest.mark.parametrize(
    "options", [{}, {"compat": True}, {"block_key": True}], ids=["manifest", "compat", "block"]
)
@pytest.mark.parametrize("size", [0, 31, 33, 64], ids=["empty", "short", "long", "double"])
def test_keys_of_the_wrong_size_are_refused(size, options):
    with pytest.raises(BadArgument, match=f"a core key has 32 bytes, found {size}"):
        BlockEncryption(bytes(size), ENCRYPTION_KEY, **options)
    with pytest.raises(BadArgument, match=f"an encryption key has 32 bytes, found {size}"):
        BlockEncryption(CORE_KEY, bytes(size), **options)


@pytest.mark.parametrize("size", [0, 31, 33, 64], ids=["empty", "short", "long", "double"])
def test_a_core_is_not_even_made_for_an_encryption_key_of_the_wrong_size(tmp_path, size):
    with pytest.raises(BadArgument, match=f"an encryption key has 32 bytes, found {size}"):
        Hypercore(tmp_path / "core", encryption_key=bytes(size))
    assert not (tmp_path / "core").exists()
    with Corestore() as store:
        with pytest.raises(BadArgument, match=f"an encryption key has 32 bytes, found {size}"):
            store.get(name="a", encryption_key=bytes(size))
        assert list(store.cores()) == []


@pytest.mark.parametrize("size", [0, 31, 33, 64], ids=["empty", "short", "long", "double"])
def test_a_block_encryption_key_needs_keys_of_32_bytes(size):
    with pytest.raises(BadArgument, match=f"a core key has 32 bytes, found {size}"):
        block_encryption_key(bytes(size), ENCRYPTION_KEY)
    with pytest.raises(BadArgument, match=f"an encryption key has 32 bytes, found {size}"):
        block_encryption_key(CORE_KEY, bytes(size))


def test_the_keys_are_not_shown():
    shown = repr(ENCRYPTION)
    for key in (ENCRYPTION_KEY, ENCRYPTION.block_key, ENCRYPTION.blinding_key):
        assert key.hex() not in shown
        assert repr(key) not in shown


def test_blocks_are_the_same_without_libsodium(monkeypatch):
    monkeypatch.setattr(encryption, "xsalsa20_xor", portable_xor)
    assert ENCRYPTION.encrypt(3, 0, b"hello") == HELLO
    assert ENCRYPTION.decrypt(3, HELLO) == b"hello"
    assert crypto.blake2b_256(ENCRYPTION.block_key) == ENCRYPTION.blinding_key
