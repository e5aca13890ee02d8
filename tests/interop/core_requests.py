"""Random requests for proofs, peers that follow a core by them, and proofs that somebody tampered with."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any

from hypercore import Hypercore, flat_tree
from tests.interop.core_operations import Life, proof_of_json

Json = dict[str, Any]


KINDS = (
    ("block",),
    ("hash",),
    ("upgrade",),
    ("block", "seek"),
    ("block", "seek"),
    ("hash", "seek"),
    ("block", "upgrade"),
    ("hash", "upgrade"),
    ("seek", "upgrade"),
    ("block", "seek", "upgrade"),
    ("hash", "seek", "upgrade"),
)


def random_request(random: Random, core: Hypercore) -> Json:
    """Return a request that fits the core, or nearly does."""
    length = core.length
    request: Json = {}
    kinds = random.choice(KINDS)
    if "upgrade" in kinds:
        start = random.randint(0, length)
        request["upgrade"] = {"start": start, "length": random.randint(0, length - start)}
    if "block" in kinds:
        request["block"] = {"index": random.randint(0, length), "nodes": random.randint(0, 5)}
    elif "hash" in kinds:
        request["hash"] = {"index": random_node(random, length), "nodes": random.randint(0, 5)}
    if "seek" in kinds:
        request["seek"] = {"bytes": random.randint(0, core.byte_length + 1), "padding": core.padding}
    return without_known_defect(request, length)


def random_node(random: Random, length: int) -> int:
    """Return the index of a node of the tree, or of the first leaf behind it.

    Parents that reach over the end are left out: when Node truncates a core to 1, 2, 4, 8... blocks it keeps
    those it had, and goes on to prove them.
    """
    index = random.randint(0, 2 * length)
    return index if flat_tree.spans(index)[1] < 2 * length else 2 * length


def without_known_defect(request: Json, length: int) -> Json:
    """Drop the seek where Node would leave it unanswered, or would end.

    Beside a block or hash before the start of an upgrade, and outside of the first root, it finds nothing: it
    takes byte offsets there for NaN. Beside a hash that reaches over the start, it climbs past all roots.
    """
    target = _target(request)
    if target is None or "seek" not in request or not length:
        return request
    first, last = flat_tree.spans(target)
    start = 2 * request["upgrade"]["start"] if "upgrade" in request else 2 * length
    is_before = last < start
    is_in_first_root = first <= flat_tree.spans(flat_tree.full_roots(length)[0])[1]
    if (is_before and not is_in_first_root) or first < start <= last:
        del request["seek"]
    return request


def _target(request: Json) -> int | None:
    if "block" in request:
        return 2 * request["block"]["index"]
    return request["hash"]["index"] if "hash" in request else None


def next_request(random: Random, core: Hypercore, source: Hypercore) -> Json:
    """Return a request of somebody who has ``core`` and wants more of ``source``."""
    request: Json = {}
    known = core.length
    if known < source.length and (known == 0 or random.random() < 0.5):
        request["upgrade"] = {"start": known, "length": random.randint(1, source.length - known)}
        known += request["upgrade"]["length"]
    kind = random.random()
    if kind < 0.6:
        request["block"] = _missing(random, core, 2 * random.randrange(known), block=True)
    elif kind < 0.75:
        request["hash"] = _missing(random, core, random_node(random, known), block=False)
    if kind > 0.65 and core.byte_length:
        request["seek"] = {"bytes": random.randint(0, core.byte_length - 1), "padding": core.padding}
    return without_known_defect(request, source.length)


def _missing(random: Random, core: Hypercore, index: int, *, block: bool) -> Json:
    nodes = core.missing_nodes(index)
    if random.random() < 0.05:
        nodes = random.randint(0, 3)
    return {"index": index // 2 if block else index, "nodes": nodes}


def follow(random: Random, source: Life, peer: Life, requests: int) -> None:
    """Let a peer ask for parts of a core, and take the answers; some are tampered with before."""
    for _ in range(requests if source.core.length else 0):
        proof = source.do("prove", request=next_request(random, peer.core, source.core))
        if "refused" in proof:
            continue
        if random.random() < 0.3:
            peer.do("apply", proof=tampered(random, proof))
        peer.do("apply", proof=proof)


def go_over(source: Life, peer: Life) -> None:
    """Let a peer go over to the fork of a core that was truncated."""
    reorg = None
    request: Json = {"upgrade": {"start": 0, "length": source.core.length}}
    proofs: list[Json] = []
    while reorg is None or not reorg.is_finished:
        if reorg is not None and reorg.wanted is not None:
            request = {"hash": {"index": reorg.wanted.index, "nodes": reorg.wanted.nodes}}
        proofs.append(source.do("prove", request=request))
        proof = proof_of_json(proofs[-1])
        if reorg is None:
            reorg = peer.core.begin_reorg(proof)
        else:
            reorg.update(proof)
    peer.do("reorg", proofs=proofs)


def tampered(random: Random, proof: Json) -> Json:
    """Return the proof with one thing changed."""
    proof = deepcopy(proof)
    lists = [
        part[name]
        for part in proof.values()
        if isinstance(part, dict)
        for name in ("nodes", "additionalNodes")
        if part.get(name)
    ]
    changes = [_change_fork, *([_change_nodes] * 3 if lists else [])]
    changes += [_change_block] * 2 if proof["block"] else []
    changes += [_change_upgrade] * 2 if proof["upgrade"] else []
    random.choice(changes)(random, proof, lists)
    return proof


def _change_fork(random: Random, proof: Json, lists: list[list[Json]]) -> None:
    proof["fork"] += 1


def _change_nodes(random: Random, proof: Json, lists: list[list[Json]]) -> None:
    nodes = random.choice(lists)
    place = random.randrange(len(nodes))
    kind = random.randrange(4)
    if kind == 0:
        nodes[place]["hash"] = flipped(random, nodes[place]["hash"])
    elif kind == 1:
        nodes[place]["index"] += random.choice((1, 2, 4))
    elif kind == 2:
        del nodes[place]
    else:
        nodes.insert(place, deepcopy(random.choice(nodes)))


def _change_block(random: Random, proof: Json, lists: list[list[Json]]) -> None:
    block = proof["block"]
    if random.random() < 0.5 or not block["value"]:
        block["value"] += "00"
    else:
        block["value"] = flipped(random, block["value"])


def _change_upgrade(random: Random, proof: Json, lists: list[list[Json]]) -> None:
    upgrade = proof["upgrade"]
    kind = random.randrange(4)
    if kind == 0:
        upgrade["signature"] = damaged_signature(random, upgrade["signature"])
    elif kind == 1:
        upgrade["length"] += 1
    elif kind == 2:
        upgrade["start"] += 1
    else:
        proof["manifest"] = None


def damaged_signature(random: Random, signature: str) -> str:
    """Return a signature that does not hold, but is laid out as it should be."""
    # Whatever the layout, these hex digits are of the 64 bytes that the first signer has made.
    return signature[:6] + flipped(random, signature[6:128]) + signature[128:]


def flipped(random: Random, text: str) -> str:
    """Return hex with one bit of it changed."""
    data = bytearray.fromhex(text)
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return data.hex()
