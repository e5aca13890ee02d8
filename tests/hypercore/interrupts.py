"""Interrupts at every line of an operation, one after the other."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import hypercore

T = TypeVar("T")

_PACKAGE = str(Path(hypercore.__file__).parent)


class _Interrupt:
    """Raises a KeyboardInterrupt before the line of the package with a number, counted from 0."""

    def __init__(self, number: int) -> None:
        self._left = number
        self.is_over = False

    def __enter__(self) -> None:
        self._before = sys.gettrace()
        sys.settrace(self._enter)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Any:
        return self._step if frame.f_code.co_filename.startswith(_PACKAGE) else None

    def _step(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line" and not self.is_over:
            self._left -= 1
            if self._left < 0:
                self.is_over = True
                raise KeyboardInterrupt
        return self._step


def interrupted_at_every_line(prepare: Callable[[], T], act: Callable[[T], object]) -> Iterator[T]:
    """Prepare, act, and interrupt that at its first line; the next time, at its second; and so on."""
    number = 0
    while True:
        prepared = prepare()
        interrupt = _Interrupt(number)
        try:
            with interrupt:
                act(prepared)
        except KeyboardInterrupt:
            pass
        if not interrupt.is_over:
            return
        yield prepared
        number += 1
