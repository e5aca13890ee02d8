"""Data: what a peer answers to a request.

    data  = uint flags, uint request, uint fork
            [1: uint block, buffer value, array of node] [2: uint tree index, array of node]
            [4: uint bytes, array of node]
            [8: uint start, uint length, array of node, array of additional node,
                buffer signature (empty: none)]
            [16: manifest]
    flags = 1 block | 2 hash | 4 seek | 8 upgrade | 16 manifest

On the wire, do not renumber.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from hypercore.crypto import HASH_SIZE
from hypercore.encoding import encode_buffer, encode_uint, get_uint
from hypercore.errors import BadArgument, DecodingError
from hypercore.manifest import decode_manifest
from hypercore.merkle import Node, encode_node
from hypercore.proofs import BlockProof, HashProof, Proof, SeekProof, UpgradeProof
from hypercore.wire.messages import check_end

MAX_NODES = 128
"""Nodes of one list of a proof: a tree of 2^53 blocks has fewer levels, and fewer roots."""

_MIN_NODE_SIZE = 2 + HASH_SIZE

_BLOCK, _HASH, _SEEK, _UPGRADE, _MANIFEST = 1, 2, 4, 8, 16

# What stands before a block whose request, index and size each take two bytes.
_SHORT_HEAD = Struct("<BBHBBHBH").pack


@dataclass(slots=True)
class Data:
    """The answer to a request: a proof, with the manifest if that was asked for.

    Attributes:
        request: the id of the request; 0 if there was none.
        proof: its block has a value.
    """

    request: int
    proof: Proof

    def encode(self) -> bytes:
        """Return the message."""
        return b"".join(self.pieces())

    def pieces(self) -> tuple[bytes, ...]:
        """Return the message in pieces; the block's value is one of them, as it is.

        Raises:
            BadArgument: the block has no value.
        """
        proof = self.proof
        block = proof.block
        if not block:
            return (self._head() + b"".join(self._tail()),)
        if block.value is None:
            raise BadArgument(f"block {block.index} is sent with its value")
        head = self._head() + encode_uint(block.index) + encode_uint(len(block.value))
        return head, block.value, _encode_nodes(block.nodes) + b"".join(self._tail())

    def _head(self) -> bytes:
        proof = self.proof
        flags = (
            (_BLOCK if proof.block else 0)
            | (_HASH if proof.hash else 0)
            | (_SEEK if proof.seek else 0)
            | (_UPGRADE if proof.upgrade else 0)
            | (_MANIFEST if proof.manifest else 0)
        )
        return encode_uint(flags) + encode_uint(self.request) + encode_uint(proof.fork)

    def _tail(self) -> list[bytes]:
        """Return what stands behind the block."""
        proof = self.proof
        parts: list[bytes] = []
        if hash_ := proof.hash:
            parts += (encode_uint(hash_.index), _encode_nodes(hash_.nodes))
        if seek := proof.seek:
            parts += (encode_uint(seek.bytes), _encode_nodes(seek.nodes))
        if upgrade := proof.upgrade:
            parts += (encode_uint(upgrade.start), encode_uint(upgrade.length))
            parts += (_encode_nodes(upgrade.nodes), _encode_nodes(upgrade.additional_nodes))
            parts.append(encode_buffer(upgrade.signature or b""))
        if proof.manifest:
            parts.append(proof.manifest.encode())
        return parts


def block_data_pieces(request: int, fork: int, index: int, value: bytes) -> tuple[bytes, bytes, bytes]:
    """Return a Data with a block alone and no nodes in pieces, faster than a Data makes them."""
    size = len(value)
    if 0xFC < request <= 0xFFFF and 0xFC < index <= 0xFFFF and 0xFC < size <= 0xFFFF and fork <= 0xFC:
        return _SHORT_HEAD(_BLOCK, 0xFD, request, fork, 0xFD, index, 0xFD, size), value, b"\x00"
    head = b"\x01" + encode_uint(request) + encode_uint(fork) + encode_uint(index) + encode_uint(size)
    return head, value, b"\x00"


def decode_data(buf: bytes, pos: int, end: int) -> Data:
    """Read a Data."""
    plain = decode_block_data(buf, pos, end)
    if plain is not None:
        request, fork, index, value = plain
        return Data(request, Proof(fork, BlockProof(index, [], value)))
    return _decode_any_data(buf, pos, end)


def decode_block_data(buf: bytes, pos: int, end: int) -> tuple[int, int, int, bytes] | None:
    """Read a Data with a block alone and no nodes: request, fork, block, value; None if it is another.

    A download consists of them, so the short forms of the numbers are read here, without a call.
    """
    try:
        if buf[pos] != _BLOCK:
            return None
        pos += 1
        request = buf[pos]
        if request <= 0xFC:
            pos += 1
        elif request == 0xFD:
            request = buf[pos + 1] | buf[pos + 2] << 8
            pos += 3
        else:
            request, pos = get_uint(buf, pos)
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
        size = buf[pos]
        if size <= 0xFC:
            pos += 1
        elif size == 0xFD:
            size = buf[pos + 1] | buf[pos + 2] << 8
            pos += 3
        else:
            size, pos = get_uint(buf, pos)
        stop = pos + size
        if stop >= end:
            check_end(stop + 1, end)
        return None if buf[stop] else (request, fork, index, buf[pos:stop])
    except IndexError:
        raise DecodingError(f"a data is cut off at byte {len(buf)}") from None


def _decode_any_data(buf: bytes, pos: int, end: int) -> Data:
    flags, pos = get_uint(buf, pos)
    request, pos = get_uint(buf, pos)
    fork, pos = get_uint(buf, pos)
    proof = Proof(fork)
    if flags & _BLOCK:
        index, pos = get_uint(buf, pos)
        value, pos = _get_bytes(buf, pos, end)
        nodes, pos = _get_nodes(buf, pos, end)
        proof.block = BlockProof(index, nodes, value)
    if flags & _HASH:
        index, pos = get_uint(buf, pos)
        nodes, pos = _get_nodes(buf, pos, end)
        proof.hash = HashProof(index, nodes)
    if flags & _SEEK:
        offset, pos = get_uint(buf, pos)
        nodes, pos = _get_nodes(buf, pos, end)
        proof.seek = SeekProof(offset, nodes)
    if flags & _UPGRADE:
        proof.upgrade, pos = _get_upgrade(buf, pos, end)
    if flags & _MANIFEST:
        check_end(pos, end)
        proof.manifest, size = decode_manifest(buf[pos:end])
        pos += size
    check_end(pos, end)
    return Data(request, proof)


def _get_upgrade(buf: bytes, pos: int, end: int) -> tuple[UpgradeProof, int]:
    start, pos = get_uint(buf, pos)
    length, pos = get_uint(buf, pos)
    nodes, pos = _get_nodes(buf, pos, end)
    additional_nodes, pos = _get_nodes(buf, pos, end)
    signature, pos = _get_bytes(buf, pos, end)
    return UpgradeProof(start, length, nodes, additional_nodes, signature or None), pos


def _get_bytes(buf: bytes, pos: int, end: int) -> tuple[bytes, int]:
    size, pos = get_uint(buf, pos)
    stop = pos + size
    check_end(stop, end)
    return buf[pos:stop], stop


def _get_nodes(buf: bytes, pos: int, end: int) -> tuple[list[Node], int]:
    count, pos = get_uint(buf, pos)
    if count > MAX_NODES:
        raise DecodingError(f"a proof has at most {MAX_NODES} nodes in a list, found {count}")
    check_end(pos + _MIN_NODE_SIZE * count, end)
    nodes = []
    for _ in range(count):
        index, pos = get_uint(buf, pos)
        size, pos = get_uint(buf, pos)
        stop = pos + HASH_SIZE
        nodes.append(Node(index, size, buf[pos:stop]))
        pos = stop
    check_end(pos, end)
    return nodes, pos


def _encode_nodes(nodes: Sequence[Node]) -> bytes:
    return encode_uint(len(nodes)) + b"".join(map(encode_node, nodes))
