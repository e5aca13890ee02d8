import os
import shutil

import pytest

from hypercore import Corestore, Hypercore
from hypercore.errors import StorageConflict, StorageCorrupt, StorageError, StorageLocked
from hypercore.storage import LevelDB
from tests.hypercore.children import start

BLOCKS = [b"block %d" % number for number in range(200)]


def put(store, key, value):
    batch = store.batch()
    batch.put(key, value)
    batch.write()


def files(directory, pattern):
    found = sorted(directory.glob(pattern))
    assert found, f"no {pattern} in {directory}"
    return found


def overwrite_all(pattern, content_of):
    def damage(directory):
        for file in files(directory, pattern):
            file.write_bytes(content_of(file.read_bytes()))

    return damage


def remove_all(pattern):
    def damage(directory):
        for file in files(directory, pattern):
            file.unlink()

    return damage


def make_current_a_directory(directory):
    (directory / "CURRENT").unlink()
    (directory / "CURRENT").mkdir()


def nothing(data):
    return b""


def half(data):
    return data[: len(data) // 2]


def noise(data):
    return b"\xaa" * len(data)


def noise_inside(data):
    middle = len(data) // 2
    return data[: middle - 2000] + b"\xaa" * 4000 + data[middle + 2000 :]


DAMAGE = [
    pytest.param(overwrite_all("CURRENT", nothing), id="empty-CURRENT"),
    pytest.param(overwrite_all("CURRENT", lambda data: b"MANIFEST-999999\n"), id="CURRENT-to-nowhere"),
    pytest.param(overwrite_all("CURRENT", lambda data: b"\xff\xfe\n"), id="noise-in-CURRENT"),
    pytest.param(remove_all("CURRENT"), id="no-CURRENT"),
    pytest.param(make_current_a_directory, id="CURRENT-is-a-directory"),
    pytest.param(overwrite_all("MANIFEST-*", nothing), id="empty-MANIFEST"),
    pytest.param(overwrite_all("MANIFEST-*", half), id="half-a-MANIFEST"),
    pytest.param(overwrite_all("MANIFEST-*", noise), id="noise-in-MANIFEST"),
    pytest.param(remove_all("MANIFEST-*"), id="no-MANIFEST"),
    pytest.param(overwrite_all("*.ldb", nothing), id="empty-table"),
    pytest.param(overwrite_all("*.ldb", half), id="half-a-table"),
    pytest.param(overwrite_all("*.ldb", noise), id="noise-as-table"),
    pytest.param(overwrite_all("*.ldb", noise_inside), id="noise-inside-table"),
    pytest.param(remove_all("*.ldb"), id="no-table"),
]


@pytest.fixture
def stored_core(tmp_path):
    """The directory of a closed core whose blocks are in a table file."""
    with Hypercore(tmp_path / "core") as core:
        core.append(BLOCKS)
    # What is recovered from the log at the next opening goes to a table.
    LevelDB(tmp_path / "core" / "db").close()
    return tmp_path / "core"


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files_are_reported_with_their_path(stored_core, damage):
    damage(stored_core / "db")
    with pytest.raises(StorageError, match=str(stored_core)), Hypercore(stored_core) as core:
        assert list(core.read_stream()) == BLOCKS


def test_an_undamaged_core_is_read_back(stored_core):
    with Hypercore(stored_core) as core:
        assert list(core.read_stream()) == BLOCKS
        assert core.verify()


@pytest.mark.parametrize(
    "path",
    ["a/b/c", "with space", "näme", "no-unicode-\udcff", "%s*?[a]"],
    ids=["nested", "space", "unicode", "no-unicode", "special"],
)
def test_the_directory_is_made_and_what_was_written_is_found_again(tmp_path, path):
    store = LevelDB(tmp_path / path)
    put(store, b"key", b"value")
    store.close()
    again = LevelDB(str(tmp_path / path))
    assert again.get(b"key") == b"value"
    assert again.name == str(tmp_path / path)
    again.close()


@pytest.mark.parametrize("open_store", [LevelDB, Hypercore, Corestore], ids=["leveldb", "core", "corestore"])
def test_two_objects_cannot_have_one_directory_open(tmp_path, open_store):
    first = open_store(tmp_path / "a")
    with pytest.raises(StorageLocked, match=str(tmp_path / "a")):
        open_store(tmp_path / "a")
    first.close()
    open_store(tmp_path / "a").close()


HOLD_OPEN = """
import sys
from hypercore import Hypercore

core = Hypercore(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def test_two_processes_cannot_have_one_directory_open(tmp_path):
    with start(HOLD_OPEN, tmp_path / "a") as other:
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StorageLocked, match=str(tmp_path / "a")):
            Hypercore(tmp_path / "a")
        other.communicate()
    Hypercore(tmp_path / "a").close()


def test_a_failure_that_is_not_about_the_lock_is_not_called_one(tmp_path):
    directory = tmp_path / "LOCKS lock " / "db"
    LevelDB(directory).close()
    make_current_a_directory(directory)
    with pytest.raises(StorageError) as error:
        LevelDB(directory)
    assert not isinstance(error.value, StorageLocked)


def test_the_directory_of_a_rocksdb_is_refused_and_left_alone(tmp_path):
    db = tmp_path / "core" / "db"
    db.mkdir(parents=True)
    (db / "CURRENT").write_text("MANIFEST-000005\n")
    (db / "OPTIONS-000007").write_text("[Version]\n")
    with pytest.raises(StorageConflict, match="holds a RocksDB"):
        Hypercore(tmp_path / "core")
    assert sorted(os.listdir(db)) == ["CURRENT", "OPTIONS-000007"]


@pytest.mark.parametrize(
    "where", ["file", "file/below", "file/far/below"], ids=["itself", "below", "far-below"]
)
def test_a_path_that_leads_through_a_file_is_refused(tmp_path, where):
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(StorageError, match=str(tmp_path)):
        LevelDB(tmp_path / where)


def test_a_path_with_a_zero_byte_is_refused(tmp_path):
    with pytest.raises(StorageError):
        LevelDB(f"{tmp_path}/a\0b")


def test_a_path_that_is_too_long_is_refused(tmp_path):
    with pytest.raises(StorageError, match="cannot be made"):
        LevelDB(tmp_path / ("x" * 300))


def test_a_directory_where_a_file_should_be_is_refused(tmp_path):
    (tmp_path / "db" / "LOCK").mkdir(parents=True)
    with pytest.raises(StorageError, match=str(tmp_path)):
        LevelDB(tmp_path / "db")


def test_a_store_that_cannot_be_opened_does_not_keep_the_lock(stored_core):
    good = (stored_core / "db" / "CURRENT").read_bytes()
    (stored_core / "db" / "CURRENT").write_bytes(b"")
    with pytest.raises(StorageCorrupt) as error:
        Hypercore(stored_core)
    (stored_core / "db" / "CURRENT").write_bytes(good)
    Hypercore(stored_core).close()
    assert error.value.__traceback__ is not None  # kept, so that nothing was closed by being forgotten


def test_an_iterator_that_was_left_does_not_keep_the_lock(tmp_path):
    store = LevelDB(tmp_path / "db")
    put(store, b"a", b"1")
    iterator = store.items(b"", b"z")
    next(iterator)
    store.close()
    LevelDB(tmp_path / "db").close()


def test_a_directory_can_be_copied_while_it_is_closed(stored_core, tmp_path):
    shutil.copytree(stored_core, tmp_path / "copy")
    with Hypercore(stored_core) as core, Hypercore(tmp_path / "copy") as copy:
        assert (copy.key, copy.length, copy.get(7)) == (core.key, core.length, core.get(7))
