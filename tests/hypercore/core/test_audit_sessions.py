"""What an audit finds in the named sessions of a core, and what it says nothing of."""

import pytest

from hypercore import Hypercore
from hypercore.core import open_core
from hypercore.core.audit import blocks_to_audit
from hypercore.merkle import get_node
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest
from hypercore.storage import Database, Memory
from hypercore.storage.records import CoreHead, CoreKeys, Dependency, Sessions, dependency_key, sessions_key
from tests.hypercore.core.stored import (
    BLOCKS,
    PAIR,
    audit,
    block_key,
    flipped,
    node_key,
    opened,
    opened_copy,
    state_of,
    write,
)

OWN = CoreKeys(1)
MORE = [b"more", b"of", b"it"]


@pytest.fixture
def store():
    """A core of seven blocks, and a session of it with three more: roots 7 and 17, its own like all above."""
    store = Memory()
    core = opened(store)
    core.append(BLOCKS)
    core.session("work").append(MORE)
    return store


# --- nothing is wrong ---------------------------------------------------------------------------------------


def truncate_the_session(core, session):
    session.truncate(8)
    session.append([b"other"])
    session.truncate(3)
    session.append([b"another"])


def truncate_the_core(core, session):
    core.truncate(2)
    core.append([b"other"] * 9)


def branch_off_the_session(core, session):
    session.session("deeper").append([b"even", b"more"])
    session.truncate(6)


def extend_both(core, session):
    core.append([b"other"] * 9)
    session.append([b"again"] * 9)


HISTORIES = {
    "begun": lambda core, session: core.session("empty"),
    "extended": extend_both,
    "session-truncated": truncate_the_session,
    "core-truncated": truncate_the_core,
    "core-emptied": lambda core, session: core.truncate(0),
    "committed": lambda core, session: core.commit(session),
    "committed-in-part": lambda core, session: core.commit(session, length=8),
    "branched-off": branch_off_the_session,
    "core-cleared": lambda core, session: core.clear(0, 7),
    "core-pruned": lambda core, session: core.clear_ranges([(0, 7)], prune=True),
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_a_core_with_sessions_has_nothing_wrong(store, history):
    core = opened(store)
    session = core.session("work")
    history(core, session)
    session.append([b"and", b"on"])
    assert audit(store) == []


def test_a_session_that_was_begun_anew_has_nothing_wrong(store):
    opened(store).session("work", overwrite=True).append(b"other")
    assert audit(store) == []


def test_a_session_of_a_core_without_blocks_has_nothing_wrong():
    store = Memory()
    session = opened(store).session("work")
    assert audit(store) == []
    session.append(MORE)
    assert audit(store) == []


def test_a_session_of_an_encrypted_core_has_nothing_wrong():
    store = Memory()
    core = Hypercore.attached(open_core(Database(store), key_pair=PAIR), lambda: None, bytes(32))
    core.append(BLOCKS)
    core.session("work").append(MORE)
    assert audit(store) == []


def test_a_session_of_a_copy_has_nothing_wrong(store):
    source, copied = opened(store), Memory()
    copy = opened_copy(copied)
    request = ProofRequest(block=NodeRequest(3), upgrade=UpgradeRequest(0, 7))
    assert copy.apply_proof(source.proof(request))
    copy.session("work").append(MORE)
    assert audit(copied) == []


def test_the_blocks_of_sessions_count_as_progress(store):
    opened(store).clear(2)
    steps: list[int] = []
    audit(store, progress=steps.append)
    assert sum(steps) == blocks_to_audit(state_of(store)) == 6 + 3


# --- every kind of finding ----------------------------------------------------------------------------------


def in_session(*findings):
    return [f"session 'work': {finding}" for finding in findings]


UNREADABLE = {
    "no-dependency": (dependency_key(1), None, "it has no dependency record"),
    "damaged-dependency": (
        dependency_key(1),
        b"\x00",
        "its dependency record is damaged: a number is missing",
    ),
    "no-head": (OWN.head, None, "it has no head record"),
    "damaged-head": (OWN.head, b"\x00\x0a", "its head record is damaged: 32 bytes wanted"),
}


@pytest.mark.parametrize(("key", "value", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_session_that_cannot_be_read_is_found(store, key, value, reason):
    write(store, key, value)
    (finding,) = audit(store)
    assert finding.startswith(f"session 'work' cannot be read: {reason}")
    assert blocks_to_audit(state_of(store)) == 7


def test_a_damaged_list_of_sessions_is_found(store):
    write(store, sessions_key(0), b"\x01")
    (finding,) = audit(store)
    assert finding.startswith("the list of sessions is damaged: ")
    assert blocks_to_audit(state_of(store)) == 7


@pytest.mark.parametrize("source", [1, 2], ids=["itself", "nobody"])
def test_a_session_of_something_else_is_found(store, source):
    write(store, dependency_key(1), Dependency(source, 7).encode())
    assert audit(store) == in_session(
        f"it was made from data {source}, which is neither the core nor another session of it"
    )


def test_a_session_that_is_listed_under_the_data_of_the_core_is_found(store):
    write(store, sessions_key(0), Sessions({"work": 0}).encode())
    assert audit(store) == ["session 'work' cannot be read: it has no dependency record"]


def test_a_session_that_shares_more_than_it_has_is_found(store):
    write(store, dependency_key(1), Dependency(0, 11).encode())
    assert audit(store)[0] == in_session("it has 10 blocks, but shares 11")[0]


def test_a_session_that_shares_more_than_the_core_has_is_found(store):
    write(store, dependency_key(1), Dependency(0, 8).encode())
    assert audit(store)[0] == in_session("it shares 8 blocks with the core, which has 7")[0]


RECORDS = {
    "another-block": (block_key(8, OWN), b"forged", ["block 8 is not the one that was appended"]),
    "lost-block": (block_key(8, OWN), None, ["block 8 should be stored, but is missing"]),
    "shared-block": (
        block_key(2, OWN),
        b"twice",
        ["block 2 is stored, but said to be missing", "block 2 is stored, but its tree node is not"],
    ),
    "block-behind": (block_key(10, OWN), b"left", ["block 10 is behind the end of the session, at 10"]),
    "lost-leaf": (node_key(18, OWN), None, ["block 9 is stored, but its tree node is not"]),
    "lost-node": (node_key(13, OWN), None, ["tree node 13 should be stored, but is missing"]),
    "lost-root": (node_key(7, OWN), None, ["tree node 7 should be stored, but is missing"]),
}


@pytest.mark.parametrize(("key", "value", "findings"), RECORDS.values(), ids=RECORDS)
def test_what_is_wrong_with_the_records_of_a_session_is_found(store, key, value, findings):
    write(store, key, value)
    assert audit(store) == in_session(*findings)


def test_a_lost_root_without_anything_below_is_found(store):
    for index in (16, 17, 18):
        write(store, node_key(index, OWN), None)
    for index in (8, 9):
        write(store, block_key(index, OWN), None)
    assert in_session("tree node 17 should be stored, but is missing")[0] in audit(store)


def damaged_node(index):
    """Return the change that gives a node of the session another hash."""

    def change(store):
        value = store.get(node_key(index, OWN))
        assert get_node(value, 0)[0].index == index
        write(store, node_key(index, OWN), value[:-1] + flipped(value[-1:]))

    return change


def damaged_head(store):
    head = CoreHead.decode(store.get(OWN.head))
    write(store, OWN.head, CoreHead(head.fork, head.length, bytes(32), head.signature).encode())


OTHER_ROOTS = "its roots and its head have different tree hashes"
DAMAGE = {
    "head": (damaged_head, [OTHER_ROOTS]),
    "root": (damaged_node(17), [OTHER_ROOTS, "tree node 17 does not follow from nodes 16 and 18"]),
    "beside-a-node-of-the-core": (
        damaged_node(13),
        [
            "tree node 11 does not follow from nodes 9 and 13",
            "tree node 13 does not follow from nodes 12 and 14",
        ],
    ),
}


@pytest.mark.parametrize(("damage", "findings"), DAMAGE.values(), ids=DAMAGE)
def test_what_does_not_fit_together_in_a_session_is_found(store, damage, findings):
    damage(store)
    assert sorted(audit(store)) == sorted(in_session(*findings))


def test_a_session_that_was_made_after_a_truncation_is_compared_with_its_core():
    store = Memory()
    core = opened(store)
    core.append(BLOCKS + MORE)
    core.truncate(7)
    core.session("work").append(MORE)
    damaged_head(store)
    assert audit(store) == in_session(OTHER_ROOTS)


def test_a_damaged_node_of_the_core_is_said_of_the_core_alone(store):
    write(store, node_key(1), b"")
    write(store, node_key(5), b"")
    assert [finding.split(":")[0] for finding in audit(store)] == [
        "tree node 1 is damaged",
        "tree node 5 is damaged",
    ]


def test_an_audit_of_sessions_changes_nothing(store):
    write(store, dependency_key(1), None)
    before = dict(store.items(b"", b"\xff"))
    audit(store)
    assert dict(store.items(b"", b"\xff")) == before
