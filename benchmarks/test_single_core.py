"""Experiments with a single Hypercore, on disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.experiments import sizes
from benchmarks.measuring import Measure
from hypercore import Corestore, Hypercore

block_sizes = sizes(
    {"nr_blocks": 10, "block_byte_size": 100},
    {"nr_blocks": 1_000, "block_byte_size": 100},
    {"nr_blocks": 10_000, "block_byte_size": 1_000},
)


def check_blocks(core: Hypercore, nr_blocks: int, block: bytes) -> None:
    """Fail unless the core holds that many blocks and the first, middle and last are right."""
    assert core.length == nr_blocks
    for index in {0, nr_blocks // 2, nr_blocks - 1} & set(range(nr_blocks)):
        assert core.get(index) == block


@block_sizes
def test_read(measure: Measure, nr_blocks: int, block_byte_size: int) -> None:
    """Read the blocks of a Hypercore from disk, one at a time."""
    block = b"a" * block_byte_size

    @contextmanager
    def full_core(directory: Path) -> Iterator[Hypercore]:
        with Corestore(directory) as store:
            core = store.get(name="core")
            for _ in range(nr_blocks):
                core.append(block)
            yield core
            check_blocks(core, nr_blocks, block)

    def get_all(core: Hypercore) -> None:
        for index in range(nr_blocks):
            core.get(index)

    measure(get_all, full_core)


@block_sizes
def test_write(measure: Measure, nr_blocks: int, block_byte_size: int) -> None:
    """Append blocks to a Hypercore on disk, one at a time."""
    block = b"a" * block_byte_size

    @contextmanager
    def empty_core(directory: Path) -> Iterator[Hypercore]:
        with Corestore(directory) as store:
            core = store.get(name="core")
            yield core
            check_blocks(core, nr_blocks, block)

    def append_all(core: Hypercore) -> None:
        for _ in range(nr_blocks):
            core.append(block)

    measure(append_all, empty_core)
