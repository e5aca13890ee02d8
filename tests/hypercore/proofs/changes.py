"""Every small change of a proof."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypercore.encoding import MAX_UINT
from hypercore.merkle import Node
from hypercore.proofs import Proof

STEPS = (-2, -1, 1, 2, MAX_UINT)
NUMBERS = (("block", "index"), ("hash", "index"), ("upgrade", "start"), ("upgrade", "length"))


def node_lists(proof: Proof) -> list[list[Node]]:
    """Return the lists of nodes of a proof, to be changed."""
    lists = [part.nodes for part in (proof.block, proof.hash, proof.seek) if part is not None]
    if proof.upgrade is not None:
        lists += [proof.upgrade.nodes, proof.upgrade.additional_nodes]
    return lists


def every_change(proof: Proof) -> Iterator[Proof]:
    """Iterate over proofs with a number or a bit of a hash changed, or a node dropped, repeated or moved."""
    for part, nodes in enumerate(node_lists(proof)):
        for place in range(len(nodes)):
            for changed in _changed_lists(nodes, place):
                copy = deepcopy(proof)
                node_lists(copy)[part][:] = changed
                yield copy
    for name, field in NUMBERS:
        if getattr(proof, name) is not None:
            for step in STEPS:
                copy = deepcopy(proof)
                _add(getattr(copy, name), field, step)
                yield copy


def _changed_lists(nodes: list[Node], place: int) -> Iterator[list[Node]]:
    before, node, behind = nodes[:place], nodes[place], nodes[place + 1 :]
    yield [*before, *behind]
    yield [*before, node, node, *behind]
    yield [*before, *behind, node]
    yield [node, *before, *behind]
    for changed in _changed_nodes(node):
        yield [*before, changed, *behind]


def _changed_nodes(node: Node) -> Iterator[Node]:
    for field in ("index", "size"):
        for step in STEPS:
            copy = deepcopy(node)
            _add(copy, field, step)
            yield copy
    for bit in range(256):
        changed = int.from_bytes(node.hash, "big") ^ 1 << bit
        yield Node(node.index, node.size, changed.to_bytes(32, "big"))


def _add(part: Any, field: str, step: int) -> None:
    setattr(part, field, max(getattr(part, field) + step, 0))
