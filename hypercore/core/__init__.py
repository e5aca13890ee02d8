"""Hypercore: the signed append-only log."""

from hypercore.core.audit import audit_core
from hypercore.core.batch import CoreBatch
from hypercore.core.commits import Commit
from hypercore.core.hypercore import MAX_BLOCK_BYTES, Hypercore
from hypercore.core.info import CoreInfo
from hypercore.core.opening import open_core
from hypercore.core.state import CoreState

__all__ = [
    "MAX_BLOCK_BYTES",
    "Commit",
    "CoreBatch",
    "CoreInfo",
    "CoreState",
    "Hypercore",
    "audit_core",
    "open_core",
]
