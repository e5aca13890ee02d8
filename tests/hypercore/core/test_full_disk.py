"""A full disk: a clear error, what was acknowledged stays, and it goes on when there is space again."""

from itertools import count

import pytest

from hypercore import Corestore, Hyperbee, Hypercore
from hypercore.errors import StorageError
from tests.hypercore.disks import FULL_DISKS

BLOCK_SIZES = pytest.mark.parametrize(
    "size", [10, 1000, 40_000, 200_000], ids=["tiny", "small", "large", "huge"]
)


@pytest.fixture(params=FULL_DISKS)
def disk(request):
    with request.param() as disk:
        yield disk


def append_until_full(disk, core, size):
    """Append until it fails; return the blocks that were acknowledged."""
    blocks: list[bytes] = []

    def append_for_ever():
        for number in count():
            block = (b"%d " % number).ljust(size, b"x")
            core.append(block)
            blocks.append(block)

    with disk.trouble(), pytest.raises(StorageError, match=str(disk.path)):
        append_for_ever()
    return blocks


def append_if_it_can(disk, core, block):
    """Append a block and return what was acknowledged; a store that refuses until it is reopened is fine."""
    try:
        core.append(block)
    except StorageError as error:
        if str(disk.path) not in str(error):
            raise
        return []
    return [block]


def open_bee(core):
    return Hyperbee(core, key_encoding="utf-8", value_encoding="utf-8")


def entries(core):
    return {entry.key: entry.value for entry in open_bee(core).items()}


def check(core, blocks):
    assert core.length == len(blocks)
    assert list(core.read_stream()) == blocks
    assert core.verify()
    assert core.audit() == []


@BLOCK_SIZES
def test_an_append_that_does_not_fit_is_reported_and_the_others_stay(disk, size):
    with Hypercore(disk.path) as core:
        blocks = append_until_full(disk, core, size)
        check(core, blocks)
    with Hypercore(disk.path) as core:
        check(core, blocks)


@BLOCK_SIZES
def test_what_is_acknowledged_after_a_full_disk_is_there_after_reopening(disk, size):
    with Hypercore(disk.path) as core:
        blocks = append_until_full(disk, core, size)
        for number in range(3):
            blocks += append_if_it_can(disk, core, b"%d" % number * size)
        check(core, blocks)
    with Hypercore(disk.path) as core:
        check(core, blocks)


def test_a_disk_that_is_full_again_and_again_loses_nothing(disk):
    blocks: list[bytes] = []
    for _ in range(4):
        with Hypercore(disk.path) as core:
            check(core, blocks)
            blocks += append_until_full(disk, core, 5000)
            blocks += append_if_it_can(disk, core, b"after it")


def test_reopening_makes_appends_work_again(disk):
    with Hypercore(disk.path) as core:
        blocks = append_until_full(disk, core, 1000)
    with Hypercore(disk.path) as core:
        core.append([b"works", b"again"])
    with Hypercore(disk.path) as core:
        check(core, [*blocks, b"works", b"again"])


def test_a_list_that_does_not_fit_is_not_there_in_part(disk):
    with Hypercore(disk.path) as core:
        core.append(b"kept")
        with disk.trouble(), pytest.raises(StorageError, match=str(disk.path)):
            core.append([b"%d" % number * 10_000 for number in range(100)])
        check(core, [b"kept"])
    with Hypercore(disk.path) as core:
        check(core, [b"kept"])


def test_a_commit_that_does_not_fit_changes_no_core(disk):
    with Corestore(disk.path) as store:
        cores = [store.get(name="a"), store.get(name="b")]
        commit = store.commit()
        for core in cores:
            core.append(b"lost" * 100_000, commit=commit)
        with disk.trouble(), pytest.raises(StorageError, match=str(disk.path)):
            commit.write()
        assert [core.length for core in cores] == [0, 0]
    with Corestore(disk.path) as store:
        assert [store.get(name="a").length, store.get(name="b").length] == [0, 0]


@pytest.mark.parametrize("open_store", [Hypercore, Corestore], ids=["core", "corestore"])
def test_a_store_that_cannot_be_made_is_reported_and_can_be_made_later(disk, open_store):
    with disk.trouble(0), pytest.raises(StorageError, match=str(disk.path)):
        open_store(disk.path / "new")
    open_store(disk.path / "new").close()


def test_a_store_that_cannot_be_opened_for_want_of_space_is_whole_later(disk):
    blocks = [b"%d" % number * 100 for number in range(500)]
    with Hypercore(disk.path) as core:
        core.append(blocks)
    with disk.trouble(0), pytest.raises(StorageError, match=str(disk.path)):
        Hypercore(disk.path)
    with Hypercore(disk.path) as core:
        check(core, blocks)


def test_a_bee_keeps_its_entries_when_the_disk_is_full(disk):
    expected = {}

    def put_for_ever(bee):
        for number in count():
            bee.put(f"key {number}", "value" * 200)
            expected[f"key {number}"] = "value" * 200

    with Hypercore(disk.path) as core:
        with disk.trouble(), pytest.raises(StorageError, match=str(disk.path)):
            put_for_ever(open_bee(core))
        assert entries(core) == expected
    with Hypercore(disk.path) as core:
        open_bee(core).put("works", "again")
        assert entries(core) == {**expected, "works": "again"}
        assert core.audit() == []
