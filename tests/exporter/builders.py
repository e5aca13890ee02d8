"""Experiments, results and provenance as the tests need them."""

from exporter.experiment import Experiment, Result
from exporter.provenance import Provenance

PROVENANCE = Provenance(
    revision="abc123",
    versions={"hypercore-scale-tests": "0.1.0", "python": "3.11.7"},
    machine={"platform": "Linux", "cpuCount": 2},
)


def experiment(name="write", help="Write hypercore blocks to disk.", title=None, **params):
    """An experiment; without parameters it gets the usual two."""
    params = params or {"nrBlocks": 10, "blockByteSize": 100}
    built = Experiment("", name, title or f"{name.title()} experiment", help, params)
    nodeid = f"benchmarks/test_single_core.py::test_{name}[{built.key}]"
    return Experiment(nodeid, built.name, built.title, built.help, params)


def result(of=None, run_time_s=0.25, timestamp_ms=1_700_000_000_000, error=None):
    """A result, of a write experiment if nothing else is said."""
    return Result(of or experiment(), run_time_s, timestamp_ms, error)
