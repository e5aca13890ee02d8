"""A Hyperdrive written here has the blocks of one written in JavaScript; each reads those of the other."""

from typing import Any

import pytest

from hypercore import Hyperdrive
from hypercore.errors import HypercoreError
from tests.data.drive_operations import answer, apply_as_the_reference, describe, open_drive, state_of
from tests.interop.drive_histories import random_history, random_questions, random_ranges
from tests.interop.seeds import MANY_FRESH_SEEDS, SEEDS

REFUSED = "refused"
OPTIONS: tuple[dict[str, str], ...] = ({}, {"namespace": "name"}, {"encryptionKey": "07" * 32})


def write(operations, options) -> tuple[Hyperdrive, list[dict[str, Any]]]:
    """Do operations to a new drive; return it and what became of each."""
    drive = open_drive(options)
    results = []
    for operation in operations:
        refused = apply_as_the_reference(drive, operation)
        results.append({"refused": refused, **state_of(drive)})
    return drive, results


def ask(drive, query):
    try:
        return answer(drive, query)
    except HypercoreError:
        return REFUSED


def said(query, reply):
    """Return an answer of the JavaScript side; streams of it have empty pieces, too."""
    found = REFUSED if "error" in reply else reply["result"]
    return [piece for piece in found if piece != ""] if query["q"] == "read" and found != REFUSED else found


def questions_to(random, drive, operations, results):
    versions = sorted({max(1, each["db"]) for each in results})
    files = {entry.path: entry.blob for entry in drive if entry.blob is not None}
    sizes = {path: drive.blobs.byte_length(blob) for path, blob in files.items()}
    mapped = {path for path, blob in files.items() if blob.block_map}
    return random_questions(random, operations, versions) + random_ranges(random, sizes, mapped)


def check_answers(drive, queries, replies):
    for query, reply in zip(queries, replies, strict=True):
        assert ask(drive, query) == said(query, reply), query


@pytest.mark.parametrize("seed", MANY_FRESH_SEEDS[:40])
def test_random_histories_make_the_same_blocks_and_answers(peer, random):
    options = {"primaryKey": random.randbytes(32).hex(), **random.choice(OPTIONS)}
    operations = random_history(random)
    drive, results = write(operations, options)
    queries = questions_to(random, drive, operations, results)
    theirs = peer("writeDrive", **options, operations=operations, queries=queries)
    assert {"db": drive.key.hex(), "blobs": drive.content_key.hex()} == theirs["keys"]
    assert results == theirs["results"]
    ours = describe(drive)
    assert ours == {name: theirs[name] for name in ours}
    check_answers(drive, queries, theirs["answers"])


@pytest.mark.parametrize("seed", SEEDS)
def test_javascript_reads_our_blocks_as_we_do(peer, random):
    options = {"primaryKey": random.randbytes(32).hex(), **random.choice(OPTIONS)}
    operations = random_history(random)
    drive, results = write(operations, options)
    queries = questions_to(random, drive, operations, results)
    blocks = {
        "dbBlocks": [block.hex() for block in drive.core.read_stream()],
        "rawBlobs": [block.hex() for block in drive.blobs.core.read_stream()],
    }
    check_answers(drive, queries, peer("readDrive", **options, **blocks, queries=queries))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drive_that_javascript_began_grows_on_here_as_there(peer, random):
    options = {"primaryKey": random.randbytes(32).hex()}
    operations = random_history(random)
    begun = peer("writeDrive", **options, operations=operations[:30], queries=[])
    whole = peer("writeDrive", **options, operations=operations, queries=[])
    drive = open_drive(options)
    drive.core.append([bytes.fromhex(block) for block in begun["dbBlocks"]])
    drive.blobs.core.append([bytes.fromhex(block) for block in begun["rawBlobs"]])
    for operation in operations[30:]:
        apply_as_the_reference(drive, operation)
    written = describe(drive)
    assert written == {name: whole[name] for name in written}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drive_that_is_truncated_in_between_has_the_same_blocks(peer, random):
    options = {"primaryKey": random.randbytes(32).hex(), **random.choice(OPTIONS)}
    operations = random_history(random)
    _, results = write(operations[:40], options)
    versions = [each["db"] for each in results]
    operations.insert(40, {"op": "truncate", "version": random.choice(versions)})
    drive, results = write(operations, options)
    theirs = peer("writeDrive", **options, operations=operations, queries=[])
    assert results == theirs["results"]
    ours = describe(drive)
    assert ours == {name: theirs[name] for name in ours}
