"""What an audit of a core finds, each kind of it made by hand in what is stored."""

from contextlib import suppress

import pytest

from hypercore import Hypercore, KeyPair
from hypercore.core import CoreState, audit_core, open_core
from hypercore.crypto import discovery_key
from hypercore.encoding import encode_index
from hypercore.encryption import PADDING
from hypercore.errors import StorageCorrupt
from hypercore.manifest import Manifest
from hypercore.merkle import Node, encode_node
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest
from hypercore.storage import Database, Memory
from hypercore.storage.records import CoreHead, CoreKeys

PAIR = KeyPair.from_seed(bytes([7]) * 32)
KEY = Manifest.for_key(PAIR.public_key).key()
KEYS = CoreKeys(0)
BLOCKS = [b"block %d" % number for number in range(7)]


def block_key(index):
    return KEYS.block + encode_index(index)


def node_key(index):
    return KEYS.node + encode_index(index)


@pytest.fixture
def store():
    """A store with one core of seven blocks; its roots are nodes 3, 9 and 12."""
    store = Memory()
    opened(store).append(BLOCKS)
    return store


def opened(store):
    return Hypercore.attached(open_core(Database(store), key_pair=PAIR), lambda: None)


def write(store, key, value):
    batch = store.batch()
    batch.delete(key) if value is None else batch.put(key, value)
    batch.write()


def audit(store, **options):
    return list(audit_core(CoreState(Database(store), discovery_key(KEY)), **options))


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


def test_a_core_of_which_two_blocks_were_received_has_nothing_wrong(store):
    source, copies = opened(store), Memory()
    copy = Hypercore.attached(open_core(Database(copies), key=KEY), lambda: None)
    for index, upgrade in ((1, UpgradeRequest(0, 7)), (5, None)):
        nodes = copy.missing_nodes(2 * index)
        request = ProofRequest(block=NodeRequest(index, nodes), upgrade=upgrade)
        assert copy.apply_proof(source.proof(request))
    assert audit(copies) == []


def test_a_core_of_which_only_the_key_is_known_has_nothing_wrong():
    store = Memory()
    open_core(Database(store), key=KEY)
    assert audit(store) == []


# --- every kind of finding ----------------------------------------------------------------------------------


def flipped(value):
    return bytes([value[0] ^ 1]) + value[1:]


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
    state = CoreState(Database(store), discovery_key(KEY))
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


def test_a_core_says_itself_what_is_wrong_with_it(store):
    write(store, block_key(3), b"forged")
    steps: list[int] = []
    assert opened(store).audit(steps.append) == ["block 3 is not the one that was signed"]
    assert sum(steps) == 7
