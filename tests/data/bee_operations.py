"""The operations and questions of bee.json, on our Hyperbee. README.md explains the fields."""

from typing import Any

from hypercore import Hyperbee, Hypercore
from hypercore.hyperbee.blocks import Metadata
from hypercore.hyperbee.entries import Entry, HistoryEntry

OPTION_NAMES = {
    "keyEncoding": "key_encoding",
    "valueEncoding": "value_encoding",
    "alwaysDuplicate": "always_duplicate",
}

COMPARE_AND_SWAP = {
    "never": lambda previous, new: False,
    "always": lambda previous, new: True,
    "changed": lambda previous, new: previous.value != new.value,
}


def open_bee(core: Hypercore, options: dict[str, Any] | None = None) -> Hyperbee:
    """Open a bee with the constructor options of a case."""
    given = {OPTION_NAMES[name]: value for name, value in (options or {}).items() if name in OPTION_NAMES}
    metadata = (options or {}).get("metadata")
    if metadata is not None:
        metadata = Metadata(raw(metadata.get("contentFeed")), raw(metadata.get("userData")))
    return Hyperbee(core, metadata=metadata, **given)


def bee_of_blocks(blocks: list[str]) -> Hyperbee:
    """Open a bee on a new core, in memory, that has these blocks."""
    core = Hypercore()
    core.append([bytes.fromhex(block) for block in blocks])
    return Hyperbee(core)


def blocks_of(core: Hypercore) -> list[str]:
    """Return all blocks in hex."""
    return [block.hex() for block in core.read_stream()]


def open_sub(bee: Any, path: list[dict[str, str]]) -> Any:
    for step in path:
        prefix = bytes.fromhex(step["prefixHex"]) if "prefixHex" in step else step["prefix"]
        bee = bee.sub(prefix, separator=bytes.fromhex(step.get("sep", "00")))
    return bee


def apply(target: Any, operation: dict[str, Any]) -> None:
    """Do one operation to a bee or a batch."""
    kind = operation["op"]
    if kind == "batch":
        batch = target.batch()
        for each in operation["ops"]:
            apply(batch, each)
        getattr(batch, operation.get("end", "flush"))()
    elif kind == "parallel":
        for each in operation["ops"]:
            apply(target, each)
    else:
        _apply_single(open_sub(target, operation.get("sub", [])), kind, operation)


def _apply_single(target: Any, kind: str, operation: dict[str, Any]) -> None:
    key = operation["k"] if "k" in operation else raw(operation["key"])
    cas = COMPARE_AND_SWAP.get(operation.get("cas", ""))
    if kind == "put":
        target.put(key, operation["v"] if "k" in operation else raw(operation["value"]), cas=cas)
    elif kind == "del":
        target.delete(key, cas=cas)
    else:
        target.get(key)


def answer(bee: Hyperbee, query: dict[str, Any]) -> Any:
    """Return what the bee says to a question, written as in the recorded results."""
    view = open_sub(bee.checkout(query["version"]) if "version" in query else bee, query.get("sub", []))
    return ANSWERS[query["q"]](view, query)


def _bounds(query: dict[str, Any]) -> dict[str, Any]:
    return {name: raw(value) if isinstance(value, str) else value for name, value in query["opts"].items()}


def _entry(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    return {"seq": entry.seq, "key": entry.key.hex(), "value": _hex(entry.value)}


def _operation(entry: HistoryEntry) -> dict[str, Any]:
    return {"type": entry.type, "seq": entry.seq, "key": entry.key.hex(), "value": _hex(entry.value)}


def _by_seq(bee: Hyperbee, query: dict[str, Any]) -> dict[str, Any]:
    entry = bee.get_by_seq(query["seq"])
    return {"key": entry.key.hex(), "value": entry.value.hex()}


def _diff(bee: Hyperbee, query: dict[str, Any]) -> list[dict[str, Any]]:
    found = bee.diff(query["right"], **_bounds(query))
    return [{"left": _entry(each.left), "right": _entry(each.right)} for each in found]


ANSWERS = {
    "version": lambda bee, query: bee.version,
    "get": lambda bee, query: _entry(bee.get(raw(query["key"]))),
    "peek": lambda bee, query: _entry(bee.peek(**_bounds(query))),
    "range": lambda bee, query: [_entry(entry) for entry in bee.items(**_bounds(query))],
    "history": lambda bee, query: [_operation(each) for each in bee.history(**query["opts"])],
    "bySeq": _by_seq,
    "diff": _diff,
}


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def raw(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)
