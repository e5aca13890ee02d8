"""How far a command is: a bar on stderr, where somebody may be looking."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Progress:
    """Progress that nobody sees; results are printed as ever."""

    def advance(self, count: int) -> None:
        """Count what was done since the last call."""

    def note(self, text: str) -> None:
        """Show something beside what is counted."""

    def say(self, line: str) -> None:
        """Print a line of the results."""
        print(line)


class _Bar(Progress):
    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def advance(self, count: int) -> None:
        self._bar.update(count)

    def note(self, text: str) -> None:
        self._bar.set_postfix_str(text, refresh=False)

    def say(self, line: str) -> None:
        self._bar.write(line, file=sys.stdout)


@contextmanager
def progress(
    unit: str, total: Callable[[], int | None], *, done: int = 0, keep: bool = False
) -> Iterator[Progress]:
    """Show a bar while the block runs, if stderr is a terminal and tqdm is installed.

    Args:
        unit: what is counted.
        total: asked only for a bar; None is for what has no known end.
        done: how many were done before it began.
        keep: whether the bar stays when the block ends.
    """
    if not sys.stderr.isatty():
        yield Progress()
        return
    try:
        from tqdm import tqdm
    except ImportError:
        print("for a progress bar: pip install 'hypercore-scale-tests[cli]'", file=sys.stderr)
        yield Progress()
        return
    with tqdm(total=total(), initial=done, unit=unit, unit_scale=True, leave=keep) as bar:
        yield _Bar(bar)
