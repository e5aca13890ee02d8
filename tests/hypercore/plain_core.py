"""A core as a plain list, and random changes that are done to both."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hypercore import Hypercore

Change = tuple[Any, ...]
"""The name of a method of Hypercore, and its arguments."""


@dataclass(frozen=True)
class PlainCore:
    """What a core should be: its blocks, None where one was cleared, and its fork."""

    blocks: tuple[bytes | None, ...] = ()
    fork: int = 0

    @classmethod
    def of(cls, core: Hypercore) -> PlainCore:
        """Return what a core is."""
        blocks = (core.get(index) if core.has(index) else None for index in range(core.length))
        return cls(tuple(blocks), core.fork)

    def after(self, change: Change) -> PlainCore:
        """Return what a change makes of it."""
        name, *arguments = change
        blocks = self.blocks
        if name == "append":
            return replace(self, blocks=blocks + tuple(arguments[0]))
        if name == "truncate":
            return PlainCore(blocks[: arguments[0]], self.fork + 1)
        start, end = arguments
        cleared = (None,) * len(blocks[start:end])
        return replace(self, blocks=blocks[:start] + cleared + blocks[end:])


def do(core: Hypercore, change: Change) -> None:
    """Do a change to a core."""
    name, *arguments = change
    getattr(core, name)(*arguments)


def random_change(chance: random.Random, length: int) -> Change:
    """Return a change to a core of ``length`` blocks: mostly appends, of one block or several."""
    kind = chance.randrange(10)
    if kind < 7 or not length:
        count = chance.choice((1, 1, 7))
        return ("append", [chance.randbytes(chance.randrange(40)) for _ in range(count)])
    if kind == 7:
        return ("truncate", chance.choice((0, max(0, length - 1), chance.randrange(length + 1))))
    start = chance.randrange(length)
    return ("clear", start, min(length, start + chance.choice((1, 3, 30))))


def changes(path: str, chance: random.Random) -> Iterator[None]:
    """Open the core in a directory and do random changes to it, one for each step."""
    core = Hypercore(path)
    while True:
        do(core, random_change(chance, core.length))
        yield
