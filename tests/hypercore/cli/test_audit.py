"""``audit``: what is wrong, core by core, and the exit code that says whether anything is."""

import sys

import pytest

from hypercore import Corestore
from hypercore.crypto import ROOT_NAMESPACE
from hypercore.encoding import encode_index
from hypercore.storage import records
from tests.hypercore.cli import damage


def test_a_store_without_faults_is_said_to_be_fine(cli, path):
    outcome = cli("audit", path)
    assert (outcome.exit_code, outcome.lines, outcome.err) == (0, ["2 cores, 5 blocks: nothing wrong"], "")


def test_a_single_core_is_audited(cli, path, ids):
    damage.write(path, damage.block_of_log(1), b"forged")
    outcome = cli("audit", path, "--core", ids[1])
    assert (outcome.exit_code, outcome.lines) == (0, ["1 core, 2 blocks: nothing wrong"])


def test_a_store_without_cores_is_fine(cli, tmp_path):
    Corestore(tmp_path).close()
    assert cli("audit", tmp_path).lines == ["0 cores, 0 blocks: nothing wrong"]


def test_a_core_with_holes_is_fine(cli, path):
    damage.make_hole(path, 1)
    outcome = cli("audit", path)
    assert (outcome.exit_code, outcome.lines) == (0, ["2 cores, 4 blocks: nothing wrong"])


FAULTS = {
    "flipped-block": (damage.block_of_log(1), b"b\x00", "block 1 is not the one that was signed"),
    "missing-block": (damage.block_of_log(1), None, "block 1 should be stored, but is missing"),
    "missing-leaf": (damage.LOG.node + b"\x02", None, "block 1 is stored, but its tree node is not"),
    "page": (damage.LOG.page_key(1), b"", "page 1 of the bitfield has 0 bytes, not 4096"),
    "stale-block": (
        damage.LOG.block + encode_index(3),
        b"old",
        "block 3 is behind the end of the core, at 3",
    ),
    "damaged-node": (damage.LOG.node + b"\x02", b"\x02", "tree node 2 is damaged: "),
}


@pytest.mark.parametrize(("key", "value", "finding"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_is_said_with_its_core(cli, path, ids, key, value, finding):
    damage.write(path, key, value)
    outcome = cli("audit", path)
    assert (outcome.exit_code, outcome.err) == (1, "")
    found, verdict = outcome.lines
    assert found.startswith(f"core {ids[0]}: {finding}")
    assert verdict.endswith(" blocks: 1 thing wrong")


def test_a_stale_signature_is_found(cli, path):
    with Corestore(path) as store:
        log = store.get(name="log")
        head = records.CoreHead(7, log.length, log.tree_hash(), log.signature)
    damage.write(path, damage.LOG.head, head.encode())
    outcome = cli("audit", path)
    assert outcome.exit_code == 1
    assert "the signature does not hold for the tree of 3 blocks" in outcome.lines[0]


def test_a_core_that_cannot_be_read_does_not_hide_the_others(cli, path, ids):
    damage.write(path, damage.LOG.head, b"\xff")
    damage.write(path, records.CoreKeys(1).block + b"\x00", b"forged")
    outcome = cli("audit", path)
    assert outcome.exit_code == 1
    first, second, verdict = outcome.lines
    assert first.startswith(f"core {ids[0]}: cannot be read: ")
    assert second == f"core {ids[1]}: block 0 is not the one that was signed"
    assert verdict == "2 cores, 2 blocks: 2 things wrong"


# --- the store ----------------------------------------------------------------------------------------------

LOG_ALIAS = records.alias_key(ROOT_NAMESPACE, "log")


def test_what_is_wrong_with_the_store_comes_first(cli, path, ids):
    damage.write_all(path, {LOG_ALIAS: None, damage.block_of_log(1): b"b\x00"})
    first, second, verdict = cli("audit", path).lines
    assert first.startswith("store: the name 'log' does not lead to core ")
    assert second.startswith(f"core {ids[0]}: ")
    assert verdict == "2 cores, 5 blocks: 2 things wrong"


def test_an_audit_of_one_core_is_none_of_the_store(cli, path, ids):
    damage.write(path, LOG_ALIAS, None)
    outcome = cli("audit", path, "--core", ids[0])
    assert (outcome.exit_code, outcome.lines) == (0, ["1 core, 3 blocks: nothing wrong"])


def test_an_auth_record_of_another_core_is_said_of_the_store_and_of_its_core(cli, path):
    stored = damage.records_of(path)
    damage.write(path, records.auth_key(0), stored[records.auth_key(1)])
    outcome = cli("audit", path)
    assert outcome.exit_code == 1
    store, core, verdict = outcome.lines
    assert store.startswith("store: auth record 0 is that of core ")
    assert "cannot be read: " in core
    assert verdict == "2 cores, 2 blocks: 2 things wrong"


def test_a_name_that_a_terminal_would_obey_is_printed_in_letters(cli, path):
    damage.write(path, records.alias_key(ROOT_NAMESPACE, "\x1b[2J\n"), bytes(32))
    assert cli("audit", path).lines[0].startswith(r"store: the name '\x1b[2J\n' leads to core ")


# --- sessions -----------------------------------------------------------------------------------------------


@pytest.fixture
def with_session(path):
    """The store, with two blocks in a session of the core 'log'."""
    with Corestore(path) as store:
        store.get(name="log").session("work").append([b"d", b"e"])
    return path


def test_the_blocks_of_a_session_are_audited_with_its_core(cli, with_session, ids):
    assert cli("audit", with_session).lines == ["2 cores, 7 blocks: nothing wrong"]
    damage.write(with_session, records.CoreKeys(2).block + b"\x03", b"forged")
    assert cli("audit", with_session).lines == [
        f"core {ids[0]}: session 'work': block 3 is not the one that was appended",
        "2 cores, 7 blocks: 1 thing wrong",
    ]


def test_the_bar_counts_the_blocks_of_sessions(cli, with_session):
    assert "/7.00" in cli("audit", with_session, terminal=True).err


# --- nothing is changed -------------------------------------------------------------------------------------


def test_an_audit_changes_nothing(cli, path):
    damage.write(path, damage.block_of_log(1), b"b\x00")
    before = damage.records_of(path)
    assert cli("audit", path).lines == cli("audit", path).lines
    assert damage.records_of(path) == before


# --- progress -----------------------------------------------------------------------------------------------


def test_a_terminal_shows_a_bar_and_keeps_it_off_the_results(cli, path):
    damage.write(path, damage.block_of_log(1), b"b\x00")
    outcome = cli("audit", path, terminal=True)
    assert "block" in outcome.err
    assert "%" in outcome.err
    assert [line.split(": ")[-1] for line in outcome.lines] == [
        "block 1 is not the one that was signed",
        "1 thing wrong",
    ]


def test_without_tqdm_the_results_are_the_same_and_one_line_says_how_to_get_the_bar(cli, path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    outcome = cli("audit", path, terminal=True)
    assert (outcome.exit_code, outcome.lines) == (0, ["2 cores, 5 blocks: nothing wrong"])
    assert outcome.err == "for a progress bar: pip install 'hypercore-scale-tests[cli]'\n"


def test_the_bar_leaves_out_a_core_that_cannot_be_read(cli, path):
    damage.write(path, damage.LOG.head, b"\xff")
    outcome = cli("audit", path, terminal=True)
    assert outcome.exit_code == 1
    assert "/2.00" in outcome.err
