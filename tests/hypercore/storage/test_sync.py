"""Commits that return only when the disk has them."""

import pytest

from hypercore import Corestore, Hypercore
from hypercore.storage import leveldb


class Recorder:
    """A LevelDB that notes whether its writes wait for the disk."""

    def __init__(self, database, waited):
        self._database = database
        self._waited = waited

    def write_batch(self, *, sync=False):
        self._waited.append(sync)
        return self._database.write_batch(sync=sync)

    def __getattr__(self, name):
        return getattr(self._database, name)


@pytest.fixture
def waited(monkeypatch):
    """For each write batch of the stores that are opened, whether it waits for the disk."""
    waited: list[bool] = []
    open_ = leveldb._open
    monkeypatch.setattr(leveldb, "_open", lambda name: Recorder(open_(name), waited))
    return waited


@pytest.mark.parametrize("sync", [False, True], ids=["by-default", "on-request"])
def test_every_commit_of_a_core_waits_for_the_disk_only_if_it_shall(tmp_path, waited, sync):
    with Hypercore(tmp_path, sync=True) if sync else Hypercore(tmp_path) as core:
        core.append(b"a")
        core.append([b"b", b"c"])
        core.truncate(2)
        core.clear(0)
        core.user_data["key"] = b"value"
    assert waited
    assert set(waited) == {sync}


@pytest.mark.parametrize("sync", [False, True], ids=["by-default", "on-request"])
def test_every_commit_of_a_corestore_waits_for_the_disk_only_if_it_shall(tmp_path, waited, sync):
    with Corestore(tmp_path, sync=True) if sync else Corestore(tmp_path) as store:
        cores = [store.get(name="a"), store.namespace("n").get(name="b")]
        with store.commit() as commit:
            for core in cores:
                core.append(b"block", commit=commit)
        cores[0].purge()
    assert waited
    assert set(waited) == {sync}
