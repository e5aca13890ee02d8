"""Changing what a store on disk holds, behind the back of its cores."""

from hypercore.corestore import Corestore
from hypercore.encoding import encode_index
from hypercore.storage import LevelDB
from hypercore.storage.records import CoreKeys

LOG = CoreKeys(0)


def write(path, key, value):
    """Replace a record of the store in a directory; None removes it."""
    write_all(path, {key: value})


def write_all(path, entries):
    """Replace several records."""
    store = LevelDB(path / "db")
    batch = store.batch()
    for key, value in entries.items():
        batch.delete(key) if value is None else batch.put(key, value)
    batch.write()
    store.close()


def records_of(path):
    """Return everything that the store in a directory holds."""
    store = LevelDB(path / "db")
    found = dict(store.items(b"", b"\xff"))
    store.close()
    return found


def block_of_log(index):
    """Return the key of a block of the core that was made first."""
    return LOG.block + encode_index(index)


def make_hole(path, index):
    """Clear a block of the core 'log'."""
    with Corestore(path) as store:
        store.get(name="log").clear(index)


def damage_current(path):
    (path / "db" / "CURRENT").write_bytes(b"\xff\xfe\n")


def remove_current(path):
    (path / "db" / "CURRENT").unlink()


def damage_tables(path):
    """Overwrite all table files; opening a store once more makes one of its log."""
    LevelDB(path / "db").close()
    tables = list((path / "db").glob("*.ldb"))
    assert tables
    for table in tables:
        table.write_bytes(bytes(table.stat().st_size))


def damage_manifest(path):
    (manifest,) = (path / "db").glob("MANIFEST-*")
    manifest.write_bytes(bytes(manifest.stat().st_size))


STORE = {
    "CURRENT": damage_current,
    "no-CURRENT": remove_current,
    "tables": damage_tables,
    "MANIFEST": damage_manifest,
}
