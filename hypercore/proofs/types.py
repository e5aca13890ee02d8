"""What peers ask for and what they answer: requests and proofs, as plain records.

Indexes of nodes are those of the flat tree; ``index`` of a block is a block number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypercore.manifest import Manifest
from hypercore.merkle import Node

NodeReader = Callable[[int], "Node | None"]
"""Returns the stored node of an index, None if it is not stored."""


@dataclass(slots=True)
class NodeRequest:
    """A block (by its number) or a hash (by its tree index), and how many levels above it the asker lacks."""

    index: int
    nodes: int = 0


@dataclass(slots=True)
class SeekRequest:
    """The block at a byte offset; ``padding`` bytes of every stored block do not count."""

    bytes: int
    padding: int = 0


@dataclass(slots=True)
class UpgradeRequest:
    """From a tree of ``start`` blocks to one of ``start + length``."""

    start: int
    length: int


@dataclass(slots=True)
class ProofRequest:
    """What is asked for; a block or a hash, not both."""

    block: NodeRequest | None = None
    hash: NodeRequest | None = None
    seek: SeekRequest | None = None
    upgrade: UpgradeRequest | None = None


@dataclass(slots=True)
class BlockProof:
    """A block and the siblings on the way up from it; no value in a proof that was just made."""

    index: int
    nodes: list[Node]
    value: bytes | None = None


@dataclass(slots=True)
class HashProof:
    """The node asked for, and the siblings on the way up from it."""

    index: int
    nodes: list[Node]


@dataclass(slots=True)
class SeekProof:
    """The seek root, and the siblings on the way up from it."""

    bytes: int
    nodes: list[Node]


@dataclass(slots=True)
class UpgradeProof:
    """The nodes that lead to the longer tree, those from there to the signed one, and its signature."""

    start: int
    length: int
    nodes: list[Node]
    additional_nodes: list[Node]
    signature: bytes | None


@dataclass(slots=True)
class Proof:
    """An answer to a ProofRequest."""

    fork: int
    block: BlockProof | None = None
    hash: HashProof | None = None
    seek: SeekProof | None = None
    upgrade: UpgradeProof | None = None
    manifest: Manifest | None = None
