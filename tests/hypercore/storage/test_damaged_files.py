"""Files damaged at random places: an error, or what once was there, or an audit that says what is wrong."""

import random
import shutil
from contextlib import contextmanager, suppress

import pytest

from hypercore import Hypercore, KeyPair
from hypercore.errors import BlockNotAvailable, StorageCorrupt, StorageError
from hypercore.storage import LevelDB

IN_TABLE = [b"block %d in the table" % number for number in range(300)]
BLOCKS = IN_TABLE + [b"block %d in the log" % number for number in range(300)]
PLACES = 40
PAIR = KeyPair.from_seed(b"\x01" * 32)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The directory of a closed core with one half of its blocks in a table file, the other in the log."""
    path = tmp_path_factory.mktemp("whole") / "core"
    with Hypercore(path, key_pair=PAIR) as core:
        for block in IN_TABLE:
            core.append(block)
    LevelDB(path / "db").close()  # what is recovered from the log goes to a table
    with Hypercore(path) as core:
        for block in BLOCKS[len(IN_TABLE) :]:
            core.append(block)
    return path


@pytest.fixture
def damaged(whole, tmp_path):
    """Makes a copy of it in which one file is damaged."""

    def copy(pattern, damage):
        path = tmp_path / "copy"
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(whole, path)
        file = max((path / "db").glob(pattern))
        file.write_bytes(damage(file.read_bytes()))
        return path

    return copy


def flip(data, chance):
    place = chance.randrange(len(data))
    return data[:place] + bytes((data[place] ^ chance.randrange(1, 256),)) + data[place + 1 :]


def cut(data, chance):
    return data[: chance.randrange(len(data))]


def overwrite(data, chance):
    start = chance.randrange(len(data))
    size = min(len(data) - start, chance.randrange(1, 5000))
    return data[:start] + chance.randbytes(size) + data[start + size :]


DAMAGES = pytest.mark.parametrize("damage", [flip, cut, overwrite])
FILES = pytest.mark.parametrize(
    "pattern", ["*.ldb", "*.log", "MANIFEST-*", "CURRENT"], ids=["table", "log", "manifest", "current"]
)


def wrong_blocks(core):
    """Return which blocks are not those that were appended, or cannot be read."""
    wrong = []
    for index in range(core.length):
        try:
            right = core.get(index) == BLOCKS[index]
        except (BlockNotAvailable, StorageCorrupt):
            right = False
        if not right:
            wrong.append(index)
    return wrong


@contextmanager
def only_clear_errors(path):
    """Let a StorageError that names the path pass, and nothing else."""
    try:
        yield
    except StorageError as error:
        if str(path) not in str(error):
            raise


def check(path):
    """Fail unless the damage is told, or did not matter, or what is left is how the core once was."""
    with only_clear_errors(path), Hypercore(path, key_pair=PAIR) as core:
        wrong = wrong_blocks(core)
        if wrong:
            assert core.audit()
        if core.audit() == []:
            assert core.verify()
            assert list(core.read_stream()) == BLOCKS[: core.length]


@FILES
@DAMAGES
def test_damage_anywhere_is_told_or_leaves_a_state_that_was(damaged, pattern, damage):
    for seed in range(PLACES):
        chance = random.Random(seed)
        check(damaged(pattern, lambda data, chance=chance: damage(data, chance)))


@pytest.mark.parametrize("pattern", ["*.ldb", "MANIFEST-*", "CURRENT"], ids=["table", "manifest", "current"])
@DAMAGES
def test_damage_of_what_was_synced_never_shortens_a_core_in_silence(damaged, pattern, damage):
    for seed in range(PLACES):
        chance = random.Random(seed)
        path = damaged(pattern, lambda data, chance=chance: damage(data, chance))
        with only_clear_errors(path), Hypercore(path, key_pair=PAIR) as core:
            assert core.length >= len(IN_TABLE) or core.audit()


@pytest.mark.parametrize("index", [0, 150])
def test_an_audit_tells_which_blocks_a_flipped_byte_has_cost(damaged, index):
    block = IN_TABLE[index]
    path = damaged("*.ldb", lambda data: data.replace(block, block[:-1] + b"\xff"))
    with Hypercore(path) as core:
        with pytest.raises(StorageCorrupt, match=f"{path}.*checksum"):
            core.get(index)
        lost = wrong_blocks(core)
        assert index in lost
        which, why = core.audit()
        assert which == f"blocks {lost[0]} to {lost[-1]} should be stored, but are missing"
        assert str(path) in why


def test_a_torn_end_of_the_log_is_an_older_state(damaged):
    lengths = set()
    for seed in range(PLACES):
        chance = random.Random(seed)
        with Hypercore(damaged("*.log", lambda data, chance=chance: cut(data, chance))) as core:
            assert core.audit() == []
            assert list(core.read_stream()) == BLOCKS[: core.length]
            lengths.add(core.length)
    assert min(lengths) >= len(IN_TABLE)
    assert len(lengths) > PLACES // 2


def test_a_stream_never_leaves_out_a_block_that_the_log_lost(damaged):
    for seed in range(PLACES):
        chance = random.Random(seed)
        path = damaged("*.log", lambda data, chance=chance: flip(data, chance))
        with suppress(StorageError, BlockNotAvailable), Hypercore(path) as core:
            assert list(core.read_stream()) == BLOCKS[: core.length]
