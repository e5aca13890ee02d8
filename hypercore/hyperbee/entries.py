"""What reads of a Hyperbee return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(slots=True)
class Entry:
    """A key with its value; ``seq`` is the block that holds them."""

    seq: int
    key: Any
    value: Any


@dataclass(slots=True)
class Difference:
    """A key that is not the same in two versions: its entry in each, None where the key is not."""

    left: Entry | None
    right: Entry | None


@dataclass(slots=True)
class HistoryEntry:
    """One operation: a put with its value, or a del, whose value is None."""

    type: Literal["put", "del"]
    seq: int
    key: Any
    value: Any
