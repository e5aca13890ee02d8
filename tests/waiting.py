"""Waiting for a condition with a deadline, instead of sleeping for as long as it usually takes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], what: str, deadline_s: float = 30.0) -> T:
    """Call ``condition`` until it returns something true, and return that.

    The deadline is there for tests that would hang otherwise; it is far longer than any condition needs.
    """
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline_s:g} s for {what}")
        time.sleep(0.02)
    return value
