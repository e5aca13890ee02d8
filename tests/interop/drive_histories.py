"""Random histories of a Hyperdrive, in the form that both sides execute."""

from collections.abc import Set
from random import Random
from typing import Any

from tests.data.drive_operations import data_of
from tests.interop.histories import random_json

FORMS = ("{}", "{}", "{}", "{}/", "./{}", "x/..{}", "//{}", "C:{}")
NAMES = ("a", "b", "a.txt", "a0", "-", "я", "é", "e\u0301", " ", "🫐", "...")
WRONG = ("/", "", "..", "/a/../..", ".")
SIZES = (0, 1, 5, 100, 65535, 65536, 65537, 200_000)
LINKS = ("/a", "b", "../a.txt", "/nowhere", "../../..", "a/../b", ".")


def random_history(random: Random) -> list[dict[str, Any]]:
    """Return 60 operations on few paths: puts, deletes, links, streams, batches, some that are refused."""
    paths = random_paths(random)
    operations: list[dict[str, Any]] = []
    while len(operations) < 60:
        kind = random.random()
        if kind < 0.12:
            operations.append(_batch(random, paths))
        elif kind < 0.2:
            operations.append(_stream(random, paths))
        elif kind < 0.23:
            path = random.choice(WRONG)
            operations.append({"op": "put", "path": path, "data": _data(random)})
        else:
            operations.append(_operation(random, paths))
    return operations


def random_paths(random: Random) -> list[str]:
    """Return normal paths, some of which are below others."""
    return ["".join(f"/{random.choice(NAMES)}" for _ in range(random.randint(1, 4))) for _ in range(12)]


def random_questions(random: Random, operations: list[dict[str, Any]], versions: list[int]) -> list[Any]:
    """Return questions about all and about random files, also at earlier versions; none before the header."""
    flat = [each for operation in operations for each in operation.get("ops", [operation])]
    paths = sorted({each["path"] for each in flat})
    questions: list[dict[str, Any]] = [
        {"q": "list"},
        {"q": "entries"},
        {"q": "version"},
        {"q": "blobsLength"},
    ]
    for path in paths:
        questions += [{"q": kind, "path": path} for kind in ("entry", "exists", "get")]
        questions += [{"q": kind, "path": path, "opts": {"follow": True}} for kind in ("entry", "get")]
        folder = path.rpartition("/")[0]
        questions.append({"q": "list", "folder": folder, "opts": {"reverse": random.random() < 0.5}})
    for version in random.sample(versions, min(8, len(versions))):
        questions.append({"q": "list", "version": version})
        questions.append({"q": "get", "path": random.choice(paths), "version": version})
        questions.append({"q": "blobsLength", "at": version})
        right, folder = random.choice(versions), random.choice(paths).rpartition("/")[0]
        questions.append({"q": "diff", "version": version, "right": right, "folder": folder})
    return questions


def random_ranges(random: Random, sizes: dict[str, int], mapped: Set[str]) -> list[dict[str, Any]]:
    """Return questions about parts of files, given their sizes and which of them have a map.

    Nobody asks for what begins at the end of a file with a map: there the reference fails.
    """
    questions = []
    for path, size in sizes.items():
        last = size - 1 if path in mapped else size
        if last < 0:
            continue
        start = random.randint(0, last)
        options = random.choice(
            ({"start": start}, {"start": start, "length": random.randint(0, size - start)})
        )
        questions.append({"q": random.choice(("get", "read")), "path": path, "opts": options})
    return questions


def _operation(random: Random, paths: list[str]) -> dict[str, Any]:
    path = random.choice(FORMS).format(random.choice(paths))
    kind = random.random()
    if kind < 0.25:
        return {"op": "del", "path": path}
    if kind < 0.4:
        operation = {"op": "symlink", "path": path, "link": random.choice((*LINKS, *paths))}
        return operation | ({"metadata": random_json(random)} if random.random() < 0.3 else {})
    return {"op": "put", "path": path, "data": _data(random)} | _options(random)


def _stream(random: Random, paths: list[str]) -> dict[str, Any]:
    chunks = [_data(random) for _ in range(random.choice((0, 1, 3, 20)))]
    while chunks and not data_of(chunks[-1]):
        chunks.pop()  # streams of the reference lose empty chunks at their end
    operation = {"op": "write", "path": random.choice(paths), "chunks": chunks} | _options(random)
    # The reference cannot read a block map of nothing.
    return operation | ({"dedup": True} if chunks and random.random() < 0.5 else {})


def _batch(random: Random, paths: list[str]) -> dict[str, Any]:
    operations = [_operation(random, paths) for _ in range(random.choice((0, 1, 3, 20)))]
    return {"op": "batch", "ops": operations, "end": "close" if random.random() < 0.2 else "flush"}


def _data(random: Random) -> dict[str, Any]:
    if random.random() < 0.5:
        return {"hex": random.randbytes(random.randint(0, 40)).hex()}
    return {"gen": [random.choice(SIZES), random.randrange(256), random.randrange(256)]}


def _options(random: Random) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if random.random() < 0.2:
        options["executable"] = True
    if random.random() < 0.2:
        options["metadata"] = random_json(random)
    return options
