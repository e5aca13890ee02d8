"""The results in their bee: what is stored, what comes back after a restart, what is skipped."""

import math
from itertools import count

import pytest

from exporter.experiment import Outcome
from exporter.results import Results
from hypercore import Corestore, Hyperbee
from hypercore.errors import StorageError, StorageLocked
from tests.exporter.builders import PROVENANCE, experiment, result
from tests.hypercore.disks import FULL_DISKS

WRITE, READ = experiment("write"), experiment("read")
KEY = "nrBlocks=10_blockByteSize=100"
DAY_MS = 86_400_000
PASSED = Outcome(run_time_s=0.25, rounds=3, stats={"min": 0.2, "max": 0.3})
STORED = {"success": True, "runTimeS": 0.25, "params": WRITE.params, "name": WRITE.title, "timestamp": 1234}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store"


def stored_value(path, name="write", key=KEY):
    """What another program finds in the bee."""
    with Corestore(path) as store:
        bee = Hyperbee(store.get(name="res-bee"), key_encoding="utf-8", value_encoding="json")
        entry = bee.sub(name).get(key)
        return entry and entry.value


def store_value(path, value, name="write", key=KEY, encoding="json"):
    """Leave something in the bee, as another program may."""
    with Corestore(path) as store:
        bee = Hyperbee(store.get(name="res-bee"), key_encoding="utf-8", value_encoding=encoding)
        bee.sub(name).put(key, value)


def test_a_stored_result_has_the_fields_of_the_javascript_tool_and_more(path):
    with Results(path, PROVENANCE) as results:
        results.put(result(WRITE, run_time_s=0.25, timestamp_ms=1234), PASSED)
    assert stored_value(path) == STORED | {
        "rounds": 3,
        "stats": {"min": 0.2, "max": 0.3},
        "error": None,
        "revision": "abc123",
        "versions": PROVENANCE.versions,
        "machine": PROVENANCE.machine,
    }


def test_a_failed_run_is_stored_with_minus_one_and_its_reason(path):
    with Results(path, PROVENANCE) as results:
        results.put(result(WRITE, run_time_s=None, error="timed out"), Outcome(error="timed out"))
    value = stored_value(path)
    assert (value["success"], value["runTimeS"], value["error"], value["stats"]) == (
        False,
        -1,
        "timed out",
        None,
    )


@pytest.mark.parametrize(
    ("run_time_s", "error"),
    [(0.25, None), (0.0, None), (None, "boom")],
    ids=["passed", "in-no-time", "failed"],
)
def test_a_result_comes_back_after_a_restart(path, run_time_s, error):
    one = result(WRITE, run_time_s=run_time_s, error=error)
    with Results(path, PROVENANCE) as results:
        results.put(one, PASSED)
    with Results(path, PROVENANCE) as results:
        assert results.load([WRITE, READ]) == [one]


def test_the_last_of_many_results_comes_back():
    with Results(None, PROVENANCE) as results:
        for seconds in (1.0, 2.0, 3.0):
            results.put(result(WRITE, run_time_s=seconds), PASSED)
        assert [loaded.run_time_s for loaded in results.load([WRITE])] == [3.0]


def test_results_of_other_parameters_and_experiments_do_not_mix():
    other = experiment("write", nrBlocks=10, blockByteSize=0)
    with Results(None, PROVENANCE) as results:
        results.put(result(WRITE, run_time_s=1.0), PASSED)
        results.put(result(READ, run_time_s=2.0), PASSED)
        results.put(result(other, run_time_s=3.0), PASSED)
        assert [loaded.run_time_s for loaded in results.load([READ, other])] == [2.0, 3.0]


@pytest.mark.parametrize(
    ("value", "run_time_s"),
    [
        pytest.param(STORED, 0.25, id="passed"),
        pytest.param(STORED | {"success": False, "runTimeS": -1}, None, id="failed"),
        pytest.param(STORED | {"success": False}, None, id="failed-after-its-run"),
        pytest.param(STORED | {"runTimeS": -1}, None, id="without-a-run"),
    ],
)
def test_a_value_of_the_javascript_tool_is_understood(path, value, run_time_s):
    store_value(path, value)
    with Results(path, PROVENANCE) as results:
        assert results.load([WRITE]) == [result(WRITE, run_time_s=run_time_s, timestamp_ms=1234)]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("text", id="no-object"),
        pytest.param(None, id="null"),
        pytest.param({}, id="empty"),
        pytest.param(STORED | {"runTimeS": "fast"}, id="run-time-is-text"),
        pytest.param(STORED | {"runTimeS": True}, id="run-time-is-a-truth"),
        pytest.param(STORED | {"runTimeS": None}, id="run-time-is-null"),
        pytest.param(STORED | {"runTimeS": math.inf}, id="run-time-is-infinite"),
        pytest.param(STORED | {"timestamp": "today"}, id="timestamp-is-text"),
        pytest.param(STORED | {"timestamp": -1}, id="timestamp-before-1970"),
        pytest.param(STORED | {"timestamp": 1e300}, id="timestamp-beyond-the-calendar"),
    ],
)
def test_an_entry_that_makes_no_sense_is_skipped_with_a_warning(path, caplog, value):
    store_value(path, value)
    store_value(path, STORED, name="read")
    with Results(path, PROVENANCE) as results:
        assert [loaded.experiment for loaded in results.load([WRITE, READ])] == [READ]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert f"write {KEY}" in caplog.text


def test_an_entry_that_is_not_even_json_is_skipped_with_a_warning(path, caplog):
    store_value(path, b"\xff{", encoding="binary")
    with Results(path, PROVENANCE) as results:
        assert results.load([WRITE]) == []
    assert f"write {KEY}" in caplog.text


def test_a_store_that_is_open_elsewhere_is_refused_by_its_path(path):
    with Results(path, PROVENANCE), pytest.raises(StorageLocked, match=str(path)):
        Results(path, PROVENANCE)


def put_daily(results, days, experiments=(WRITE,)):
    for day in days:
        for each in experiments:
            results.put(result(each, timestamp_ms=day * DAY_MS), PASSED)


def test_forgetting_leaves_the_latest_of_each_experiment_and_what_is_new(path):
    with Results(path, PROVENANCE) as results:
        put_daily(results, range(5), [READ])
        put_daily(results, range(50))
        assert results.forget(40 * DAY_MS, 50 * DAY_MS) > 30
        assert [each.timestamp_ms for each in results.load([WRITE, READ])] == [49 * DAY_MS, 4 * DAY_MS]
    with Corestore(path) as store:
        bee = Hyperbee(store.get(name="res-bee"), key_encoding="utf-8", value_encoding="json")
        first = next(seq for seq in range(bee.version - 1, 0, -1) if not bee.core.has(seq)) + 1
        kept = [each.value["timestamp"] for each in bee.history(gte=first)]
        assert kept[-10:] == [day * DAY_MS for day in range(40, 50)]
        assert bee.core.audit() == []


def test_forgetting_twice_and_forgetting_everything_keep_the_latest(path):
    with Results(path, PROVENANCE) as results:
        put_daily(results, range(20))
        results.forget(10 * DAY_MS, 20 * DAY_MS)
        assert results.forget(10 * DAY_MS, 20 * DAY_MS) == 0
        assert results.forget(1000 * DAY_MS, 1000 * DAY_MS) > 0
        assert results.forget(2000 * DAY_MS, 2000 * DAY_MS) == 0
        put_daily(results, [1001])
        assert [each.timestamp_ms for each in results.load([WRITE])] == [1001 * DAY_MS]


def test_forgetting_in_an_empty_store_does_nothing(path):
    with Results(path, PROVENANCE) as results:
        assert results.forget(DAY_MS, DAY_MS) == 0


def test_what_does_not_say_when_it_was_counts_as_old(path):
    for value in (b"not json", b"[]", b"{}", b'{"timestamp":true}'):
        store_value(path, value, key=KEY, encoding="binary")
    with Results(path, PROVENANCE) as results:
        put_daily(results, [10])
        results.forget(5 * DAY_MS, 10 * DAY_MS)
        assert [each.timestamp_ms for each in results.load([WRITE])] == [10 * DAY_MS]


def kept_days(results):
    """The days whose results are stored, besides the latest."""
    bee = Hyperbee(results.core, key_encoding="utf-8", value_encoding="json")
    stored = [seq for start, end in results.core.stored_ranges(1) for seq in range(start, end)]
    return [bee.get_by_seq(seq).value["timestamp"] // DAY_MS for seq in stored[:-1]]


def test_a_result_from_when_the_clock_was_ahead_does_not_keep_all_that_follow():
    with Results(None, PROVENANCE) as results:
        put_daily(results, [*range(20), 40_000, *range(20, 50)])
        results.forget(45 * DAY_MS, 49 * DAY_MS)
        assert kept_days(results) == [44, 45, 46, 47, 48]  # 44: the latest as the history begins


@pytest.mark.parametrize("now", [0, 60], ids=["at-the-start-of-1970", "between"])
def test_a_clock_that_is_behind_makes_nothing_old(now):
    with Results(None, PROVENANCE) as results:
        put_daily(results, range(50, 100))
        assert results.forget((now - 20) * DAY_MS, now * DAY_MS) == 0


def test_a_store_that_forgets_stays_small_on_disk(path):
    def size():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())

    sizes = []
    with Results(path, PROVENANCE) as results:
        for weeks in range(1, 13):
            put_daily(results, [week / 200 for week in range(200 * (weeks - 1), 200 * weeks)])
            results.forget((weeks - 2) * DAY_MS, weeks * DAY_MS)
            sizes.append(size())
    assert max(sizes[6:]) < 1.25 * max(sizes[:6])


# --- a store that fails -------------------------------------------------------------------------------------


@pytest.fixture(params=FULL_DISKS)
def disk(request):
    with request.param() as disk:
        yield disk


def put_until_full(disk, results):
    """Put results until one cannot be stored; return the time of the last one that was."""
    large = Outcome(run_time_s=0.25, rounds=3, stats={f"{number}": 0.1 for number in range(1000)})
    stored = []

    def put_for_ever():
        for timestamp_ms in count():
            results.put(result(WRITE, timestamp_ms=timestamp_ms), large)
            stored.append(timestamp_ms)

    with disk.trouble(), pytest.raises(StorageError, match=str(disk.path)):
        put_for_ever()
    return stored[-1]


def times(results):
    return [each.timestamp_ms for each in results.load([WRITE])]


def test_the_result_after_a_full_disk_is_stored_again(disk):
    with Results(disk.path, PROVENANCE) as results:
        last = put_until_full(disk, results)
        results.put(result(WRITE, timestamp_ms=last + 5), PASSED)
        assert times(results) == [last + 5]
    with Results(disk.path, PROVENANCE) as results:
        assert times(results) == [last + 5]


def test_the_result_after_one_could_not_be_forgotten_is_stored(disk):
    with Results(disk.path, PROVENANCE) as results:
        put_daily(results, range(200))
        with disk.trouble(0), pytest.raises(StorageError, match=str(disk.path)):
            results.forget(100 * DAY_MS, 200 * DAY_MS)
        put_daily(results, [200])
        assert times(results) == [200 * DAY_MS]
        assert results.forget(100 * DAY_MS, 200 * DAY_MS) > 90


def test_results_go_on_after_the_store_could_not_even_be_opened_again(disk, monkeypatch):
    with Results(disk.path, PROVENANCE) as results:
        last = put_until_full(disk, results)

        def fail(*_, **__):
            raise StorageError("disk full")

        for name in ("Corestore", "Hyperbee"):
            with monkeypatch.context() as patch:
                patch.setattr(f"exporter.results.{name}", fail)
                with pytest.raises(StorageError, match="disk full"):
                    results.put(result(WRITE, timestamp_ms=last + 4), PASSED)
        results.put(result(WRITE, timestamp_ms=last + 5), PASSED)
        assert times(results) == [last + 5]
