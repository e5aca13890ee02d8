"""What a commit tells of a core that it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Change:
    """The blocks that a commit stored and removed, each range as its first block and the one behind its last.

    What else changed (length, fork, manifest) is seen on the core.
    """

    stored: Sequence[tuple[int, int]] = ()
    removed: Sequence[tuple[int, int]] = ()
