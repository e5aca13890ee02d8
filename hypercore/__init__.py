"""Hypercore for Python: a signed append-only log, and what is built on it.

Byte for byte compatible with the JavaScript implementation: the same keys, hashes, signatures and blocks.
"""

from hypercore.core import Hypercore
from hypercore.corestore import Corestore
from hypercore.crypto import KeyPair
from hypercore.errors import HypercoreError
from hypercore.hyperbee import Hyperbee
from hypercore.hyperblobs import Hyperblobs
from hypercore.hyperdrive import Hyperdrive

__all__ = ["Corestore", "Hyperbee", "Hyperblobs", "Hypercore", "HypercoreError", "Hyperdrive", "KeyPair"]
