"""The Python side of the comparison: does one operation and prints how long it took.

    python -m benchmarks.peers.ours OPERATION DIRECTORY BLOCKS BLOCK_SIZE

reference.mjs is its counterpart. Another operation is one more function in each, its name in OPERATIONS, and
its sizes in experiments.py.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any, TypeVar

from hypercore import Corestore, Hyperbee, Hypercore, Hyperdrive

_BATCH = 100

# A prime, so that i * _STRIDE % count meets every key once, whatever the count (but a multiple of it).
_STRIDE = 7919

T = TypeVar("T")


class Work:
    """The data of one run. Only what goes through ``timed`` counts.

    Attributes:
        seconds: how long that took, None before.
    """

    def __init__(self, directory: str, count: int, block_size: int) -> None:
        self.directory = directory
        self.count = count
        self.block = b"a" * block_size
        self.value = "a" * block_size
        self.seconds: float | None = None

    def timed(self, run: Callable[[], T]) -> T:
        """Call ``run``, keep how long it took, and return its result."""
        start = perf_counter()
        result = run()
        self.seconds = perf_counter() - start
        return result

    @contextmanager
    def core(self) -> Iterator[Hypercore]:
        """Open the core; the same one every time."""
        with Corestore(self.directory, primary_key=b"\x01" * 32) as store:
            yield store.get(name="core")

    @contextmanager
    def drive(self) -> Iterator[Hyperdrive]:
        """Open the drive; the same one every time."""
        with Corestore(self.directory, primary_key=b"\x01" * 32) as store, Hyperdrive(store) as drive:
            yield drive

    def append_all(self, core: Hypercore) -> None:
        """Append all blocks, one at a time."""
        for _ in range(self.count):
            core.append(self.block)

    def append_batches(self, core: Hypercore) -> None:
        """Append all blocks, in batches."""
        for done in range(0, self.count, _BATCH):
            core.append([self.block] * min(_BATCH, self.count - done))

    def get_blocks(self, core: Hypercore) -> int:
        """Get all blocks, one at a time, and return how many bytes they have."""
        size = 0
        for i in range(self.count):
            size += len(core.get(i))
        return size

    def put_all(self, bee: Hyperbee) -> None:
        """Put all entries, one at a time."""
        for i in range(self.count):
            bee.put(f"key{i}", self.value)

    def put_batches(self, bee: Hyperbee) -> None:
        """Put all entries, in batches."""
        for done in range(0, self.count, _BATCH):
            with bee.batch() as batch:
                for i in range(done, min(done + _BATCH, self.count)):
                    batch.put(f"key{i}", self.value)

    def get_all(self, bee: Hyperbee) -> int:
        """Get all entries in the order they were put, and return how many characters their values have."""
        return self._get_entries(bee, range(self.count))

    def get_shuffled(self, bee: Hyperbee) -> int:
        """Get all entries in another order, the same every time; see get_all."""
        return self._get_entries(bee, (i * _STRIDE % self.count for i in range(self.count)))

    def _get_entries(self, bee: Hyperbee, numbers: Iterable[int]) -> int:
        characters = 0
        for i in numbers:
            entry = bee.get(f"key{i}")
            if entry is None:
                raise LookupError(f"key{i} is not in the bee")
            characters += len(entry.value)
        return characters

    def put_files(self, drive: Hyperdrive) -> None:
        """Put all files, one at a time."""
        for i in range(self.count):
            drive.put(f"/file{i}", self.block)

    def put_file_batches(self, drive: Hyperdrive) -> None:
        """Put all files, in batches."""
        for done in range(0, self.count, _BATCH):
            with drive.batch() as batch:
                for i in range(done, min(done + _BATCH, self.count)):
                    batch.put(f"/file{i}", self.block)

    def get_files(self, drive: Hyperdrive) -> int:
        """Get all files in the order they were put, and return how many bytes they have."""
        size = 0
        for i in range(self.count):
            data = drive.get(f"/file{i}")
            if data is None:
                raise LookupError(f"/file{i} is not in the drive")
            size += len(data)
        return size


Outcome = dict[str, Any]
"""What a run has to agree on with the other side."""


def _describe(core: Hypercore) -> Outcome:
    return {"length": core.length, "byteLength": core.byte_length, "treeHash": core.tree_hash().hex()}


def append(work: Work) -> Outcome:
    """Append blocks one at a time."""
    with work.core() as core:
        work.timed(lambda: work.append_all(core))
        return _describe(core)


def append_batch(work: Work) -> Outcome:
    """Append blocks in batches of 100."""
    with work.core() as core:
        work.timed(lambda: work.append_batches(core))
        return _describe(core)


def get(work: Work) -> Outcome:
    """Get blocks one at a time, from the open store they were just appended to."""
    with work.core() as core:
        work.append_all(core)
        return {"bytesRead": work.timed(lambda: work.get_blocks(core)), **_describe(core)}


def _reopened(work: Work, read: Callable[[Hypercore], int]) -> Outcome:
    """Time ``read``, which returns the bytes it read, on a core that was filled, closed and opened again."""
    with work.core() as core:
        work.append_batches(core)
    with work.core() as core:
        return {"bytesRead": work.timed(lambda: read(core)), **_describe(core)}


def get_reopened(work: Work) -> Outcome:
    """Get blocks one at a time, from a store that was closed and opened again."""
    return _reopened(work, work.get_blocks)


def stream(work: Work) -> Outcome:
    """Iterate over all blocks, from a store that was closed and opened again."""
    return _reopened(work, lambda core: sum(len(block) for block in core.read_stream()))


def get_many(work: Work) -> Outcome:
    """Get all blocks at once, from a store that was closed and opened again."""
    return _reopened(work, lambda core: sum(map(len, core.get_many(range(work.count)))))


def _bee(core: Hypercore) -> Hyperbee:
    return Hyperbee(core, key_encoding="utf-8", value_encoding="utf-8")


def bee_put(work: Work) -> Outcome:
    """Put entries into a Hyperbee one at a time."""
    with work.core() as core:
        bee = _bee(core)
        work.timed(lambda: work.put_all(bee))
        return _describe(core)


def bee_batch(work: Work) -> Outcome:
    """Put entries into a Hyperbee in batches of 100."""
    with work.core() as core:
        bee = _bee(core)
        work.timed(lambda: work.put_batches(bee))
        return _describe(core)


def bee_get(work: Work) -> Outcome:
    """Get the entries of a Hyperbee one at a time, for the second time since they were put there."""
    with work.core() as core:
        bee = _bee(core)
        work.put_all(bee)
        work.get_all(bee)
        return {"charactersRead": work.timed(lambda: work.get_all(bee)), **_describe(core)}


def _reopened_bee(work: Work, read: Callable[[Hyperbee], int]) -> Outcome:
    """Time ``read``, which returns the characters it read, on a bee that was filled and opened again."""
    with work.core() as core:
        work.put_batches(_bee(core))
    with work.core() as core:
        bee = _bee(core)
        return {"charactersRead": work.timed(lambda: read(bee)), **_describe(core)}


def bee_get_cold(work: Work) -> Outcome:
    """Get the entries of a Hyperbee one at a time, shuffled, from a store opened again."""
    return _reopened_bee(work, work.get_shuffled)


def bee_scan(work: Work) -> Outcome:
    """Iterate over all entries of a Hyperbee, from a store that was closed and opened again."""
    return _reopened_bee(work, lambda bee: sum(len(entry.value) for entry in bee.items()))


def _describe_drive(drive: Hyperdrive) -> Outcome:
    blobs = drive.blobs.core
    return {"blobsTreeHash": blobs.tree_hash().hex(), **_describe(drive.core)}


def drive_put(work: Work) -> Outcome:
    """Put files into a Hyperdrive one at a time."""
    with work.drive() as drive:
        work.timed(lambda: work.put_files(drive))
        return _describe_drive(drive)


def drive_batch(work: Work) -> Outcome:
    """Put files into a Hyperdrive in batches of 100."""
    with work.drive() as drive:
        work.timed(lambda: work.put_file_batches(drive))
        return _describe_drive(drive)


def drive_get(work: Work) -> Outcome:
    """Get the files of a Hyperdrive one at a time, for the second time since they were put there."""
    with work.drive() as drive:
        work.put_file_batches(drive)
        work.get_files(drive)
        return {"bytesRead": work.timed(lambda: work.get_files(drive)), **_describe_drive(drive)}


def _reopened_drive(work: Work, read: Callable[[Hyperdrive], int]) -> Outcome:
    """Time ``read``, which returns how much it read, on a drive that was filled and opened again."""
    with work.drive() as drive:
        work.put_file_batches(drive)
    with work.drive() as drive:
        return {"read": work.timed(lambda: read(drive)), **_describe_drive(drive)}


def drive_get_reopened(work: Work) -> Outcome:
    """Get the files of a Hyperdrive one at a time, from a store that was closed and opened again."""
    return _reopened_drive(work, work.get_files)


def drive_list(work: Work) -> Outcome:
    """List all files of a Hyperdrive, from a store that was closed and opened again."""
    return _reopened_drive(work, lambda drive: sum(len(entry.path) for entry in drive.list()))


OPERATIONS: dict[str, Callable[[Work], Outcome]] = {
    operation.__name__: operation
    for operation in (
        append,
        append_batch,
        get,
        get_reopened,
        stream,
        get_many,
        bee_put,
        bee_batch,
        bee_get,
        bee_get_cold,
        bee_scan,
        drive_put,
        drive_batch,
        drive_get,
        drive_get_reopened,
        drive_list,
    )
}
"""What can be compared, by name; the docstrings say what is timed."""


def main(arguments: list[str]) -> None:
    """Run what the command line says."""
    operation, directory, count, block_size = arguments
    work = Work(directory, int(count), int(block_size))
    outcome = OPERATIONS[operation](work)
    print(json.dumps({"seconds": work.seconds, "outcome": outcome}))


if __name__ == "__main__":
    main(sys.argv[1:])
