"""Compares the two ways to each function, libsodium's own and the portable one."""

import ctypes
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings

from hypercore import KeyPair, sodium
from hypercore.sodium import find_sign, find_xor, portable_sign, portable_xor

raw = bytes.fromhex

KEYS = st.binary(min_size=32, max_size=32)
NONCES = st.binary(min_size=24, max_size=24)
# Around the borders of Salsa20's blocks, and of the 32 bytes that the portable way computes by itself.
BORDERS = sorted({border + step for border in (32, 64, 128, 192, 4096) for step in (-1, 0, 1)} | {0, 1, 8})
MESSAGES = st.one_of(
    st.binary(max_size=300),
    st.sampled_from(BORDERS).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
)


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
    return find_xor() or pytest.skip("PyNaCl hides libsodium's functions here")


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
    sodium_xor = find_xor() or pytest.skip("PyNaCl hides libsodium's functions here")
    assert portable_xor(message, nonce, key) == sodium_xor(message, nonce, key)


@given(message=st.binary(min_size=1, max_size=300), nonce=NONCES, key=KEYS)
def test_the_way_in_use_agrees_with_secretbox_behind_its_32_bytes(message, nonce, key):
    boxed = bindings.crypto_secretbox(message, nonce, key)[bindings.crypto_secretbox_MACBYTES :]
    assert sodium.xsalsa20_xor(bytes(32) + message, nonce, key)[32:] == boxed


def test_libsodium_is_in_use_where_its_functions_can_be_reached():
    """Fails where a new PyNaCl hides it: everything still works, encryption a hundred times slower."""
    assert sodium.xsalsa20_xor is not portable_xor
    assert sodium.sign is not portable_sign


def no_library(path):
    raise OSError(f"{path}: cannot open shared object file")


@pytest.mark.parametrize(
    ("owner", "name", "replacement"),
    [
        pytest.param(ctypes, "CDLL", no_library, id="library-not-loadable"),
        pytest.param(ctypes, "CDLL", lambda path: object(), id="function-hidden"),
        pytest.param(sodium, "find_spec", lambda name: None, id="extension-module-renamed"),
    ],
)
def test_libsodium_out_of_reach_is_noticed(monkeypatch, owner, name, replacement):
    monkeypatch.setattr(owner, name, replacement)
    assert find_xor() is None
    assert find_sign() is None


# --- signatures -----------------------------------------------------------------------------------


@given(message=st.binary(max_size=300), seed=KEYS)
def test_both_ways_sign_alike(message, seed):
    sodium_sign = find_sign() or pytest.skip("PyNaCl hides libsodium's functions here")
    key_pair = KeyPair.from_seed(seed)
    secret_key = key_pair.secret_key or b""
    signature = sodium_sign(message, secret_key)
    assert signature == portable_sign(message, secret_key)
    assert bindings.crypto_sign_open(signature + message, key_pair.public_key) == message
