"""Directories that cannot be written to: a clear error, and nothing is changed."""

import pytest

from hypercore import Corestore, Hypercore
from hypercore.errors import StorageError, StorageLocked
from hypercore.storage import LevelDB
from tests.hypercore.disks import PROTECTED_DIRECTORIES

OPENERS = pytest.mark.parametrize("open_store", [LevelDB, Hypercore, Corestore])


@pytest.fixture(params=PROTECTED_DIRECTORIES)
def directory(request):
    with request.param() as disk:
        yield disk


def contents(path):
    return {file: file.is_file() and file.read_bytes() for file in path.rglob("*")}


@OPENERS
def test_an_existing_store_is_refused_and_left_as_it_is(directory, open_store):
    open_store(directory.path / "a").close()
    before = contents(directory.path)
    with directory.trouble(), pytest.raises(StorageError, match=str(directory.path)) as error:
        open_store(directory.path / "a")
    assert not isinstance(error.value, StorageLocked)
    assert contents(directory.path) == before


@OPENERS
def test_a_new_store_is_refused_and_nothing_is_made(directory, open_store):
    with directory.trouble(), pytest.raises(StorageError, match=str(directory.path)):
        open_store(directory.path / "a")
    assert contents(directory.path) == {}


def test_a_core_is_whole_when_its_directory_can_be_written_to_again(directory):
    with Hypercore(directory.path) as core:
        core.append([b"a", b"b"])
    with directory.trouble(), pytest.raises(StorageError, match=str(directory.path)):
        Hypercore(directory.path)
    with Hypercore(directory.path) as core:
        assert list(core.read_stream()) == [b"a", b"b"]
        assert core.append(b"c") == 3
        assert core.audit() == []
