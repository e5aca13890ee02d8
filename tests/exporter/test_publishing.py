"""Results that can be followed from elsewhere while they are written."""

import asyncio
import socket
import threading

import pytest

from exporter.experiment import Outcome
from exporter.publishing import PublishedResults
from exporter.results import Results
from hypercore import Corestore, Hyperbee, aio
from hypercore.errors import ConnectionLost, StorageError, StorageLocked
from tests.exporter.builders import PROVENANCE, experiment, result
from tests.hypercore.disks import FULL_DISKS

WRITE, READ = experiment("write"), experiment("read")
KEY = "nrBlocks=10_blockByteSize=100"
PASSED = Outcome(run_time_s=0.25, rounds=3, stats={"min": 0.2, "max": 0.3})
LARGE = Outcome(run_time_s=0.5, rounds=1, stats={f"{number}": 0.1 for number in range(1000)})
HOST = "127.0.0.1"


@pytest.fixture
def published(tmp_path):
    with PublishedResults(tmp_path / "store", PROVENANCE, HOST, 0) as results:
        yield results


def follow(results, key=KEY):
    """What somebody who knows the id of the bee reads in it."""

    async def read():
        with Corestore(None) as store:
            core = store.get(key=results.id)
            bee = Hyperbee(core, key_encoding="utf-8", value_encoding="json")
            async with await aio.connect(store, HOST, results.port):
                await aio.update(core, timeout=20)
                entry = await aio.available(core, lambda: bee.sub("write").get(key), timeout=20)
                return entry and entry.value["runTimeS"]

    return asyncio.run(read())


def put_for_ever(results):
    while True:
        results.put(result(WRITE, run_time_s=0.5), LARGE)


def test_a_result_can_be_read_by_whoever_knows_the_id_of_the_bee(published):
    published.put(result(WRITE, run_time_s=0.25), PASSED)
    assert follow(published) == 0.25
    published.put(result(WRITE, run_time_s=0.5), PASSED)
    assert follow(published) == 0.5


def test_what_is_stored_is_loaded_as_from_results(published):
    stored = [result(WRITE, run_time_s=0.25), result(READ, run_time_s=1)]
    for each in stored:
        published.put(each, PASSED)
    assert published.load([WRITE, READ]) == stored


def test_old_results_are_forgotten_as_by_results(published):
    with Results(None, PROVENANCE) as plain:
        for results in (plain, published):
            for timestamp_ms in range(1000, 2000, 100):
                results.put(result(WRITE, timestamp_ms=timestamp_ms), PASSED)
        forgotten = plain.forget(1500, 2000)
    assert published.forget(1500, 2000) == forgotten > 0
    assert follow(published) == 0.25


def test_no_other_core_of_the_store_is_served(tmp_path):
    with Corestore(tmp_path / "store") as store:
        other = store.get(name="other").key

    async def ask(results):
        with Corestore(None) as asking:
            core = asking.get(key=other)
            async with await aio.connect(asking, HOST, results.port) as connection:
                return await connection.has(core)

    with PublishedResults(tmp_path / "store", PROVENANCE, HOST, 0) as results:
        assert asyncio.run(ask(results)) is False


@pytest.mark.parametrize("full_disk", FULL_DISKS)
def test_results_are_served_again_after_the_storage_failed(full_disk):
    with full_disk() as disk, PublishedResults(disk.path / "store", PROVENANCE, HOST, 0) as results:
        results.put(result(WRITE, run_time_s=0.25), PASSED)
        port = results.port
        with disk.trouble(), pytest.raises(StorageError):
            put_for_ever(results)
        results.put(result(WRITE, run_time_s=0.75), PASSED)
        assert results.port == port
        assert follow(results) == 0.75


def test_a_store_that_is_open_elsewhere_is_an_error_and_leaves_no_thread(tmp_path):
    threads = threading.active_count()
    with Corestore(tmp_path / "store"), pytest.raises(StorageLocked):
        PublishedResults(tmp_path / "store", PROVENANCE, HOST, 0)
    assert threading.active_count() == threads


def test_an_address_in_use_is_an_error_that_names_it_and_leaves_the_store_closed(tmp_path):
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConnectionLost, match=f"{HOST}:{port}"):
            PublishedResults(tmp_path / "store", PROVENANCE, HOST, port)
    with Corestore(tmp_path / "store") as store:
        assert store.get(name="res-bee").length == 0


def test_closing_ends_the_connections_of_those_who_follow(published):
    async def wait_for_the_end():
        with Corestore(None) as store:
            store.get(key=published.id)
            connection = await aio.connect(store, HOST, published.port)
            await asyncio.get_running_loop().run_in_executor(None, published.close)
            await asyncio.wait_for(connection.wait_closed(), 20)

    asyncio.run(wait_for_the_end())
