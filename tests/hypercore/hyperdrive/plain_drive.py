"""A drive as a plain dict, and random changes that are done to both."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hypercore import Corestore, Hypercore, Hyperdrive
from hypercore.errors import BlockNotAvailable
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest

Change = tuple[Any, ...]
"""The name of a change, and its arguments; a batch has changes as its only argument."""

Files = dict[str, Any]
"""For each path (data, executable), or for a link what it points to."""

PATHS = [f"/{folder}{name}" for folder in ("", "a/", "a/b/", "c/") for name in ("x", "y", "z.txt", "я")]
SIZES = (0, 1, 50, 65536, 70_000, 300_000)


def after(files: Files, change: Change) -> Files:
    """Return what a change makes of the files."""
    name, *arguments = change
    if name == "batch":
        for each in arguments[0]:
            files = after(files, each)
        return files
    path = arguments[0]
    if name == "delete":
        return {each: files[each] for each in files if each != path}
    return files | {path: arguments[1] if name == "symlink" else (arguments[1], arguments[2])}


def do(drive: Any, change: Change) -> None:
    """Do a change to a drive or a batch."""
    name, *arguments = change
    if name == "batch":
        with drive.batch() as batch:
            for each in arguments[0]:
                do(batch, each)
    elif name == "stream":
        path, data, executable = arguments
        with drive.open(path, "wb", executable=executable) as file:
            for start in range(0, len(data), 100_000):
                file.write(data[start : start + 100_000])
    elif name == "put":
        drive.put(arguments[0], arguments[1], executable=arguments[2])
    else:
        getattr(drive, name)(*arguments)


def random_change(chance: random.Random, *, in_batch: bool = False) -> Change:
    """Return a change: mostly puts."""
    kind = chance.randrange(10)
    path = chance.choice(PATHS)
    if kind == 0 and not in_batch:
        return ("batch", [random_change(chance, in_batch=True) for _ in range(chance.randrange(6))])
    if kind == 1:
        return ("symlink", path, chance.choice(PATHS))
    if kind in (2, 3):
        return ("delete", path)
    data = chance.randbytes(chance.choice(SIZES))
    if kind == 4 and not in_batch:
        return ("stream", path, data, False)
    return ("put", path, data, chance.random() < 0.2)


def files_of(drive: Any) -> Files:
    """Return everything that a drive, or a checkout, has."""
    return {
        entry.path: entry.linkname if entry.linkname is not None else (drive.get(entry), entry.executable)
        for entry in drive.list()
    }


def changes(path: str, chance: random.Random) -> Iterator[None]:
    """Open the drive in a directory and do random changes to it, one for each step."""
    drive = Hyperdrive(Corestore(path))
    while True:
        do(drive, random_change(chance))
        yield


def missing_for(read: Callable[[], object]) -> BlockNotAvailable | None:
    """Return what a read lacks, None if it has everything."""
    try:
        read()
    except BlockNotAvailable as missing:
        return missing
    return None


def fetch_for(source: Hyperdrive, target: Hyperdrive, read: Callable[[], object]) -> list[tuple[str, int]]:
    """Copy each block that a read of a copy asks for, as often as it does; return which those were."""
    fetched: list[tuple[str, int]] = []
    while (missing := missing_for(read)) is not None:
        name = "db" if missing.key == source.key else "blobs"
        assert (name, missing.index) not in fetched
        fetched.append((name, missing.index))
        cores = (source.core, target.core) if name == "db" else (source.blobs.core, target.blobs.core)
        copy_core(*cores, [missing.index])
    return fetched


def copy_core(source: Hypercore, target: Hypercore, blocks: Iterable[int] | None = None) -> None:
    """Copy a core, or only its length and some blocks of it, as a peer would."""
    target.apply_proof(source.proof(ProofRequest(upgrade=UpgradeRequest(0, source.length))))
    for index in range(source.length) if blocks is None else blocks:
        nodes = target.missing_nodes(2 * index)
        target.apply_proof(source.proof(ProofRequest(block=NodeRequest(index, nodes))))
