"""Messages of a core's channel: those of the vectors, and random ones."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from hypercore import wire
from hypercore.encoding import MAX_UINT
from hypercore.manifest import Manifest, Prologue, Signer
from hypercore.merkle import Node
from hypercore.proofs import (
    BlockProof,
    HashProof,
    NodeRequest,
    Proof,
    ProofRequest,
    SeekProof,
    SeekRequest,
    UpgradeProof,
    UpgradeRequest,
)
from tests.data.manifests import manifest_of

raw = bytes.fromhex

DECODERS: dict[int, Callable[[bytes, int, int], Any]] = {
    wire.SYNC: wire.decode_sync,
    wire.REQUEST: wire.decode_request,
    wire.CANCEL: wire.decode_cancel,
    wire.DATA: wire.decode_data,
    wire.NO_DATA: wire.decode_no_data,
    wire.WANT: wire.decode_want,
    wire.UNWANT: wire.decode_unwant,
    wire.BITFIELD: wire.decode_bitfield,
    wire.RANGE: wire.decode_range,
    wire.EXTENSION: wire.decode_extension,
}
"""By the type of the message."""

TYPES = dict(
    zip(
        ["sync", "request", "cancel", "data", "noData", "want", "unwant", "bitfield", "range", "extension"],
        DECODERS,
        strict=True,
    )
)
"""By the names of the vectors."""


def message_of(kind: str, value: dict[str, Any]) -> Any:
    """Return the message with the fields of a vector."""
    return MAKERS[kind](value)


def _sync(value: dict[str, Any]) -> wire.Sync:
    names = "fork length remoteLength canUpgrade uploading downloading hasManifest allowPush"
    return wire.Sync(*(value[name] for name in names.split()))


def _request(value: dict[str, Any]) -> wire.Request:
    kinds = {"block": NodeRequest, "hash": NodeRequest, "seek": SeekRequest, "upgrade": UpgradeRequest}
    parts = {name: value[name] and kind(**value[name]) for name, kind in kinds.items()}
    return wire.Request(
        value["id"], value["fork"], ProofRequest(**parts), value["manifest"], value["priority"]
    )


def _data(value: dict[str, Any]) -> wire.Data:
    block, hash_, seek, upgrade = (value[name] for name in ("block", "hash", "seek", "upgrade"))
    proof = Proof(
        value["fork"],
        block and BlockProof(block["index"], _nodes(block["nodes"]), raw(block["value"])),
        hash_ and HashProof(hash_["index"], _nodes(hash_["nodes"])),
        seek and SeekProof(seek["bytes"], _nodes(seek["nodes"])),
        upgrade and _upgrade(upgrade),
        value["manifest"] and manifest_of(value["manifest"]),
    )
    return wire.Data(value["request"], proof)


def _upgrade(value: dict[str, Any]) -> UpgradeProof:
    return UpgradeProof(
        value["start"],
        value["length"],
        _nodes(value["nodes"]),
        _nodes(value["additionalNodes"]),
        value["signature"] and raw(value["signature"]),
    )


def _nodes(values: list[dict[str, Any]]) -> list[Node]:
    return [Node(each["index"], each["size"], raw(each["hash"])) for each in values]


MAKERS = {
    "sync": _sync,
    "request": _request,
    "cancel": lambda value: wire.Cancel(**value),
    "data": _data,
    "noData": lambda value: wire.NoData(**value),
    "want": lambda value: wire.Want(**value),
    "unwant": lambda value: wire.Unwant(**value),
    "bitfield": lambda value: wire.Bitfield(
        value["start"], b"".join(word.to_bytes(4, "little") for word in value["bitfield"])
    ),
    "range": lambda value: wire.Range(**value),
    "extension": lambda value: wire.Extension(value["name"], raw(value["message"])),
}

UINTS = st.one_of(
    st.integers(0, 0xFF),
    st.integers(0xFC, 0x1_0001),
    st.integers(0xFFFF_FFFE, 2**32),
    st.integers(0, MAX_UINT),
)
KEYS = st.binary(min_size=32, max_size=32)
NODES = st.lists(st.builds(Node, UINTS, UINTS, KEYS), max_size=4)
MANIFESTS = st.one_of(
    st.builds(lambda key: Manifest.for_key(key, 0), KEYS),
    st.builds(
        lambda keys, **more: Manifest.create(*map(Signer, keys), version=2, **more),
        st.lists(KEYS, max_size=3),
        prologue=st.none() | st.builds(Prologue, KEYS, UINTS),
        linked=st.lists(KEYS, max_size=2).map(tuple),
        user_data=st.none() | st.binary(max_size=5),
    ),
)


def _sometimes(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


VALUES = st.binary(max_size=5) | st.integers(0, 700).map(bytes)
PROOFS = st.builds(
    Proof,
    UINTS,
    _sometimes(st.builds(BlockProof, UINTS, NODES, VALUES)),
    _sometimes(st.builds(HashProof, UINTS, NODES)),
    _sometimes(st.builds(SeekProof, UINTS, NODES)),
    _sometimes(
        st.builds(UpgradeProof, UINTS, UINTS, NODES, NODES, _sometimes(st.binary(min_size=1, max_size=70)))
    ),
    _sometimes(MANIFESTS),
)
REQUESTS = st.builds(
    wire.Request,
    UINTS,
    UINTS,
    st.builds(
        ProofRequest,
        _sometimes(st.builds(NodeRequest, UINTS, UINTS)),
        _sometimes(st.builds(NodeRequest, UINTS, UINTS)),
        _sometimes(st.builds(SeekRequest, UINTS, UINTS)),
        _sometimes(st.builds(UpgradeRequest, UINTS, UINTS)),
    ),
    st.booleans(),
    UINTS,
)
MESSAGES = {
    wire.SYNC: st.builds(wire.Sync, UINTS, UINTS, UINTS, *[st.booleans()] * 5),
    wire.REQUEST: REQUESTS,
    wire.CANCEL: st.builds(wire.Cancel, UINTS),
    wire.DATA: st.builds(wire.Data, UINTS, PROOFS),
    wire.NO_DATA: st.builds(wire.NoData, UINTS, UINTS),
    wire.WANT: st.builds(wire.Want, UINTS, UINTS, st.booleans()),
    wire.UNWANT: st.builds(wire.Unwant, UINTS, UINTS, st.booleans()),
    wire.BITFIELD: st.builds(wire.Bitfield, UINTS, st.integers(0, 70).map(lambda words: bytes(4 * words))),
    wire.RANGE: st.builds(wire.Range, st.booleans(), UINTS, UINTS),
    wire.EXTENSION: st.builds(wire.Extension, st.text(max_size=20), st.binary(max_size=20)),
}
"""Random messages by their type."""
