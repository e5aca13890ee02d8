"""Random trees, copies of parts of them, what honest copies ask for, and random damage to an answer."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from hypercore import flat_tree
from hypercore.encoding import MAX_UINT
from hypercore.merkle import Node
from hypercore.proofs import NodeRequest, Proof, ProofRequest, SeekRequest, UpgradeRequest
from tests.hypercore.proofs.changes import node_lists
from tests.hypercore.proofs.trees import Copy, Source

BLOCKS = st.lists(st.binary(max_size=4), min_size=1, max_size=24)
UINTS = st.one_of(st.integers(0, 60), st.integers(0, MAX_UINT), st.just(MAX_UINT))
NODES = st.builds(Node, UINTS, UINTS, st.binary(min_size=32, max_size=32))


@dataclass
class Exchange:
    source: Source
    copy: Copy
    request: ProofRequest


@st.composite
def exchanges(draw) -> Exchange:
    """A copy of the first blocks of a source, and something that it may ask for."""
    source = Source(draw(BLOCKS))
    total = source.tree.length
    length = draw(st.integers(0, total))
    copy = Copy(source, length, draw(st.lists(st.integers(0, total), max_size=6)))
    request = ProofRequest()
    if length < total and (length == 0 or draw(st.booleans())):
        request.upgrade = UpgradeRequest(length, draw(st.integers(1, total - length)))
    kinds = (["known"] if length else []) + (["new", "seek", "none"] if request.upgrade else [])
    kind = draw(st.sampled_from(kinds))
    if kind == "known":
        _ask_for_known(draw, source, copy, request)
    elif kind == "new" and request.upgrade:
        _ask_for_node(draw, request, range(length, length + request.upgrade.length), lambda index: 0)
    elif kind == "seek":
        request.seek = SeekRequest(draw(st.integers(0, source.tree.byte_length + 1)))
    return Exchange(source, copy, request)


def _ask_for_known(draw, source: Source, copy: Copy, request: ProofRequest) -> None:
    """Ask for something below the roots of the copy, and perhaps for a place in the bytes beside it."""
    _ask_for_node(draw, request, range(copy.tree.length), copy.missing_levels)
    target = request.hash or request.block
    assert target is not None
    top = target.index if request.hash else 2 * target.index
    for _ in range(target.nodes):
        top = flat_tree.parent(top)
    offset = source.maker().byte_offset(top)
    size = source.nodes[top].size
    if size and draw(st.booleans()):
        request.seek = SeekRequest(offset + draw(st.integers(0, size - 1)))


def _ask_for_node(draw, request: ProofRequest, blocks: range, levels) -> None:
    index = draw(st.sampled_from(blocks))
    if draw(st.booleans()):
        request.block = NodeRequest(index, levels(2 * index))
    else:
        node = 2 * index
        if flat_tree.sibling(node) // 2 in blocks and draw(st.booleans()):
            node = flat_tree.parent(node)
        request.hash = NodeRequest(node, levels(node))


@st.composite
def damaged(draw, proof: Proof) -> Proof:
    """A proof that differs from an honest one in a single place."""
    proof = deepcopy(proof)
    places: list[Any] = [nodes for nodes in node_lists(proof) if nodes] * 2
    places += [
        part for part in (proof.block, proof.hash, proof.seek, proof.upgrade, proof) if part is not None
    ]
    place = draw(st.sampled_from(places))
    if isinstance(place, list):
        damage = draw(st.sampled_from(LIST_DAMAGES))
        damage(draw, place)
    else:
        _damage_fields(draw, place)
    return proof


def _damage_fields(draw, part: Any) -> None:
    fields = [name for name in part.__slots__ if name in FIELDS]
    name = draw(st.sampled_from(fields))
    near = FIELDS[name]
    setattr(part, name, draw(near(getattr(part, name))))


def _near(value: int) -> st.SearchStrategy[int]:
    return st.one_of(st.just(value + 1), st.just(max(value - 1, 0)), UINTS)


def _bytes_near(value: bytes | None) -> st.SearchStrategy[bytes | None]:
    return st.one_of(
        st.none(), st.binary(max_size=80), flipped(value or b""), st.just((value or b"") + b"\x00")
    )


def flipped(value: bytes) -> st.SearchStrategy[bytes]:
    """Return copies with one bit changed."""
    if not value:
        return st.just(b"\x00")
    places = st.integers(0, 8 * len(value) - 1)
    return places.map(lambda bit: (int.from_bytes(value, "big") ^ 1 << bit).to_bytes(len(value), "big"))


FIELDS: dict[str, Callable[[Any], st.SearchStrategy[Any]]] = {
    "fork": _near,
    "index": _near,
    "bytes": _near,
    "start": _near,
    "length": _near,
    "value": _bytes_near,
    "signature": _bytes_near,
}


def _change_node(draw, nodes: list[Node]) -> None:
    node = draw(st.sampled_from(nodes))
    name = draw(st.sampled_from(["index", "size", "hash"]))
    setattr(node, name, draw(flipped(node.hash) if name == "hash" else _near(getattr(node, name))))


def _drop(draw, nodes: list[Node]) -> None:
    del nodes[draw(st.integers(0, len(nodes) - 1))]


def _truncate(draw, nodes: list[Node]) -> None:
    del nodes[draw(st.integers(0, len(nodes) - 1)) :]


def _repeat(draw, nodes: list[Node]) -> None:
    nodes.insert(draw(st.integers(0, len(nodes))), draw(st.sampled_from(nodes)))


def _insert(draw, nodes: list[Node]) -> None:
    nodes.insert(draw(st.integers(0, len(nodes))), draw(NODES))


def _reorder(draw, nodes: list[Node]) -> None:
    nodes[:] = draw(st.permutations(nodes))


Damage = Callable[[Any, list[Node]], None]
LIST_DAMAGES: list[Damage] = [
    _change_node,
    _drop,
    _truncate,
    _repeat,
    _insert,
    _reorder,
]
