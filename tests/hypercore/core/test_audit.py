"""What an audit of a core finds, each kind of it made by hand in what is stored."""

from contextlib import suppress

import pytest

from hypercore import Hypercore
from hypercore.bitfield import PAGE_BITS, PAGE_BYTES
from hypercore.core import audit_core, open_core
from hypercore.encryption import PADDING
from hypercore.errors import InvalidOperation, InvalidProof, StorageCorrupt
from hypercore.merkle import Node, encode_node
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest
from hypercore.storage import Database, Memory
from hypercore.storage.records import CoreHead
from tests.data.vectors import vectors
from tests.hypercore.core.stored import (
    BLOCKS,
    KEYS,
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
from tests.hypercore.proofs.messages import decode_data


@pytest.fixture
def store():
    """A store with one core of seven blocks; its roots are nodes 3, 9 and 12."""
    store = Memory()
    opened(store).append(BLOCKS)
    return store


# --- nothing is wrong ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 3, 8, 300])
def test_a_core_as_it_was_written_has_nothing_wrong(count):
    store = Memory()
    opened(store).append([b"block"] * count)
    assert audit(store) == []


def test_a_core_that_was_cleared_truncated_and_extended_has_nothing_wrong(store):
    core = opened(store)
    core.clear(1, 4)
    core.truncate(6)
    core.append([b"", b"other"])
    core.clear(7)
    assert audit(store) == []


def test_an_encrypted_core_is_audited_without_its_encryption_key():
    store = Memory()
    state = open_core(Database(store), key_pair=PAIR)
    Hypercore.attached(state, lambda: None, bytes(32)).append(BLOCKS)
    assert state.tree.byte_length == sum(len(block) + PADDING for block in BLOCKS)
    assert audit(store) == []


def copy_of(source, *blocks):
    """Return the store of a copy that received these blocks."""
    store = Memory()
    copy = opened_copy(store)
    assert copy.apply_proof(source.proof(ProofRequest(upgrade=UpgradeRequest(0, source.length))))
    for block in blocks:
        request = ProofRequest(block=NodeRequest(block, copy.missing_nodes(2 * block)))
        assert copy.apply_proof(source.proof(request))
    return store


def test_a_core_of_which_two_blocks_were_received_has_nothing_wrong(store):
    assert audit(copy_of(opened(store), 1, 5)) == []


def test_a_copy_has_nothing_wrong_whatever_it_got_from_the_reference():
    recorded = vectors("proofs")
    copy = Hypercore(key=recorded["proofs"]["key"])
    for case in recorded["applyProof"]:
        with suppress(InvalidOperation, InvalidProof):
            copy.apply_proof(decode_data(bytes.fromhex(case["dataWire"])))
        assert (case["label"], copy.audit()) == (case["label"], [])


@pytest.mark.parametrize(
    "fork",
    [[b"other", b"blocks", b"and", b"three", b"more"], [b"other", BLOCKS[5], b"and", b"three", b"more"]],
    ids=["other blocks", "also a block of before"],
)
def test_a_copy_that_went_over_to_another_fork_has_nothing_wrong(store, fork):
    source = opened(store)
    copied = copy_of(source, 0, 5, 6)
    source.truncate(4)
    source.append(fork)
    copy = opened_copy(copied)
    reorg = copy.begin_reorg(source.proof(ProofRequest(upgrade=UpgradeRequest(0, 9))))
    while reorg.wanted is not None:
        reorg.update(source.proof(ProofRequest(hash=reorg.wanted)))
    copy.apply_reorg(reorg)
    assert (copy.length, audit(copied)) == (9, [])


def test_a_core_whose_tree_was_pruned_has_nothing_wrong(store):
    opened(store).clear_ranges([(0, 3), (4, 6)], prune=True)
    assert store.get(node_key(0)) is store.get(node_key(8)) is None
    assert audit(store) == []


def test_a_core_that_was_longer_than_a_page_of_the_bitfield_has_nothing_wrong():
    store = Memory()
    core = opened(store)
    core.append([b""] * (PAGE_BITS + 9))
    core.clear(3)
    core.truncate(7)
    assert store.get(KEYS.page_key(1)) == bytes(PAGE_BYTES)
    assert audit(store) == []


def test_a_core_of_which_only_the_key_is_known_has_nothing_wrong():
    store = Memory()
    opened_copy(store)
    assert audit(store) == []


# --- every kind of finding ----------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [flipped, lambda block: block + b"x", lambda block: b""])
def test_another_block_than_the_signed_one_is_found(store, change):
    write(store, block_key(2), change(BLOCKS[2]))
    assert audit(store) == ["block 2 is not the one that was signed"]


def test_blocks_that_are_not_there_are_found(store):
    for index in (0, 2, 3, 6):
        write(store, block_key(index), None)
    assert audit(store) == [
        "block 0 should be stored, but is missing",
        "blocks 2 to 3 should be stored, but are missing",
        "block 6 should be stored, but is missing",
    ]


def test_blocks_that_are_not_there_are_found_behind_a_hole(store):
    opened(store).clear(1)
    for index in (2, 5):
        write(store, block_key(index), None)
    assert audit(store) == [
        "block 2 should be stored, but is missing",
        "block 5 should be stored, but is missing",
    ]


def test_a_block_that_was_cleared_but_is_there_is_found(store):
    opened(store).clear(4)
    write(store, block_key(4), BLOCKS[4])
    assert audit(store) == ["block 4 is stored, but said to be missing"]


def test_a_block_behind_the_end_is_found(store):
    write(store, block_key(7), b"left behind")
    write(store, block_key(70_000), b"left far behind")
    assert audit(store) == [
        "block 7 is behind the end of the core, at 7",
        "block 70000 is behind the end of the core, at 7",
    ]


def test_a_block_without_its_tree_node_is_found(store):
    write(store, node_key(4), None)
    assert audit(store) == ["block 2 is stored, but its tree node is not"]


def test_a_damaged_tree_node_is_found_once(store):
    write(store, node_key(4), b"\x04")
    (finding,) = audit(store)
    assert finding.startswith("tree node 4 is damaged: ")


def test_a_tree_node_in_the_place_of_another_is_found(store):
    write(store, node_key(1), store.get(node_key(5)))
    assert "tree node 1 says that it is node 5" in audit(store)


@pytest.mark.parametrize("index", [14, 15, 11, 7], ids=["leaf", "above", "half-behind", "reaches-behind"])
def test_a_tree_node_behind_the_end_is_found(store, index):
    write(store, node_key(index), encode_node(Node(index, 7, bytes(32))))
    assert audit(store) == [f"tree node {index} is not in a tree of 7 blocks"]


@pytest.mark.parametrize(("size", "digest"), [(15, None), (14, bytes(32))], ids=["size", "hash"])
def test_a_tree_node_that_does_not_follow_from_its_children_is_found(store, size, digest):
    state = state_of(store)
    digest = digest or state.need_node(1).hash
    write(store, node_key(1), encode_node(Node(1, size, digest)))
    assert audit(store) == [
        "tree node 1 does not follow from nodes 0 and 2",
        "tree node 3 does not follow from nodes 1 and 5",
    ]


def test_a_leaf_that_was_changed_together_with_its_block_is_found(store):
    other = Memory()
    opened(other).append(b"forged")
    write(store, block_key(0), b"forged")
    write(store, node_key(0), other.get(node_key(0)))
    assert audit(store) == ["tree node 1 does not follow from nodes 0 and 2"]


def missing_node(index):
    return f"tree node {index} should be stored, but is missing"


@pytest.mark.parametrize("gone", [(1,), (5,), (1, 5), (0, 1), (0, 1, 5)], ids=str)
def test_each_missing_tree_node_is_found_once(store, gone):
    opened(store).clear(0, 2)
    for index in gone:
        write(store, node_key(index), None)
    assert sorted(audit(store)) == [missing_node(index) for index in gone]


@pytest.mark.parametrize("index", [0, 1, 2, 4, 5, 6, 8, 10])
def test_every_node_that_is_no_root_is_missed_in_a_core_without_blocks(store, index):
    opened(store).clear(0, 7)
    write(store, node_key(index), None)
    assert audit(store) == [missing_node(index)]


@pytest.mark.parametrize("index", [0, 1, 5], ids=["sibling-of-a-block", "between", "without-children"])
def test_every_node_that_proves_a_block_of_a_copy_is_missed(store, index):
    copied = copy_of(opened(store), 1)
    assert [copied.get(node_key(leaf)) for leaf in (4, 6)] == [None, None]
    write(copied, node_key(index), None)
    assert audit(copied) == [missing_node(index)]


@pytest.mark.parametrize("prefix", [KEYS.block, KEYS.node, KEYS.page], ids=["block", "node", "page"])
@pytest.mark.parametrize("end", [b"\xfc\x00", b"\xfc\x00\x01", b"\x01\x01"], ids=["cut", "long-form", "more"])
def test_a_record_that_nobody_would_look_for_is_found(store, prefix, end):
    write(store, prefix + end, b"")
    assert audit(store) == [f"the record {(prefix + end).hex()} has a key that leads nowhere"]


def with_bits(page, start, end):
    """Return a page with some bits set."""
    bits = int.from_bytes(page, "little") | (1 << end) - (1 << start)
    return bits.to_bytes(len(page), "little")


EMPTY = bytes(PAGE_BYTES)


@pytest.mark.parametrize(
    ("number", "start", "end", "which"),
    [
        (0, 9, 10, "block 9 is"),
        (0, 7, 12, "blocks 7 to 11 are"),
        (3, 0, PAGE_BITS, f"blocks {3 * PAGE_BITS} to {4 * PAGE_BITS - 1} are"),
    ],
    ids=["one", "several", "a-whole-page"],
)
def test_blocks_said_to_be_stored_behind_the_end_are_found(store, number, start, end, which):
    write(store, KEYS.page_key(number), with_bits(EMPTY, start, end))
    assert audit(store) == [f"{which} said to be stored behind the end of the core, at 7"]


@pytest.mark.parametrize("page", [b"", EMPTY[1:], EMPTY + b"\x01"], ids=["empty", "short", "long"])
def test_a_page_of_another_size_is_found(store, page):
    write(store, KEYS.page_key(0), page)
    assert audit(store) == [f"page 0 of the bitfield has {len(page)} bytes, not {PAGE_BYTES}"]


def test_bits_below_the_contiguous_length_say_nothing(store):
    write(store, KEYS.page_key(0), with_bits(EMPTY, 2, 4))
    assert audit(store) == []


def test_a_hole_that_reaches_over_two_pages_is_one_finding():
    store = Memory()
    core = opened(store)
    core.append([b""] * (PAGE_BITS + 9))
    core.clear(3)
    for index in range(PAGE_BITS - 2, PAGE_BITS + 2):
        write(store, block_key(index), None)
    assert audit(store) == [f"blocks {PAGE_BITS - 2} to {PAGE_BITS + 1} should be stored, but are missing"]


def test_a_signature_that_does_not_hold_is_found(store):
    head = CoreHead.decode(store.get(KEYS.head))
    wrong = CoreHead(head.fork, head.length, head.tree_hash, flipped(head.signature), head.timestamp)
    write(store, KEYS.head, wrong.encode())
    assert audit(store) == ["the signature does not hold for the tree of 7 blocks"]


def test_another_fork_than_the_signed_one_is_found(store):
    head = CoreHead.decode(store.get(KEYS.head))
    write(store, KEYS.head, CoreHead(9, head.length, head.tree_hash, head.signature).encode())
    assert audit(store) == ["the signature does not hold for the tree of 7 blocks"]


def test_everything_that_is_wrong_is_found_together(store):
    write(store, block_key(0), None)
    write(store, block_key(1), b"forged")
    write(store, node_key(8), None)
    assert audit(store) == [
        "block 0 should be stored, but is missing",
        "block 1 is not the one that was signed",
        "block 4 is stored, but its tree node is not",
    ]


RECORDS = {f"block-{index}": block_key(index) for index in range(7)} | {
    f"node-{index}": node_key(index) for index in (*range(7), 8, 9, 10, 12)
}


@pytest.mark.parametrize("key", RECORDS.values(), ids=RECORDS)
def test_no_flipped_byte_of_a_block_or_tree_node_goes_unnoticed(store, key):
    good = store.get(key)
    for place in range(len(good)):
        write(store, key, good[:place] + flipped(good[place:]))
        with suppress(StorageCorrupt):  # with such a root the core does not even open
            assert audit(store) != []
    write(store, key, good)
    assert audit(store) == []


# --- how it goes about it -----------------------------------------------------------------------------------


def test_an_audit_changes_nothing(store):
    write(store, block_key(2), b"forged")
    before = dict(store.items(b"", b"\xff"))
    audit(store)
    assert dict(store.items(b"", b"\xff")) == before


def test_progress_adds_up_to_the_blocks_that_are_stored():
    store = Memory()
    core = opened(store)
    core.append([b"block"] * 2500)
    core.clear(100, 200)
    steps: list[int] = []
    assert audit(store, progress=steps.append) == []
    assert sum(steps) == 2400
    assert len(steps) > 2


def test_progress_moves_while_the_nodes_are_walked():
    store = Memory()
    opened(store).append([b"block"] * 3000)
    for index in (2001, 5001):
        write(store, node_key(index), b"")
    steps: list[int] = []
    assert [sum(steps) for _ in audit_core(state_of(store), steps.append)] == [1000, 2000]


def test_a_core_says_itself_what_is_wrong_with_it(store):
    write(store, block_key(3), b"forged")
    steps: list[int] = []
    assert opened(store).audit(steps.append) == ["block 3 is not the one that was signed"]
    assert sum(steps) == 7
