import pytest

from hypercore import Hypercore, KeyPair
from hypercore.core import MAX_BLOCK_BYTES
from hypercore.errors import BadArgument, Closed, NotWritable
from hypercore.manifest import Manifest

PAIR = KeyPair.from_seed(b"\x01" * 32)


def test_a_new_core_is_empty_and_holds(core):
    assert (core.length, core.byte_length, core.fork, core.contiguous_length) == (0, 0, 0, 0)
    assert core.signature is None
    assert core.verify()


def test_append_returns_the_new_length(core):
    assert core.append(b"a") == 1
    assert core.append([b"b", b"c"]) == 3
    assert core.append((b"d",)) == 4
    assert (core.length, core.byte_length, core.contiguous_length) == (4, 4, 4)


def test_appending_no_blocks_changes_nothing(core):
    core.append(b"a")
    signature = core.signature
    assert core.append([]) == core.append(()) == 1
    assert core.signature == signature


def test_an_empty_block_is_a_block(core):
    assert core.append(b"") == 1
    assert core.append([b"", b""]) == 3
    assert core.byte_length == 0
    assert core.get_many(range(3)) == [b"", b"", b""]


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param("text", id="text"),
        pytest.param(bytearray(b"a"), id="bytearray"),
        pytest.param([bytearray(b"a")], id="bytearray-in-a-list"),
        pytest.param([b"a", "b"], id="text-behind-bytes"),
        pytest.param([b"a", None], id="none-behind-bytes"),
        pytest.param([b"a", [b"b"]], id="list-in-a-list"),
        pytest.param(None, id="none"),
        pytest.param(7, id="number"),
    ],
)
def test_only_bytes_are_appended_and_all_or_nothing(core, blocks):
    with pytest.raises(BadArgument):
        core.append(blocks)
    assert core.length == 0
    assert not core.has(0)


def test_the_largest_block_is_appended(core):
    assert core.append(bytes(MAX_BLOCK_BYTES)) == 1
    assert core.byte_length == MAX_BLOCK_BYTES


def test_a_block_that_is_too_large_is_refused_with_all_of_its_list(core):
    with pytest.raises(BadArgument, match=f"at most {MAX_BLOCK_BYTES} bytes, found {MAX_BLOCK_BYTES + 1}"):
        core.append([b"a", bytes(MAX_BLOCK_BYTES + 1)])
    assert core.length == 0


def test_every_append_signs_another_tree(core):
    signatures, hashes = set(), set()
    for _ in range(4):
        core.append(b"same")
        assert core.verify()
        signatures.add(core.signature)
        hashes.add(core.tree_hash())
    assert len(signatures) == len(hashes) == 4


def test_a_list_gives_the_same_tree_as_one_by_one():
    with Hypercore(key_pair=PAIR) as one_by_one, Hypercore(key_pair=PAIR) as at_once:
        for number in range(11):
            one_by_one.append(b"%d" % number)
        at_once.append([b"%d" % number for number in range(11)])
        assert one_by_one.tree_hash() == at_once.tree_hash()
        assert one_by_one.signature == at_once.signature


def test_the_hash_of_a_shorter_tree_is_what_it_was(core):
    hashes = [core.tree_hash()]
    for number in range(20):
        core.append(b"%d" % number)
        hashes.append(core.tree_hash())
    assert [core.tree_hash(length) for length in range(21)] == hashes


@pytest.mark.parametrize("length", [-1, 3, 2**70], ids=["negative", "one-too-long", "far-too-long"])
def test_a_core_has_no_hash_of_a_length_it_does_not_have(core, length):
    core.append([b"a", b"b"])
    with pytest.raises(BadArgument, match="between 0 and 2"):
        core.tree_hash(length)


def test_a_core_of_somebody_else_cannot_be_appended_to():
    with Hypercore(key=b"\x07" * 32) as core:
        assert not core.writable
        assert core.manifest is None
        with pytest.raises(NotWritable, match=core.id):
            core.append(b"a")
        assert core.length == 0


def test_a_public_key_alone_cannot_append():
    with Hypercore(key_pair=KeyPair(PAIR.public_key)) as core:
        assert core.key == Manifest.for_key(PAIR.public_key).key()
        assert not core.writable
        with pytest.raises(NotWritable):
            core.append(b"a")


def test_a_compat_core_has_the_public_key_as_its_key():
    with Hypercore(key=PAIR.public_key, key_pair=PAIR) as core:
        core.append(b"a")
        assert core.key == PAIR.public_key
        assert len(core.signature or b"") == 64
        assert core.verify()


USES = {
    "append": lambda core: core.append(b"a"),
    "append-nothing": lambda core: core.append([]),
    "get": lambda core: core.get(0),
    "get-many": lambda core: core.get_many([0]),
    "get-range": lambda core: core.get_many(range(1)),
    "has": lambda core: core.has(0),
    "read-stream": lambda core: list(core.read_stream()),
    "tree-hash": lambda core: core.tree_hash(),
    "verify": lambda core: core.verify(),
    "length": lambda core: core.length,
    "byte-length": lambda core: core.byte_length,
    "contiguous-length": lambda core: core.contiguous_length,
    "fork": lambda core: core.fork,
    "signature": lambda core: core.signature,
    "key": lambda core: core.key,
    "id": lambda core: core.id,
    "discovery-key": lambda core: core.discovery_key,
    "key-pair": lambda core: core.key_pair,
    "manifest": lambda core: core.manifest,
    "writable": lambda core: core.writable,
    "len": len,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_closed_core_refuses_every_use(core, use):
    core.append(b"a")
    core.close()
    core.close()
    assert core.closed
    with pytest.raises(Closed, match="is closed"):
        use(core)


def test_leaving_the_block_closes_the_core():
    with Hypercore() as core:
        assert not core.closed
    assert core.closed


def test_a_core_shows_its_id_and_length(core):
    core.append(b"a")
    assert repr(core) == f"<Hypercore {core.id} length=1 fork=0>"
    core.close()
    assert repr(core) == "<Hypercore closed>"


def test_an_empty_core_is_true_and_has_no_length(core):
    assert core
    assert len(core) == 0
