"""Hypercore: the signed append-only log."""

from hypercore.core.hypercore import MAX_BLOCK_BYTES, Hypercore
from hypercore.core.state import CoreState, open_core

__all__ = ["MAX_BLOCK_BYTES", "CoreState", "Hypercore", "open_core"]
