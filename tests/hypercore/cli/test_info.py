"""``info``: a line for each core, and the same for machines."""

import json

import pytest

from hypercore import Corestore, KeyPair
from hypercore.storage import records
from tests.hypercore.cli import damage

COLUMNS = ["ID", "LENGTH", "BYTES", "FORK", "CONTIGUOUS", "STORED", "WRITABLE"]


def test_every_core_has_a_line_the_oldest_first(cli, path, ids):
    outcome = cli("info", path)
    assert (outcome.exit_code, outcome.err) == (0, "")
    header, log, other = map(str.split, outcome.lines)
    assert header[:7] == COLUMNS
    assert log[:8] == [ids[0], "3", "5", "B", "0", "3", "3", "yes"]
    assert log[-1] == "log"
    assert other[:8] == [ids[1], "2", "2", "B", "0", "2", "2", "yes"]


def test_the_columns_are_aligned(cli, path):
    header, *lines = cli("info", path).lines
    for word in COLUMNS[1:]:
        end = header.index(word) + len(word)
        assert all(line[end - 1] != " " and line[end] == " " for line in lines)


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["table", "json"])
def test_only_the_core_that_was_asked_for_is_listed(cli, path, ids, options):
    outcome = cli("info", path, "--core", ids[1], *options)
    assert ids[1] in outcome.out.decode()
    assert ids[0] not in outcome.out.decode()


def test_json_has_everything_in_exact_numbers(cli, path, ids):
    outcome = cli("info", path, "--json")
    found = json.loads(outcome.out)
    assert found["path"] == str(path)
    log, other = found["cores"]
    assert (log["name"], other["name"], other["id"]) == ("log", None, ids[1])
    assert isinstance(log.pop("diskBytes"), int)
    assert len(bytes.fromhex(log.pop("discoveryKey"))) == 32
    assert log == {
        "name": "log",
        "id": ids[0],
        "length": 3,
        "byteLength": 5,
        "fork": 0,
        "contiguousLength": 3,
        "storedBlocks": 3,
        "writable": True,
    }


def test_holes_and_truncations_are_seen(cli, path):
    with Corestore(path) as store:
        log = store.get(name="log")
        log.append([b"e", b"f", b"g"])
        log.truncate(5)
        log.clear(1)
    log, _ = json.loads(cli("info", path, "--json").out)["cores"]
    assert (log["length"], log["fork"], log["contiguousLength"], log["storedBlocks"]) == (5, 1, 1, 4)


def test_a_core_of_somebody_else_is_not_writable(cli, tmp_path):
    with Corestore(tmp_path) as store:
        store.get(key=KeyPair.generate().public_key)
    (core,) = json.loads(cli("info", tmp_path, "--json").out)["cores"]
    assert (core["writable"], core["length"]) == (False, 0)


def test_a_store_without_cores_is_said_to_have_none(cli, tmp_path):
    Corestore(tmp_path).close()
    outcome = cli("info", tmp_path)
    assert (outcome.exit_code, outcome.lines) == (0, [f"{tmp_path}: the store has no cores"])
    assert json.loads(cli("info", tmp_path, "--json").out)["cores"] == []


def test_sizes_are_told_in_units_that_fit(cli, tmp_path):
    with Corestore(tmp_path) as store:
        for name, size in [("bytes", 999), ("kilo", 999_900), ("mega", 999_990)]:
            store.get(name=name).append(bytes(size))
    lines = {line.split()[-1]: line.split()[2:4] for line in cli("info", tmp_path).lines[1:]}
    assert lines == {"bytes": ["999", "B"], "kilo": ["999.9", "kB"], "mega": ["1.0", "MB"]}


def test_a_name_cannot_break_the_table(cli, tmp_path):
    with Corestore(tmp_path) as store:
        store.get(name="two\nlines\x1b[2J")
    outcome = cli("info", tmp_path)
    assert len(outcome.lines) == 2
    assert outcome.lines[1].endswith("two\\nlines\\x1b[2J")


DAMAGED = {
    "core-head": (damage.LOG.head, b"\xff"),
    "root": (damage.LOG.node + b"\x01", None),
    "auth": (records.auth_key(0), None),
}


@pytest.mark.parametrize(("key", "value"), DAMAGED.values(), ids=DAMAGED)
def test_a_core_that_cannot_be_read_does_not_hide_the_others(cli, path, ids, key, value):
    damage.write(path, key, value)
    outcome = cli("info", path)
    assert outcome.exit_code == 1
    assert [line.split()[0] for line in outcome.lines] == ["ID", ids[1]]
    (line,) = outcome.err.splitlines()
    assert line.startswith("error: core ")
    with_error, other = json.loads(cli("info", path, "--json").out)["cores"]
    assert line == f"error: {with_error['error']}"
    assert "error" not in other


def test_a_core_whose_record_is_damaged_is_told_by_its_discovery_key(cli, path, ids):
    with Corestore(path) as store:
        discovery_key = store.get(name="log").discovery_key
    damage.write(path, records.core_key(discovery_key), b"\x02")
    outcome = cli("info", path)
    assert outcome.exit_code == 1
    assert f"error: core with discovery key {discovery_key.hex()}: " in outcome.err
    assert ids[1] in outcome.out.decode()
