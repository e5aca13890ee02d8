"""The real suite, as its users run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def run_suite(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on the real experiments."""
    command = [sys.executable, "-m", "pytest", "benchmarks", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def collected(*arguments: str) -> list[str]:
    """The names of the tests it would run, in order."""
    lines = run_suite("--collect-only", "-q", *arguments).stdout.splitlines()
    return [line.partition("::")[2] for line in lines if "::" in line]


@pytest.fixture(autouse=True)
def _no_file_from_outside(monkeypatch):
    monkeypatch.delenv("HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC", raising=False)


def test_every_experiment_does_its_work_at_its_quickest_size():
    result = run_suite("-m", "quick", "--rounds=1")
    assert result.returncode == 0, result.stdout


def test_an_experiment_of_nothing_passes(tmp_path):
    file = tmp_path / "nothing.json"
    blocks, entries = {"nrBlocks": 0, "blockByteSize": 0}, {"nrEntries": 0, "entryByteSize": 0}
    downloads = {"download": [blocks], "downloadReadStream": [blocks], "downloadRandomBlocks": [blocks]}
    many = {"syncManyCores": [{"nrCores": 0, **blocks}], "downloadSparse": [{**blocks, "nrBlocksRead": 0}]}
    cases = {"read": [blocks], "write": [blocks], "beeWrite": [entries], **downloads, **many}
    files = {"nrFiles": 0, "fileByteSize": 0}
    drives = {key: [files] for key in ["driveWrite", "driveGet", "driveList", "driveMirror"]}
    file.write_text(json.dumps({**cases, **drives}))
    result = run_suite("--rounds=1", "--experiments", str(file))
    assert result.returncode == 0, result.stdout


def test_reading_more_blocks_than_there_are_is_told_from_a_slow_experiment(tmp_path):
    file = tmp_path / "wrong.json"
    case = {"nrBlocks": 1, "blockByteSize": 1, "nrBlocksRead": 2}
    file.write_text(json.dumps({"downloadSparse": [case]}))
    result = run_suite("--rounds=1", "--experiments", str(file))
    assert result.returncode == 1
    assert "nrBlocksRead is 2: the core has only 1 blocks" in result.stdout


def test_a_round_keeps_the_order_that_its_users_know():
    order = ["bee_write", "drive_write", "drive_get", "download", "download_read_stream", "read", "write"]
    names = [name.partition("[")[0].removeprefix("test_") for name in collected("-m", "quick")]
    assert [name for name in names if name in order] == [name for name in order if name in names]
    assert {
        "bee_write",
        "drive_write",
        "drive_get",
        "download",
        "download_read_stream",
        "read",
        "write",
    } <= set(names)


def test_a_round_has_each_way_to_use_a_bee():
    names = {name.partition("[")[0].removeprefix("test_") for name in collected("-m", "quick")}
    assert {"bee_write", "bee_get", "bee_batch", "bee_scan"} <= names


def test_a_round_has_each_way_to_use_a_drive():
    names = {name.partition("[")[0].removeprefix("test_") for name in collected("-m", "quick")}
    assert {"drive_write", "drive_get", "drive_list", "drive_mirror"} <= names


def test_the_example_file_fits_the_experiments():
    sizes = ["nrBlocks=10_blockByteSize=10", "nrBlocks=10_blockByteSize=100"]
    write = [name for name in collected("--experiments=example-config.json") if "write[nrBlocks" in name]
    assert write == [f"test_write[{size}]" for size in sizes]
    sizes = ["nrFiles=10_fileByteSize=10", "nrFiles=10_fileByteSize=100"]
    get = [name for name in collected("--experiments=example-config.json") if "drive_get[" in name]
    assert get == [f"test_drive_get[{size}]" for size in sizes]
