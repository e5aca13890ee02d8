"""How much memory something takes."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Traced:
    """Bytes that were allocated within a ``with``, known behind it: those in use at its end, and at most."""

    size: int = 0
    peak: int = 0


@contextmanager
def traced() -> Iterator[Traced]:
    """Trace what Python allocates."""
    memory = Traced()
    tracemalloc.start()
    try:
        yield memory
        memory.size, memory.peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
