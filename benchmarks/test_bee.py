"""Experiments with Hyperbee, the key-value store."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.experiments import sizes
from benchmarks.measuring import Measure
from hypercore import Hyperbee, Hypercore

CASES = (
    {"nr_entries": 10, "entry_byte_size": 100},
    {"nr_entries": 1_000, "entry_byte_size": 100},
    {"nr_entries": 10_000, "entry_byte_size": 100},
)


def put_all(bee: Hyperbee, nr_entries: int, value: bytes) -> None:
    """Put the entries, one at a time."""
    for number in range(nr_entries):
        bee.put(b"key%d" % number, value)


@contextmanager
def empty_bee(directory: Path, nr_entries: int, value: bytes) -> Iterator[Hyperbee]:
    """Give a bee, and fail unless every entry was put once and the first, middle and last are right."""
    with Hypercore(directory) as core:
        bee = Hyperbee(core)
        yield bee
        assert bee.version == nr_entries + 1  # block 0 is the header
        for number in {0, nr_entries // 2, nr_entries - 1} & set(range(nr_entries)):
            entry = bee.get(b"key%d" % number)
            assert entry is not None
            assert entry.value == value


@dataclass
class Reading:
    """A bee that nothing was read from yet, and the sizes of the values that were."""

    bee: Hyperbee
    byte_sizes: list[int] = field(default_factory=list)


def reopened_bee(nr_entries: int, entry_byte_size: int) -> Callable[[Path], AbstractContextManager[Reading]]:
    """What gives a bee that was filled, closed and opened again, and fails unless all of it was read."""

    @contextmanager
    def given(directory: Path) -> Iterator[Reading]:
        with Hypercore(directory) as core:
            put_all(Hyperbee(core), nr_entries, b"a" * entry_byte_size)
        with Hypercore(directory) as core:
            reading = Reading(Hyperbee(core))
            yield reading
            assert reading.byte_sizes == [entry_byte_size] * nr_entries

    return given


@sizes(*CASES, title="Bee Write Hyperdrive experiment")
def test_bee_write(measure: Measure, nr_entries: int, entry_byte_size: int) -> None:
    """Put entries into a Hyperbee, one at a time."""
    value = b"a" * entry_byte_size
    measure(
        lambda bee: put_all(bee, nr_entries, value),
        lambda directory: empty_bee(directory, nr_entries, value),
    )


@sizes(*CASES)
def test_bee_get(measure: Measure, nr_entries: int, entry_byte_size: int) -> None:
    """Get the entries of a reopened Hyperbee, one at a time."""

    def get_all(reading: Reading) -> None:
        for number in range(nr_entries):
            entry = reading.bee.get(b"key%d" % number)
            assert entry is not None
            reading.byte_sizes.append(len(entry.value))

    measure(get_all, reopened_bee(nr_entries, entry_byte_size))


@sizes(
    {"nr_entries": 10, "entry_byte_size": 100, "nr_entries_per_batch": 5},
    {"nr_entries": 1_000, "entry_byte_size": 100, "nr_entries_per_batch": 100},
    {"nr_entries": 10_000, "entry_byte_size": 100, "nr_entries_per_batch": 100},
    {"nr_entries": 10_000, "entry_byte_size": 100, "nr_entries_per_batch": 1_000},
)
def test_bee_batch(
    measure: Measure, nr_entries: int, entry_byte_size: int, nr_entries_per_batch: int
) -> None:
    """Put entries into a Hyperbee in batches, each flushed before the next."""
    if not nr_entries_per_batch:
        pytest.fail("nrEntriesPerBatch is 0: in batches of nothing no entry is ever put")
    value = b"a" * entry_byte_size

    def put_batches(bee: Hyperbee) -> None:
        for first in range(0, nr_entries, nr_entries_per_batch):
            with bee.batch() as batch:
                for number in range(first, min(first + nr_entries_per_batch, nr_entries)):
                    batch.put(b"key%d" % number, value)

    measure(put_batches, lambda directory: empty_bee(directory, nr_entries, value))


@sizes(*CASES)
def test_bee_scan(measure: Measure, nr_entries: int, entry_byte_size: int) -> None:
    """Iterate over all entries of a reopened Hyperbee in key order."""

    def scan(reading: Reading) -> None:
        reading.byte_sizes.extend(len(entry.value) for entry in reading.bee.items())

    measure(scan, reopened_bee(nr_entries, entry_byte_size))
