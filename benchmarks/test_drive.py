"""Experiments with Hyperdrive, the file system."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.experiments import sizes
from benchmarks.measuring import Measure
from hypercore import Corestore, Hyperdrive

CASES = (
    {"nr_files": 10, "file_byte_size": 100},
    {"nr_files": 1_000, "file_byte_size": 1_000},
    {"nr_files": 10, "file_byte_size": 1_000_000},
)
MANY_FILES = (
    {"nr_files": 10, "file_byte_size": 100},
    {"nr_files": 1_000, "file_byte_size": 100},
    {"nr_files": 10_000, "file_byte_size": 100},
)


def path_of(number: int) -> str:
    """The path of a file, a hundred of them in each folder."""
    return f"/folder{number // 100}/file{number}"


def put_all(drive: Hyperdrive, nr_files: int, data: bytes) -> None:
    """Put the files, one at a time."""
    for number in range(nr_files):
        drive.put(path_of(number), data)


@dataclass
class Reading:
    """A drive that nothing was read from yet, and the sizes of the files that were."""

    drive: Hyperdrive
    byte_sizes: list[int] = field(default_factory=list)


def reopened_drive(nr_files: int, file_byte_size: int) -> Callable[[Path], AbstractContextManager[Reading]]:
    """What gives a drive that was filled, closed and opened again, and fails unless all of it was read."""

    @contextmanager
    def given(directory: Path) -> Iterator[Reading]:
        with Corestore(directory) as store, Hyperdrive(store) as drive, drive.batch() as batch:
            for number in range(nr_files):
                batch.put(path_of(number), b"a" * file_byte_size)
        with Corestore(directory) as store, Hyperdrive(store) as drive:
            reading = Reading(drive)
            yield reading
            assert reading.byte_sizes == [file_byte_size] * nr_files

    return given


@sizes(*CASES, title="Drive Write Hyperdrive experiment")
def test_drive_write(measure: Measure, nr_files: int, file_byte_size: int) -> None:
    """Put files into a Hyperdrive, one at a time."""
    data = b"a" * file_byte_size

    @contextmanager
    def empty_drive(directory: Path) -> Iterator[Hyperdrive]:
        with Corestore(directory) as store, Hyperdrive(store) as drive:
            yield drive
            assert drive.version == nr_files + 1  # block 0 is the header
            for number in {0, nr_files // 2, nr_files - 1} & set(range(nr_files)):
                assert drive.get(path_of(number)) == data

    measure(lambda drive: put_all(drive, nr_files, data), empty_drive)


@sizes(*CASES, title="Drive Get Hyperdrive experiment")
def test_drive_get(measure: Measure, nr_files: int, file_byte_size: int) -> None:
    """Get the files of a reopened Hyperdrive, one at a time."""

    def get_all(reading: Reading) -> None:
        for number in range(nr_files):
            data = reading.drive.get(path_of(number))
            assert data is not None
            reading.byte_sizes.append(len(data))

    measure(get_all, reopened_drive(nr_files, file_byte_size))


@sizes(*MANY_FILES)
def test_drive_list(measure: Measure, nr_files: int, file_byte_size: int) -> None:
    """List all files of a reopened Hyperdrive in the order of their paths."""

    def list_all(reading: Reading) -> None:
        for entry in reading.drive.list():
            assert entry.blob is not None
            reading.byte_sizes.append(entry.blob.byte_length)

    measure(list_all, reopened_drive(nr_files, file_byte_size))


@sizes(*CASES)
def test_drive_mirror(measure: Measure, nr_files: int, file_byte_size: int) -> None:
    """Mirror a reopened Hyperdrive to an empty folder on disk."""

    @contextmanager
    def drive_and_folder(directory: Path) -> Iterator[tuple[Reading, Path]]:
        folder = directory / "mirror"
        with reopened_drive(nr_files, file_byte_size)(directory / "drive") as reading:
            yield reading, folder
            reading.byte_sizes.extend(file.stat().st_size for file in folder.rglob("file*"))

    def mirror(given: tuple[Reading, Path]) -> None:
        reading, folder = given
        reading.drive.mirror(folder)

    measure(mirror, drive_and_folder)
