"""Compares encrypted blocks with the reference's, and two ways to XSalsa20 with each other."""

import ctypes
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings

from hypercore import Corestore, Hypercore, crypto, encryption
from hypercore.encryption import PADDING, BlockEncryption, block_encryption_key, find_sodium_xor, portable_xor
from hypercore.errors import BadArgument, DecodingError
from tests.data.vectors import vectors

VECTORS = vectors("encryption")
raw = bytes.fromhex

CORE_KEY, ENCRYPTION_KEY = b"\x01" * 32, b"\x14" * 32
ENCRYPTION = BlockEncryption(CORE_KEY, ENCRYPTION_KEY)
HELLO = ENCRYPTION.encrypt(3, 0, b"hello")

U64 = st.integers(0, 2**64 - 1)
KEYS = st.binary(min_size=32, max_size=32)
NONCES = st.binary(min_size=24, max_size=24)
# Around the borders of Salsa20's blocks, and of the 32 bytes that the portable way computes by itself.
BORDERS = sorted({border + step for border in (32, 64, 128, 192, 4096) for step in (-1, 0, 1)} | {0, 1, 8})
MESSAGES = st.one_of(
    st.binary(max_size=300),
    st.sampled_from(BORDERS).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
)


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


@given(index=U64, fork=U64, block=MESSAGES)
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


# --- XSalsa20 -------------------------------------------------------------------------------------

# From the tests of NaCl: stream3.c, stream4.c and stream.c have this key and nonce.
NACL_KEY = raw("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389")
NACL_NONCE = raw("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37")
NACL_STREAM = raw("eea6a7251c1e72916d11c2cb214d3c252539121d8e234e652d651fa4c8cff880")
NACL_MESSAGE = bytes(32) + raw(
    "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01"
    "233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd"
    "4924ca1c60902e52f0a089bc76897040e082f937763848645e0705"
)
NACL_RESULT = NACL_STREAM + raw(
    "8e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f"
    "9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de"
    "56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5"
)
NACL_4_MIB_DIGEST = "662b9d0e3463029156069b12f918691a98f7dfb2ca0393c96bbfc6b1fbd630a2"


@pytest.fixture(params=["sodium", "portable"])
def xor(request):
    """Each way to XSalsa20."""
    if request.param == "portable":
        return portable_xor
    return find_sodium_xor() or pytest.skip("PyNaCl hides libsodium's functions here")


def test_the_stream_is_that_of_nacl(xor):
    assert xor(bytes(32), NACL_NONCE, NACL_KEY) == NACL_STREAM


def test_a_message_is_encrypted_as_by_nacl(xor):
    assert xor(NACL_MESSAGE, NACL_NONCE, NACL_KEY) == NACL_RESULT


def test_a_long_stream_is_that_of_nacl(xor):
    assert sha256(xor(bytes(4 * 2**20), NACL_NONCE, NACL_KEY)).hexdigest() == NACL_4_MIB_DIGEST


@pytest.mark.parametrize("size", range(len(NACL_MESSAGE)))
def test_the_beginning_of_a_message_is_encrypted_to_the_beginning_of_the_result(xor, size):
    assert xor(NACL_MESSAGE[:size], NACL_NONCE, NACL_KEY) == NACL_RESULT[:size]


@given(message=MESSAGES, nonce=NONCES, key=KEYS)
def test_the_portable_way_gives_what_libsodium_gives(message, nonce, key):
    sodium_xor = find_sodium_xor() or pytest.skip("PyNaCl hides libsodium's functions here")
    assert portable_xor(message, nonce, key) == sodium_xor(message, nonce, key)


@given(message=st.binary(min_size=1, max_size=300), nonce=NONCES, key=KEYS)
def test_the_way_in_use_agrees_with_secretbox_behind_its_32_bytes(message, nonce, key):
    boxed = bindings.crypto_secretbox(message, nonce, key)[bindings.crypto_secretbox_MACBYTES :]
    assert encryption.xsalsa20_xor(bytes(32) + message, nonce, key)[32:] == boxed


def test_libsodium_is_in_use_where_its_function_can_be_reached():
    """Fails where a new PyNaCl hides it: everything still works, a hundred times slower."""
    assert encryption.xsalsa20_xor is not portable_xor


def no_library(path):
    raise OSError(f"{path}: cannot open shared object file")


@pytest.mark.parametrize(
    ("owner", "name", "replacement"),
    [
        pytest.param(ctypes, "CDLL", no_library, id="library-not-loadable"),
        pytest.param(ctypes, "CDLL", lambda path: object(), id="function-hidden"),
        pytest.param(encryption, "find_spec", lambda name: None, id="extension-module-renamed"),
    ],
)
def test_libsodium_out_of_reach_is_noticed(monkeypatch, owner, name, replacement):
    monkeypatch.setattr(owner, name, replacement)
    assert find_sodium_xor() is None


def test_blocks_are_the_same_without_libsodium(monkeypatch):
    monkeypatch.setattr(encryption, "xsalsa20_xor", portable_xor)
    assert ENCRYPTION.encrypt(3, 0, b"hello") == HELLO
    assert ENCRYPTION.decrypt(3, HELLO) == b"hello"
    assert crypto.blake2b_256(ENCRYPTION.block_key) == ENCRYPTION.blinding_key
