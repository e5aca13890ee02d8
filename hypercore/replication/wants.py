"""What the application wants of a core that is not stored here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from weakref import WeakKeyDictionary

from hypercore.core import CoreState
from hypercore.core.changes import Change


class Want:
    """Something that is wanted until it is there, fails, or is given up.

    Attributes:
        error: why it failed.
        is_done: whether it is over, in whatever way.
        on_change: called when there is something new of it.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self.error: Exception | None = None
        self.is_done = False
        self.on_change = on_change

    def finish(self, error: Exception | None = None) -> None:
        """End it, and tell who waits; ending it twice is fine."""
        if not self.is_done:
            self.is_done = True
            self.error = error
            self.on_change()


class Download(Want):
    """The blocks from ``start`` up to, not including, ``end``.

    Args:
        core: whose blocks they are.
        start: the first block.
        end: the one behind the last; None follows the core as it grows, and has no end.
        linear: whether they are asked for in their order, from every peer.
        on_change: called when blocks of it arrive, and at its end.

    Attributes:
        blocks: how many of its blocks are here.
        generation: changes whenever blocks that were asked for have to be asked for again.
    """

    def __init__(
        self,
        core: CoreState,
        start: int,
        end: int | None,
        *,
        linear: bool = False,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(on_change)
        self._core = core
        self.start = start
        self.end = end
        self.linear = linear
        self.generation = 0
        self.blocks = self._count()
        self._check()

    @property
    def stop(self) -> int:
        """The block behind the last that is wanted now."""
        length = self._core.tree.length
        return length if self.end is None else min(self.end, length)

    @property
    def total(self) -> int:
        """How many blocks it has; one without an end has those of the core as it is now."""
        return max((self._core.tree.length if self.end is None else self.end) - self.start, 0)

    def changed(self, change: Change) -> None:
        """Take note of a change of the core."""
        if change.removed:
            self.blocks = self._count()
            self.generation += 1
        else:
            added = sum(
                max(min(end, self.total + self.start) - max(start, self.start), 0)
                for start, end in change.stored
            )
            if not added:
                return
            self.blocks += added
        self._check()
        if not self.is_done:
            self.on_change()

    def _check(self) -> None:
        # Blocks that come twice would be counted twice: the core has the last word.
        if self.end is not None and self.blocks >= self.total:
            self.blocks = self._count()
            if self.blocks >= self.total:
                self.finish()

    def _count(self) -> int:
        """Return how many of its blocks are stored."""
        count, stop = 0, self.stop
        for start, end in self._core.stored_ranges(self.start):
            if start >= stop:
                break
            count += min(end, stop) - max(start, self.start)
        return count


class Block(Want):
    """One block, before all others."""

    def __init__(self, index: int, on_change: Callable[[], None] = lambda: None) -> None:
        super().__init__(on_change)
        self.index = index


class Seek(Want):
    """The tree nodes that lead to a byte offset, ``padding`` bytes of every block not counted.

    Attributes:
        failed: whom it was asked of in vain, and what of their news was known then.
    """

    def __init__(self, offset: int, padding: int, on_change: Callable[[], None] = lambda: None) -> None:
        super().__init__(on_change)
        self.offset = offset
        self.padding = padding
        self.failed: WeakKeyDictionary[object, int] = WeakKeyDictionary()


class Update(Want):
    """The longest length that the peers there are can prove.

    Attributes:
        before: fork and length when it was asked for.
    """

    def __init__(self, before: tuple[int, int], on_change: Callable[[], None] = lambda: None) -> None:
        super().__init__(on_change)
        self.before = before


class Wants:
    """All that is wanted of one core.

    Attributes:
        blocks: single blocks, by their index.
    """

    def __init__(self) -> None:
        self.blocks: dict[int, list[Block]] = {}
        self.downloads: list[Download] = []
        self.seeks: list[Seek] = []
        self.updates: list[Update] = []

    def __bool__(self) -> bool:
        return bool(self.blocks or self.downloads or self.seeks or self.updates)

    def __iter__(self) -> Iterator[Want]:
        blocks = [want for wants in self.blocks.values() for want in wants]
        return iter([*blocks, *self.downloads, *self.seeks, *self.updates])

    def add(self, want: Want) -> None:
        """Add what is wanted."""
        if isinstance(want, Block):
            self.blocks.setdefault(want.index, []).append(want)
        elif isinstance(want, Download):
            self.downloads.append(want)
        elif isinstance(want, Seek):
            self.seeks.append(want)
        elif isinstance(want, Update):
            self.updates.append(want)

    def remove(self, want: Want) -> None:
        """Remove what is wanted no more; what is not there is fine."""
        if isinstance(want, Block):
            wants = self.blocks.get(want.index, [])
            if want in wants:
                wants.remove(want)
            if not wants:
                self.blocks.pop(want.index, None)
        elif isinstance(want, Download) and want in self.downloads:
            self.downloads.remove(want)
        elif isinstance(want, Seek) and want in self.seeks:
            self.seeks.remove(want)
        elif isinstance(want, Update) and want in self.updates:
            self.updates.remove(want)

    def restart(self) -> None:
        """Let the downloads be gone through again from their beginnings."""
        for download in self.downloads:
            download.generation += 1

    def changed(self, change: Change) -> None:
        """Take note of a change of the core, and end what is there now."""
        for start, end in change.stored:
            if self.blocks:
                for index in [index for index in self.blocks if start <= index < end]:
                    for block in self.blocks.pop(index, ()):
                        block.finish()
        for download in list(self.downloads):
            download.changed(change)
            if download.is_done:
                self.remove(download)
