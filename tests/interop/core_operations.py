"""Operations on a core, and questions to one, as JSON. core_operations.mjs has the same for Node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypercore import Corestore, Hypercore, HypercoreError, KeyPair, errors
from hypercore.manifest import Manifest, decode_manifest
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

PRIMARY_KEY = bytes([1]) * 32

CODES: dict[type[HypercoreError], str] = {
    errors.InvalidChecksum: "INVALID_CHECKSUM",
    errors.InvalidOperation: "INVALID_OPERATION",
    errors.InvalidProof: "INVALID_PROOF",
    errors.InvalidSignature: "INVALID_SIGNATURE",
    errors.NotWritable: "SESSION_NOT_WRITABLE",
}


def describe(
    *,
    name: str | None = None,
    key: bytes | None = None,
    key_pair: KeyPair | None = None,
    manifest: Manifest | None = None,
    encryption_key: bytes | None = None,
) -> dict[str, Any]:
    """Return what a core is opened by, as both sides read it."""
    pair = key_pair and {"publicKey": key_pair.public_key.hex(), "secretKey": _hex(key_pair.secret_key)}
    return {
        "name": name,
        "key": _hex(key),
        "keyPair": pair,
        "manifest": manifest and manifest.encode().hex(),
        "encryptionKey": _hex(encryption_key),
    }


class Life:
    """A core in a new store of its own. It remembers the operations and the answer to each.

    Attributes:
        core: what the operations are done to.
        description: of describe.
        operations, answers: so far.
    """

    core: Hypercore

    def __init__(self, directory: Path | None, **description: Any) -> None:
        self.description = describe(**description)
        self._directory = directory
        self._opened_by = description
        self.operations: list[dict[str, Any]] = []
        self.answers: list[Any] = []
        self.open()

    def open(self) -> None:
        self._store = Corestore(self._directory, primary_key=PRIMARY_KEY)
        self.core = self._store.get(**self._opened_by)
        self.sessions: dict[str, Hypercore] = {}

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> Life:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def do(self, op: str, **parameters: Any) -> Any:
        """Do an operation and return its answer."""
        self.operations.append({"op": op, **parameters})
        session = parameters.pop("session", None)
        try:
            core = self.core if session is None else self.session(session, overwrite=op == "restart")
            answer = getattr(self, f"_{op}")(core, **parameters)
        except HypercoreError as error:
            answer = {"refused": CODES[type(error)]}
        self.answers.append(answer)
        return answer

    def session(self, name: str, *, overwrite: bool = False) -> Hypercore:
        if overwrite or name not in self.sessions:
            self.sessions[name] = self.core.session(name, overwrite=overwrite)
        return self.sessions[name]

    def _append(self, core: Hypercore, blocks: str | list[str], signature: str | None = None) -> Any:
        given = raw(blocks) if isinstance(blocks, str) else [raw(block) for block in blocks]
        core.append(given, signature=None if signature is None else raw(signature))
        return self._state(core)

    def _truncate(self, core: Hypercore, length: int, fork: int | None = None) -> Any:
        core.truncate(length, fork=fork)
        return self._state(core)

    def _clear(self, core: Hypercore, start: int, end: int) -> Any:
        core.clear(start, end)
        return self._state(core)

    def _reopen(self, core: Hypercore) -> Any:
        self.close()
        self.open()
        return self._state(self.core)

    def _state(self, core: Hypercore) -> dict[str, Any]:
        state = {
            "length": core.length,
            "byteLength": core.byte_length,
            "treeHash": core.tree_hash().hex(),
        }
        if core is not self.core:
            return state
        return state | {
            "fork": core.fork,
            "signature": _hex(core.signature),
            "contiguousLength": core.contiguous_length,
            "has": "".join("01"[core.has(index)] for index in range(core.length)),
        }

    def _restart(self, core: Hypercore) -> dict[str, Any]:
        """Tell the state of a session that began anew when it was opened for this."""
        return self._state(core)

    def _blocks(self, core: Hypercore) -> list[Any]:
        blocks: list[Any] = []
        for index in range(core.length):
            if core.has(index):
                stored = core.proof(ProofRequest(block=NodeRequest(index))).block
                assert stored is not None
                blocks.append({"stored": _hex(stored.value), "block": core.get(index).hex()})
            else:
                blocks.append(None)
        return blocks

    def _seek(self, core: Hypercore, offsets: list[int]) -> list[Any]:
        return [_place(core, offset) for offset in offsets]

    def _missingNodes(self, core: Hypercore) -> list[int]:
        return [core.missing_nodes(index) for index in range(2 * core.length)]

    def _prove(self, core: Hypercore, request: dict[str, Any]) -> Any:
        try:
            return proof_to_json(core.proof(request_of_json(request)))
        except (errors.BlockNotAvailable, errors.InvalidOperation):
            # Where several things are wrong with a request, it does not matter which one is told.
            return {"refused": True}

    def _apply(self, core: Hypercore, proof: dict[str, Any]) -> Any:
        return {"applied": core.apply_proof(proof_of_json(proof)), **self._state(core)}

    def _reorg(self, core: Hypercore, proofs: list[dict[str, Any]]) -> Any:
        first, *rest = map(proof_of_json, proofs)
        reorg = core.begin_reorg(first)
        for proof in rest:
            reorg.update(proof)
        finished, ancestors = reorg.is_finished, reorg.ancestors
        core.apply_reorg(reorg)
        return {"finished": finished, "ancestors": ancestors, **self._state(core)}

    def _setUserData(self, core: Hypercore, name: str, value: str | None) -> None:
        if value is None:
            core.user_data.pop(name, None)
        else:
            core.user_data[name] = raw(value)

    def _userData(self, core: Hypercore, name: str) -> str | None:
        return _hex(core.user_data.get(name))

    def _commit(self, core: Hypercore, **parameters: Any) -> Any:
        session = self.session(parameters.pop("from"))
        return {"committed": core.commit(session, **parameters), **self._state(core)}


def assert_same_life(peer: Any, life: Life) -> None:
    """Let Node live the same life, and compare answer by answer."""
    answers = peer("liveCore", core=life.description, operations=life.operations)
    for step, (operation, ours, theirs) in enumerate(
        zip(life.operations, life.answers, answers, strict=True)
    ):
        assert ours == theirs, f"step {step}: {operation}"


def request_of_json(fields: dict[str, Any]) -> ProofRequest:
    block, hash_, seek, upgrade = (fields.get(name) for name in ("block", "hash", "seek", "upgrade"))
    return ProofRequest(
        block=block and NodeRequest(**block),
        hash=hash_ and NodeRequest(**hash_),
        seek=seek and SeekRequest(**seek),
        upgrade=upgrade and UpgradeRequest(**upgrade),
    )


def proof_to_json(proof: Proof) -> dict[str, Any]:
    block, hash_, seek, upgrade = proof.block, proof.hash, proof.seek, proof.upgrade
    return {
        "fork": proof.fork,
        "block": block and {"index": block.index, "value": _hex(block.value), "nodes": _nodes(block.nodes)},
        "hash": hash_ and {"index": hash_.index, "nodes": _nodes(hash_.nodes)},
        "seek": seek and {"bytes": seek.bytes, "nodes": _nodes(seek.nodes)},
        "upgrade": upgrade
        and {
            "start": upgrade.start,
            "length": upgrade.length,
            "nodes": _nodes(upgrade.nodes),
            "additionalNodes": _nodes(upgrade.additional_nodes),
            "signature": _hex(upgrade.signature),
        },
        "manifest": proof.manifest and proof.manifest.encode().hex(),
    }


def proof_of_json(fields: dict[str, Any]) -> Proof:
    block, hash_, seek, upgrade, manifest = (
        fields[name] for name in ("block", "hash", "seek", "upgrade", "manifest")
    )
    return Proof(
        fields["fork"],
        block and BlockProof(block["index"], _read_nodes(block["nodes"]), raw(block["value"])),
        hash_ and HashProof(hash_["index"], _read_nodes(hash_["nodes"])),
        seek and SeekProof(seek["bytes"], _read_nodes(seek["nodes"])),
        upgrade
        and UpgradeProof(
            upgrade["start"],
            upgrade["length"],
            _read_nodes(upgrade["nodes"]),
            _read_nodes(upgrade["additionalNodes"]),
            raw(upgrade["signature"]),
        ),
        manifest and decode_manifest(raw(manifest))[0],
    )


def _place(core: Hypercore, offset: int) -> list[int] | None:
    try:
        return list(core.seek(offset))
    except (errors.BlockNotAvailable, errors.InvalidOperation):
        return None


def _nodes(nodes: list[Node]) -> list[dict[str, Any]]:
    return [{"index": node.index, "size": node.size, "hash": node.hash.hex()} for node in nodes]


def _read_nodes(nodes: list[dict[str, Any]]) -> list[Node]:
    return [Node(node["index"], node["size"], raw(node["hash"])) for node in nodes]


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


raw = bytes.fromhex
