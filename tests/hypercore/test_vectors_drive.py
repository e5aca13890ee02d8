"""Replays recorded histories of the JavaScript Hyperdrive: cores and what is read have to be the same."""

import json

import pytest

from hypercore import Corestore, Hyperblobs, Hypercore, Hyperdrive
from hypercore.errors import HypercoreError
from hypercore.hyperblobs import BlobId
from hypercore.hyperdrive import normalize_path
from hypercore.hyperdrive.cores import content_manifest
from hypercore.hyperdrive.paths import resolve
from hypercore.manifest import decode_manifest
from tests.data.drive_operations import (
    answer,
    apply_as_the_reference,
    data_of,
    describe,
    open_drive,
    show,
    state_of,
)
from tests.data.vectors import vectors

VECTORS = vectors("drive")
CASES = VECTORS["cases"]
REFUSED = "refused"


def by_name(cases):
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases])


def replayed(case):
    drive = open_drive(case)
    for operation in case["ops"]:
        apply_as_the_reference(drive, operation)
    return drive


def outcome(ask):
    """Return an answer; a refusal has no text here: the reference words it otherwise."""
    try:
        return ask()
    except HypercoreError:
        return REFUSED


def recorded(query):
    return REFUSED if "error" in query else query["result"]


def without_empty(query, pieces):
    """Leave out the pieces of a stream that are empty: here there are none."""
    return (
        [piece for piece in pieces if piece != ""] if query["q"] == "read" and pieces != REFUSED else pieces
    )


@by_name(CASES)
def test_a_drive_has_the_keys_of_the_reference(case):
    drive = open_drive(case)
    assert {"db": drive.key.hex(), "blobs": drive.content_key.hex()} == case["keys"]


@by_name(CASES)
def test_operations_make_the_blocks_of_the_reference(case):
    drive = open_drive(case)
    for operation, result in zip(case["ops"], case["results"], strict=True):
        assert apply_as_the_reference(drive, operation) is ("error" in result)
        assert state_of(drive) == {name: result[name] for name in ("db", "blobs", "blobBytes")}
    written = describe(drive)
    assert written == {name: case[name] for name in written}


@by_name([case for case in CASES if case["queries"]])
def test_a_drive_answers_as_the_reference_does(case):
    drive = replayed(case)
    for query in case["queries"]:
        ours = outcome(lambda query=query: answer(drive, query))
        expected = without_empty(query, recorded(query))
        if "differs" in query:
            assert ours != expected, query
        else:
            assert ours == expected, query


def test_names_in_a_folder_come_once_and_none_is_left_out():
    drive = replayed(CASES[0])
    for folder in ("/", "/dir", "/batch", "/a", "/nope"):
        behind = len(folder.rstrip("/")) + 1
        names = dict.fromkeys(entry.path[behind:].split("/")[0] for entry in drive.list(folder))
        assert list(drive.readdir(folder)) == list(names)


@by_name([case for case in CASES if "rawBlocks" in case])
def test_an_encrypted_drive_stores_the_bytes_of_the_reference(case):
    drive = replayed(case)
    cores = [drive.store.get(key=core.key) for core in (drive.core, drive.blobs.core)]
    stored = [[show(block) for block in core.read_stream()] for core in cores]
    assert stored == case["rawBlocks"]


@pytest.mark.parametrize("case", VECTORS["normalizePath"], ids=lambda case: ascii(case["path"]))
def test_paths_are_normalised_as_in_the_reference(case):
    assert outcome(lambda: normalize_path(case["path"])) == recorded(case)


@pytest.mark.parametrize("case", VECTORS["resolve"], ids=lambda case: f"{case['a']} {case['b']}")
def test_links_lead_where_they_do_in_the_reference(case):
    assert outcome(lambda: resolve(case["a"], case["b"])) == recorded(case)


@pytest.mark.parametrize("case", VECTORS["contentKey"], ids=lambda case: case["key"][:8])
def test_the_manifest_of_the_blobs_follows_from_that_of_the_bee(case):
    manifest, _ = decode_manifest(bytes.fromhex(case["manifest"]))
    content = content_manifest(manifest, bytes.fromhex(case["key"]))
    assert content is not None
    assert content.encode().hex() == case["contentManifest"]
    assert content.key().hex() == case["contentKey"]


def test_blobs_have_the_ids_and_blocks_of_the_reference():
    case = VECTORS["hyperblobs"]
    blobs = Hyperblobs(Hypercore(), block_size=10)
    for put in case["puts"]:
        blob = blobs.put(data_of(put["data"]), block_size=put.get("blockSize"))
        assert json.dumps(blob.as_json(), separators=(",", ":")) == put["idJson"]
        assert blobs.core.length == put["length"]
    with blobs.batch() as batch:
        ids = [batch.put(data) for data in (b"batched blob one", b"b2", b"")]
    assert ids == [BlobId.from_json(each) for each in case["batchIds"]]
    assert [block.hex() for block in blobs.core.read_stream()] == case["blocks"]


def test_ranges_of_a_blob_are_those_of_the_reference():
    case = VECTORS["hyperblobs"]
    blobs = Hyperblobs(Hypercore())
    blobs.core.append([bytes.fromhex(block) for block in case["blocks"]])
    blob = BlobId.from_json(json.loads(case["puts"][3]["idJson"]))
    for each in case["gets"]:
        assert blobs.get(blob, each["start"], each.get("length")).hex() == each["result"]


def test_a_drive_of_another_store_is_read_by_its_key():
    with Corestore() as store:
        drive = Hyperdrive(store)
        drive.put("/a", b"data")
        again = Hyperdrive(store, drive.id)
        assert again.get("/a") == b"data"
        assert again.writable
