"""The operations and questions of drive.json, on our Hyperdrive. README.md explains the fields."""

from hashlib import sha256
from typing import Any

from hypercore import Corestore, Hyperdrive
from hypercore.errors import BadArgument
from hypercore.hyperdrive import DriveDifference, DriveEntry
from hypercore.manifest import Manifest

LONG = 512


def show(data: bytes | None) -> Any:
    """Return bytes in hex; long ones only as their hash."""
    if data is None or len(data) <= LONG:
        return None if data is None else data.hex()
    return {"sha256": sha256(data).hexdigest(), "length": len(data)}


def data_of(given: dict[str, Any]) -> bytes:
    """Return the data that an operation describes."""
    if "hex" in given:
        return bytes.fromhex(given["hex"])
    length, a, b = given["gen"]
    return bytes((a * i + b) % 256 for i in range(length))


def open_drive(case: dict[str, Any]) -> Hyperdrive:
    """Open the drive of a case in a new store in memory."""
    store = Corestore(primary_key=bytes.fromhex(case["primaryKey"]))
    if "namespace" in case:
        store = store.namespace(case["namespace"])
    old = case.get("old")
    key = None
    if old == {"compat": False, "manifestVersion": 0}:
        key_pair = store.create_key_pair("db")
        key = store.get(manifest=Manifest.for_key(key_pair.public_key, 0), key_pair=key_pair).key
    encryption_key = bytes.fromhex(case["encryptionKey"]) if "encryptionKey" in case else None
    return Hyperdrive(store, key, encryption_key=encryption_key, compat=old == {})


def apply(drive: Any, operation: dict[str, Any]) -> None:
    """Do one operation to a drive or a batch."""
    kind, path = operation["op"], operation.get("path", "")
    options: dict[str, Any] = {
        name: operation[name] for name in ("executable", "metadata") if name in operation
    }
    if kind == "put":
        drive.put(path, data_of(operation["data"]), **options)
    elif kind == "symlink":
        drive.symlink(path, operation["link"], **options)
    elif kind == "del":
        drive.delete(path)
    elif kind == "putEntry":
        drive.put_entry(path, **operation["entry"])
    elif kind == "truncate":
        drive.truncate(operation["version"])
    elif kind == "write":
        _write(drive, path, operation, options)
    else:
        batch = drive.batch()
        for each in operation["ops"]:
            apply(batch, each)
        getattr(batch, operation.get("end", "flush"))()


def _write(drive: Hyperdrive, path: str, operation: dict[str, Any], options: dict[str, Any]) -> None:
    """Store chunks as they are; a file object would cut them."""
    dedup = operation.get("dedup", False)
    known = drive.entry(path)
    with drive.blobs.writer(dedup=dedup, known=None if known is None else known.blob) as writer:
        for chunk in operation["chunks"]:
            writer.write(data_of(chunk))
    drive.put_entry(path, blob=writer.id, **options)


def apply_as_the_reference(drive: Hyperdrive, operation: dict[str, Any]) -> bool:
    """Do one operation, and leave behind what only the reference does; return whether it was refused.

    The reference has stored the data by the time it sees that a path is wrong, or that a batch is closed.
    """
    try:
        apply(drive, operation)
    except BadArgument:
        drive.blobs.put(data_of(operation["data"]))
        return True
    if operation.get("end") == "close":
        for each in operation["ops"]:
            if each["op"] == "put":
                drive.blobs.put(data_of(each["data"]))
    return False


def state_of(drive: Hyperdrive) -> dict[str, int]:
    """Return the lengths of both cores."""
    blobs = drive.blobs.core
    return {"db": drive.core.length, "blobs": blobs.length, "blobBytes": blobs.byte_length}


def describe(drive: Hyperdrive) -> dict[str, Any]:
    """Return all that is stored of both cores."""
    blobs = drive.blobs.core
    return {
        "dbBlocks": [block.hex() for block in drive.core.read_stream()],
        "blobBlocks": [show(block) for block in blobs.read_stream()],
        "dbTreeHash": drive.core.tree_hash().hex(),
        "blobsTreeHash": blobs.tree_hash().hex(),
    }


def answer(drive: Hyperdrive, query: dict[str, Any]) -> Any:
    """Return what the drive says to a question, written as in the recorded results."""
    view = drive.checkout(query["version"]) if "version" in query else drive
    return ANSWERS[query["q"]](view, query)


def _range(query: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a read; the end of the reference is the last byte, and a length wins over it."""
    options = dict(query.get("opts", {}))
    if "end" in options:
        options.setdefault("length", options["end"] + 1 - options.get("start", 0))
        del options["end"]
    return options


def _entry(entry: DriveEntry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    value = {
        "executable": entry.executable,
        "linkname": entry.linkname,
        "blob": None if entry.blob is None else entry.blob.as_json(),
        "metadata": entry.metadata,
    }
    return {"seq": entry.seq, "key": entry.path, "value": value}


def _brief(entry: DriveEntry | None) -> dict[str, Any] | None:
    return None if entry is None else {"seq": entry.seq, "key": entry.path}


def _difference(found: DriveDifference) -> dict[str, Any]:
    return {"left": _brief(found.left), "right": _brief(found.right)}


def _folder(query: dict[str, Any]) -> str:
    return str(query.get("folder", "/"))


def _read(drive: Any, query: dict[str, Any]) -> list[Any]:
    return [show(piece) for piece in drive.read_stream(query["path"], **_range(query))]


ANSWERS = {
    "version": lambda drive, query: drive.version,
    "blobsLength": lambda drive, query: drive.blobs_length(query.get("at")),
    "get": lambda drive, query: show(drive.get(query["path"], **_range(query))),
    "entry": lambda drive, query: _entry(drive.entry(query["path"], **query.get("opts", {}))),
    "exists": lambda drive, query: drive.exists(query["path"]),
    "list": lambda drive, query: [
        _brief(each) for each in drive.list(_folder(query), **query.get("opts", {}))
    ],
    "readdir": lambda drive, query: list(drive.readdir(_folder(query))),
    "entries": lambda drive, query: [
        _brief(each) for each in drive.entries(**query.get("range", {}), **query.get("opts", {}))
    ],
    "diff": lambda drive, query: [_difference(each) for each in drive.diff(query["right"], _folder(query))],
    "read": _read,
}
