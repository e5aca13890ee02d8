"""Request: what a peer asks for.

    request = uint flags, uint id, uint fork
              [1: uint block, uint nodes] [2: uint tree index, uint nodes] [4: uint bytes, uint padding]
              [8: uint start, uint length] [32: uint priority]
    flags   = 1 block | 2 hash | 4 seek | 8 upgrade | 16 manifest | 32 priority

On the wire, do not renumber.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypercore.encoding import encode_uint, encode_uints, get_uint
from hypercore.errors import DecodingError
from hypercore.proofs import NodeRequest, ProofRequest, SeekRequest, UpgradeRequest
from hypercore.wire.messages import check_end

_BLOCK, _HASH, _SEEK, _UPGRADE, _MANIFEST, _PRIORITY = 1, 2, 4, 8, 16, 32


@dataclass(slots=True)
class Request:
    """What a peer asks for.

    Attributes:
        id: the asker's name for the request, above 0 but for conflict probes.
        fork: of the tree that the proof has to be from.
        proof: what is asked for.
        manifest: whether the manifest is asked for, too.
        priority: above 0 for what somebody waits for.
    """

    id: int
    fork: int
    proof: ProofRequest
    manifest: bool = False
    priority: int = 0

    def encode(self) -> bytes:
        """Return the message."""
        proof = self.proof
        flags = (_MANIFEST if self.manifest else 0) | (_PRIORITY if self.priority else 0)
        numbers: list[int] = []
        if block := proof.block:
            flags |= _BLOCK
            numbers += (block.index, block.nodes)
        if hash_ := proof.hash:
            flags |= _HASH
            numbers += (hash_.index, hash_.nodes)
        if seek := proof.seek:
            flags |= _SEEK
            numbers += (seek.bytes, seek.padding)
        if upgrade := proof.upgrade:
            flags |= _UPGRADE
            numbers += (upgrade.start, upgrade.length)
        if self.priority:
            numbers.append(self.priority)
        return b"".join(map(encode_uint, (flags, self.id, self.fork, *numbers)))


def encode_block_requests(first_id: int, fork: int, first_block: int, count: int) -> list[bytes]:
    """Return Requests for consecutive blocks without proofs, with consecutive ids."""
    between = encode_uint(fork)
    ids, blocks = encode_uints(first_id, count), encode_uints(first_block, count)
    return [b"\x01" + id_ + between + block + b"\x00" for id_, block in zip(ids, blocks, strict=True)]


def decode_request(buf: bytes, pos: int, end: int) -> Request:
    """Read a Request."""
    plain = decode_block_request(buf, pos, end)
    if plain is not None:
        id_, fork, index = plain
        return Request(id_, fork, ProofRequest(NodeRequest(index)))
    return _decode_any_request(buf, pos, end)


def decode_block_request(buf: bytes, pos: int, end: int) -> tuple[int, int, int] | None:
    """Read a Request for a block alone without a proof: its id, fork and block; None if it is another.

    A download consists of them, so the short forms of the numbers are read here, without a call.
    """
    try:
        if buf[pos] != _BLOCK:
            return None
        pos += 1
        id_ = buf[pos]
        if id_ <= 0xFC:
            pos += 1
        elif id_ == 0xFD:
            id_ = buf[pos + 1] | buf[pos + 2] << 8
            pos += 3
        else:
            id_, pos = get_uint(buf, pos)
        fork = buf[pos]
        if fork <= 0xFC:
            pos += 1
        else:
            fork, pos = get_uint(buf, pos)
        index = buf[pos]
        if index <= 0xFC:
            pos += 1
        elif index == 0xFD:
            index = buf[pos + 1] | buf[pos + 2] << 8
            pos += 3
        else:
            index, pos = get_uint(buf, pos)
        if buf[pos]:
            return None
    except IndexError:
        raise DecodingError(f"a request is cut off at byte {len(buf)}") from None
    if pos >= end:
        check_end(pos + 1, end)
    return id_, fork, index


def _decode_any_request(buf: bytes, pos: int, end: int) -> Request:
    flags, pos = get_uint(buf, pos)
    id_, pos = get_uint(buf, pos)
    fork, pos = get_uint(buf, pos)
    proof = ProofRequest()
    priority = 0
    if flags & _BLOCK:
        index, pos = get_uint(buf, pos)
        nodes, pos = get_uint(buf, pos)
        proof.block = NodeRequest(index, nodes)
    if flags & _HASH:
        index, pos = get_uint(buf, pos)
        nodes, pos = get_uint(buf, pos)
        proof.hash = NodeRequest(index, nodes)
    if flags & _SEEK:
        offset, pos = get_uint(buf, pos)
        padding, pos = get_uint(buf, pos)
        proof.seek = SeekRequest(offset, padding)
    if flags & _UPGRADE:
        start, pos = get_uint(buf, pos)
        length, pos = get_uint(buf, pos)
        proof.upgrade = UpgradeRequest(start, length)
    if flags & _PRIORITY:
        priority, pos = get_uint(buf, pos)
    check_end(pos, end)
    return Request(id_, fork, proof, bool(flags & _MANIFEST), priority)
