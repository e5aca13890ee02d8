"""Appending to a core: the records that it takes, and the append that is a commit by itself.

Nearly every write is an append of one block to one core, and a quarter of its time was spent on being ready
for more than that. So it does without the Commit that holds several changes together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import time_ns

from hypercore.core.changes import Change
from hypercore.core.state import CoreState
from hypercore.encoding import encode_index, encode_uint
from hypercore.errors import InvalidOperation, InvalidSignature, NotWritable
from hypercore.ids import encode_id
from hypercore.manifest import Prologue
from hypercore.merkle import MerkleTree, Node
from hypercore.storage.records import CoreKeys, encode_contiguous_length, encode_core_head

Put = Callable[[bytes, bytes], None]


def append_alone(core: CoreState, blocks: Sequence[bytes], signature: bytes | None = None) -> int:
    """Add blocks, as they are stored, in one atomic write, and return the new length.

    Raises:
        InvalidOperation: the manifest promises other first blocks, or more.
        NotWritable: nobody here can sign.
        InvalidSignature: the given signature does not hold for the new tree.
        StorageError: the write failed; nothing was changed.
    """
    batch = core.batch
    if not core.settled:
        batch.clear()
        core.load()
    core.settled = False
    try:
        start = core.tree.length
        tree, signature, contiguous_length = put_appended(core, batch.put, blocks, signature)
        batch.write()
        # Still in here: an interrupt behind the write must not leave the old tree, either.
        core.tree = tree
        core.signature = signature
        core.contiguous_length = contiguous_length
        core.settled = True
    except BaseException:
        batch.clear()
        core.load_if_possible()
        raise
    if core.observers or core.listeners:
        core.tell(Change(((start, tree.length),)))
    return tree.length


def put_appended(
    core: CoreState, put: Put, blocks: Sequence[bytes], signature: bytes | None
) -> tuple[MerkleTree, bytes, int]:
    """Put the records of an append into a batch, and return the tree, its signature, the contiguous length.

    The signature is made here unless it is given.

    Raises:
        InvalidOperation: the manifest promises other first blocks, or more.
        NotWritable: nobody here can sign.
        InvalidSignature: the given signature does not hold for the new tree.
    """
    old, fork = core.tree, core.fork
    start, contiguous = old.length, core.contiguous_length
    tree, nodes = old.append_block(blocks[0]) if len(blocks) == 1 else old.append_blocks(blocks)
    tree_hash, length = tree.tree_hash(), tree.length
    signature = sign_or_verify(core, tree, tree_hash, signature)
    keys = core.keys
    put_blocks(put, keys, start, blocks)
    put_nodes(put, keys, nodes)
    put_head(put, keys, fork, length, tree_hash, signature)
    if contiguous == start:
        put(keys.hints, encode_contiguous_length(length))
        return tree, signature, length
    core.bitfield.set_range(start, length, True)
    put_changed_pages(put, core)
    return tree, signature, contiguous


def sign_or_verify(core: CoreState, tree: MerkleTree, tree_hash: bytes, signature: bytes | None) -> bytes:
    """Return the signature of a grown tree: the given one if it holds, else one that is made here.

    Raises:
        InvalidOperation: the manifest promises other first blocks, or more.
        NotWritable: nobody here can sign.
        InvalidSignature: the given signature does not hold for the tree.
    """
    if core.prologue is not None:
        _check_prologue(core.prologue, tree_hash, tree.length)
    if signature is None:
        return sign_tree(core, tree_hash, tree.length, core.fork)
    if core.authority is None or not core.authority.verify(tree, core.fork, signature):
        raise InvalidSignature(f"the signature does not hold for the tree of {tree.length} blocks")
    return signature


def _check_prologue(prologue: Prologue, tree_hash: bytes, length: int) -> None:
    """Refuse a tree that no signature can make one of the core.

    Raises:
        InvalidOperation: it ends before the blocks that the manifest promises, or with others.
    """
    if length < prologue.length:
        raise InvalidOperation(
            f"the manifest promises the first {prologue.length} blocks, {length} is less: append all at once"
        )
    if length == prologue.length and tree_hash != prologue.hash:
        raise InvalidOperation(f"the manifest promises other first {length} blocks")


def sign_tree(core: CoreState, tree_hash: bytes, length: int, fork: int) -> bytes:
    """Return the signature of a tree.

    Raises:
        NotWritable: nobody here can sign.
    """
    signer = core.signer
    if signer is None:
        raise NotWritable(f"core {encode_id(core.key)} cannot be written: its secret key is not here")
    return signer.sign(tree_hash, length, fork)


def put_blocks(put: Put, keys: CoreKeys, start: int, blocks: Sequence[bytes]) -> None:
    """Put blocks that follow each other into a batch."""
    prefix = keys.block
    for index, block in enumerate(blocks, start):
        put(prefix + encode_index(index), block)


def put_nodes(put: Put, keys: CoreKeys, nodes: Sequence[Node]) -> None:
    """Put tree nodes into a batch."""
    prefix = keys.node
    for node in nodes:
        index = node.index
        # encode_node, without the call
        put(prefix + encode_index(index), encode_uint(index) + encode_uint(node.size) + node.hash)


def put_head(
    put: Put, keys: CoreKeys, fork: int, length: int, tree_hash: bytes, signature: bytes | None
) -> None:
    """Put the signed state of a core into a batch, with the time of now."""
    put(keys.head, encode_core_head(fork, length, tree_hash, signature or b"", time_ns() // 1_000_000))


def put_changed_pages(put: Put, core: CoreState) -> None:
    """Put the bitfield pages that were changed into a batch."""
    if core.has_bitfield_pages:
        for number, page in core.bitfield.take_changed():
            put(core.keys.page_key(number), page)
