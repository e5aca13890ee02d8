"""Compares encodings, keys, hashes, ids and manifests with those of the JavaScript packages."""

import pytest

from hypercore import KeyPair, crypto, encoding
from hypercore.errors import BadArgument, DecodingError
from hypercore.ids import decode_id, encode_id
from hypercore.manifest import decode_manifest, decode_stored_manifest
from tests.data.manifests import manifest_of
from tests.data.vectors import vectors

VECTORS = vectors("core")
raw = bytes.fromhex

ENCODERS = {
    "uint": encoding.encode_uint,
    "string": lambda text: encoding.encode_buffer(text.encode()),
    "buffer": lambda data: encoding.encode_buffer(raw(data)),
}
DECODERS = {
    "uint": encoding.get_uint,
    "string": encoding.get_utf8,
    "buffer": lambda buf, pos: (encoding.get_buffer(buf, pos)[0].hex(), pos),
    "fixed32": lambda buf, pos: (encoding.get_fixed(buf, pos, 32)[0].hex(), pos),
}
INDEX_ENCODERS = {
    "UINT": lambda n: encoding.INDEX_END if n == "Infinity" else encoding.encode_index(n),
    "STRING": lambda text: encoding.encode_key_string(text.encode()),
}


def rows(section, types, wanted=lambda row: True):
    return [
        pytest.param(row, id=f"{row['type']}-{row.get('hex', row.get('value')) or 'empty'}"[:40])
        for row in VECTORS[section]
        if row["type"] in types and wanted(row)
    ]


def named(section):
    return [pytest.param(each, id=each["name"]) for each in VECTORS[section]]


@pytest.mark.parametrize("row", rows("encodings", ENCODERS))
def test_values_are_encoded_and_decoded_as_in_the_reference(row):
    assert ENCODERS[row["type"]](row["value"]).hex() == row["hex"]
    assert DECODERS[row["type"]](raw(row["hex"]), 0)[0] == row["value"]


@pytest.mark.parametrize("row", rows("decodings", DECODERS, lambda row: "ok" in row))
def test_unusual_bytes_are_decoded_as_in_the_reference(row):
    assert DECODERS[row["type"]](raw(row["hex"]), 0)[0] == row["ok"]


@pytest.mark.parametrize("row", rows("decodings", DECODERS, lambda row: "error" in row))
def test_bytes_that_the_reference_refuses_are_refused(row):
    with pytest.raises(DecodingError):
        DECODERS[row["type"]](raw(row["hex"]), 0)


@pytest.mark.parametrize("row", rows("encodeErrors", {"uint"}))
def test_numbers_that_the_reference_refuses_are_refused(row):
    with pytest.raises(BadArgument):
        encoding.encode_uint(row["value"])


@pytest.mark.parametrize("row", rows("indexEncoder", INDEX_ENCODERS))
def test_parts_of_storage_keys_are_encoded_as_in_the_reference(row):
    assert INDEX_ENCODERS[row["type"]](row["value"]).hex() == row["hex"]


@pytest.mark.parametrize("row", rows("indexEncoder", {"UINT"}, lambda row: row["value"] != "Infinity"))
def test_parts_of_storage_keys_are_decoded(row):
    data = raw(row["hex"])
    assert encoding.decode_index(data, 0) == (row["value"], len(data))


def test_namespaces_are_those_of_the_reference():
    expected = VECTORS["namespaces"]["hypercore"]
    assert [each.hex() for each in crypto.namespaces("hypercore", len(expected))] == list(expected.values())


def test_the_namespace_of_stores_is_that_of_the_reference():
    assert crypto.CORESTORE.hex() == VECTORS["namespaces"]["corestore"]


@pytest.mark.parametrize("pair", VECTORS["keyPairs"], ids=["seed-1", "seed-2", "seed-3"])
def test_a_seed_gives_the_key_pair_of_the_reference(pair):
    ours = KeyPair.from_seed(raw(pair["seed"]))
    assert (ours.public_key.hex(), (ours.secret_key or b"").hex()) == (pair["publicKey"], pair["secretKey"])


@pytest.mark.parametrize("vector", VECTORS["signatures"], ids=["empty", "short", "long"])
def test_signatures_are_those_of_the_reference(vector):
    pair = KeyPair.from_seed(raw(vector["seed"]))
    message, signature = raw(vector["message"]), raw(vector["signature"])
    assert crypto.sign(message, pair.secret_key or b"") == signature
    assert crypto.verify(message, signature, pair.public_key)
    assert not crypto.verify(message + b"!", signature, pair.public_key)


@pytest.mark.parametrize("vector", VECTORS["discoveryKeys"], ids=["filled", "public-key"])
def test_discovery_keys_are_those_of_the_reference(vector):
    assert crypto.discovery_key(raw(vector["key"])).hex() == vector["discoveryKey"]


@pytest.mark.parametrize("vector", VECTORS["hashes"]["data"], ids=["empty", "letter", "words", "long"])
def test_leaf_hashes_are_those_of_the_reference(vector):
    assert crypto.leaf_hash(raw(vector["data"])).hex() == vector["hash"]


def test_parent_hashes_are_those_of_the_reference():
    (vector,) = VECTORS["hashes"]["parent"]
    left, right = vector["a"], vector["b"]
    ours = crypto.parent_hash(left["size"] + right["size"], raw(left["hash"]), raw(right["hash"]))
    assert ours.hex() == vector["hash"]


@pytest.mark.parametrize("vector", VECTORS["hashes"]["tree"], ids=["no-roots", "two-roots"])
def test_tree_hashes_are_those_of_the_reference(vector):
    pieces = [crypto.root_piece(root["index"], root["size"], raw(root["hash"])) for root in vector["roots"]]
    assert crypto.tree_hash(b"".join(pieces)).hex() == vector["hash"]


def test_ids_are_written_as_in_the_reference():
    ids = VECTORS["ids"]
    assert encode_id(raw(ids["key"])) == ids["z32"]
    assert encode_id(bytes(32)) == ids["zeros"]
    assert encode_id(b"\xff" * 32) == ids["ones"]


READABLE = {text: result["ok"] for text, result in VECTORS["ids"]["decode"].items() if "ok" in result}


@pytest.mark.parametrize(("text", "key"), READABLE.items())
def test_ids_are_read_as_in_the_reference(text, key):
    assert decode_id(text).hex() == key


@pytest.mark.parametrize("text", VECTORS["ids"]["decode"].keys() - READABLE.keys())
def test_ids_that_the_reference_refuses_are_refused(text):
    with pytest.raises(BadArgument):
        decode_id(text)


@pytest.mark.parametrize("last", VECTORS["ids"]["lastCharVariants"])
def test_the_unused_bits_of_the_last_character_are_ignored(last):
    ids = VECTORS["ids"]
    assert decode_id(ids["z32"][:-1] + last).hex() == ids["key"]


@pytest.mark.parametrize("vector", named("manifests"))
def test_manifests_are_encoded_as_in_the_reference(vector):
    manifest = manifest_of(vector["manifest"])
    assert manifest.encode().hex() == vector["encoded"]
    assert manifest.encode_stored().hex() == vector["stored"]
    assert manifest.key().hex() == vector["key"]
    assert encode_id(manifest.key()) == vector["id"]
    assert crypto.discovery_key(manifest.key()).hex() == vector["discoveryKey"]


@pytest.mark.parametrize("vector", named("manifests"))
def test_manifests_are_decoded_as_in_the_reference(vector):
    encoded = raw(vector["encoded"])
    assert decode_manifest(encoded) == (manifest_of(vector["decodedFromWire"]), len(encoded))
    assert decode_stored_manifest(raw(vector["stored"])) == manifest_of(vector["manifest"])


@pytest.mark.parametrize("encoded", [each["hex"] for each in VECTORS["manifestDecodeErrors"]])
def test_manifests_that_the_reference_refuses_are_refused(encoded):
    with pytest.raises(DecodingError):
        decode_manifest(raw(encoded))
