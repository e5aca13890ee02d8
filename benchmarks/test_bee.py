"""Experiments with Hyperbee, the key-value store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.experiments import sizes
from benchmarks.measuring import Measure
from hypercore import Hyperbee, Hypercore


@sizes(
    {"nr_entries": 10, "entry_byte_size": 100},
    {"nr_entries": 1_000, "entry_byte_size": 100},
    {"nr_entries": 10_000, "entry_byte_size": 100},
    title="Bee Write Hyperdrive experiment",
)
def test_bee_write(measure: Measure, nr_entries: int, entry_byte_size: int) -> None:
    """Put entries into a Hyperbee, one at a time."""
    value = b"a" * entry_byte_size

    @contextmanager
    def empty_bee(directory: Path) -> Iterator[Hyperbee]:
        with Hypercore(directory) as core:
            bee = Hyperbee(core)
            yield bee
            assert bee.version == nr_entries + 1  # block 0 is the header
            for number in {0, nr_entries // 2, nr_entries - 1} & set(range(nr_entries)):
                entry = bee.get(b"key%d" % number)
                assert entry is not None
                assert entry.value == value

    def put_all(bee: Hyperbee) -> None:
        for number in range(nr_entries):
            bee.put(b"key%d" % number, value)

    measure(put_all, empty_bee)
