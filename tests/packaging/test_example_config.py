"""The example of an experiments file."""

import json
from pathlib import Path

from benchmarks.experiments_file import read

EXAMPLE = Path(__file__).resolve().parents[2] / "example-config.json"


def test_it_is_well_formed_and_has_two_quick_sizes_of_each_experiment():
    cases = read(EXAMPLE, EXAMPLE.name).cases_by_key
    assert list(cases) == [
        "download",
        "downloadReadStream",
        "write",
        "read",
        "driveGet",
        "driveWrite",
        "beeWrite",
    ]
    assert {json.dumps(list(case.values())) for sizes in cases.values() for case in sizes} == {
        "[10, 10]",
        "[10, 100]",
    }
