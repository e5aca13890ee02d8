"""The state of one core, shared by all Hypercore objects that are open on it, and its commits.

A commit is one atomic write batch: blocks, new tree nodes, the signed head. The state in memory changes only
after the batch was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import time_ns

from hypercore import crypto, flat_tree
from hypercore.crypto import KeyPair
from hypercore.encoding import encode_index
from hypercore.errors import BadArgument, InvalidOperation, NotWritable, StorageCorrupt
from hypercore.ids import encode_id
from hypercore.manifest import Manifest
from hypercore.merkle import MerkleTree, Node
from hypercore.signing import TreeSigner
from hypercore.storage.database import Database
from hypercore.storage.records import CoreHead, CoreKeys, Hints, decode_node, encode_core_head, encode_node


class CoreState:
    """What is known of one core: key, manifest, tree, fork, signature.

    Attributes:
        key, discovery_key: 32 bytes each.
        manifest: None until it is known.
        key_pair: None when the core is not ours.
        tree: the tree that ``signature`` signs.
        contiguous_length: how many blocks from the first on are all stored.

    Raises:
        StorageCorrupt: the stored records contradict each other.
    """

    tree: MerkleTree
    fork: int
    signature: bytes | None
    contiguous_length: int
    _settled: bool

    def __init__(self, database: Database, discovery_key: bytes, key_pair: KeyPair | None = None) -> None:
        record = database.core(discovery_key)
        if record is None:
            raise StorageCorrupt(f"{database.store.name}: core {discovery_key.hex()} has no record")
        auth = database.auth(record)
        self.database = database
        self.store = database.store
        self.key = auth.key
        self.discovery_key = discovery_key
        self.manifest = auth.manifest
        self.key_pair = key_pair or auth.key_pair
        self.keys = CoreKeys(record.data_pointer)
        self._signer = None if self.manifest is None else TreeSigner(self.key, self.manifest)
        self._batch = self.store.batch()
        self._load()

    @property
    def writable(self) -> bool:
        """Whether appends can be signed here."""
        return self._signer is not None and self.key_pair is not None and self.key_pair.secret_key is not None

    def append(self, blocks: Sequence[bytes]) -> int:
        """Store and sign blocks in one commit and return the new length.

        Raises:
            NotWritable: there is no secret key.
            StorageError: nothing was appended.
        """
        signer, key_pair = self._signer, self.key_pair
        if signer is None or key_pair is None or key_pair.secret_key is None:
            raise NotWritable(f"core {encode_id(self.key)} cannot be appended to: its secret key is not here")
        if not self._settled:
            self._load()
        old = self.tree
        tree, nodes = old.append_block(blocks[0]) if len(blocks) == 1 else old.append_blocks(blocks)
        length = tree.length
        tree_hash = tree.tree_hash()
        signature = signer.sign(tree_hash, length, self.fork, key_pair.secret_key)
        head = encode_core_head(self.fork, length, tree_hash, signature, time_ns() // 1_000_000)
        contiguous = length if self.contiguous_length == old.length else self.contiguous_length

        keys = self.keys
        batch = self._batch
        # From here on an interrupt (Ctrl-C, a time limit) could come between the write and the update of the
        # state in memory. Signing on from the old state would then fork the core, so the next commit reads
        # the state again.
        self._settled = False
        batch.clear()
        put = batch.put
        for index, block in enumerate(blocks, old.length):
            put(keys.block + encode_index(index), block)
        for node in nodes:
            put(keys.node + encode_index(node.index), encode_node(node))
        put(keys.head, head)
        if contiguous != self.contiguous_length:
            put(keys.hints, Hints(contiguous).encode())
        batch.write()
        self.tree = tree
        self.signature = signature
        self.contiguous_length = contiguous
        self._settled = True
        return length

    def tree_at(self, length: int) -> MerkleTree:
        """Return the tree of the first ``length`` blocks.

        Raises:
            BadArgument: the core is not that long.
            InvalidOperation: a node that it needs is not stored.
        """
        if not 0 <= length <= self.tree.length:
            raise BadArgument(f"a length is between 0 and {self.tree.length}, found {length}")
        return self.tree if length == self.tree.length else MerkleTree(self._roots(length))

    def verify(self) -> bool:
        """Return whether the signature holds for the tree; an empty core that was never signed holds."""
        if self.signature is None or self._signer is None:
            return self.tree.length == 0
        return self._signer.verify(self.tree.tree_hash(), self.tree.length, self.fork, self.signature)

    def _load(self) -> None:
        """Read head, hints and roots from storage."""
        stored = self.store.get(self.keys.head)
        head = None if stored is None else self.database.decode(CoreHead.decode, stored, "core head")
        stored = self.store.get(self.keys.hints)
        hints = Hints() if stored is None else self.database.decode(Hints.decode, stored, "hints")
        self.fork = 0 if head is None else head.fork
        self.signature = None if head is None else head.signature
        self.contiguous_length = hints.contiguous_length
        try:
            self.tree = MerkleTree([] if head is None else self._roots(head.length))
        except InvalidOperation as error:
            raise StorageCorrupt(f"{self.store.name}: core {encode_id(self.key)}: {error}") from error
        if head is not None and self.tree.tree_hash() != head.tree_hash:
            raise StorageCorrupt(
                f"{self.store.name}: core {encode_id(self.key)}: roots and head have different tree hashes"
            )
        self._settled = True

    def _roots(self, length: int) -> list[Node]:
        return [self._node(index) for index in flat_tree.full_roots(length)]

    def _node(self, index: int) -> Node:
        stored = self.store.get(self.keys.node + encode_index(index))
        if stored is None:
            raise InvalidOperation(f"tree node {index} is not stored")
        return self.database.decode(decode_node, stored, f"tree node {index}")


def open_core(
    database: Database,
    *,
    key: bytes | None = None,
    key_pair: KeyPair | None = None,
    alias: tuple[bytes, str] | None = None,
) -> CoreState:
    """Return the state of a core of the store; a core that is not stored yet is made.

    Args:
        database: the store.
        key: of the core; by default that of the manifest which has the key pair as only signer.
        key_pair: who signs.
        alias: namespace and name to remember for a core that is made.

    Raises:
        BadArgument: neither key nor key pair, or they do not belong together.
        StorageError: the store failed.
    """
    manifest = None
    if key_pair is not None:
        manifest = Manifest.for_key(key_pair.public_key)
        if key is None:
            key = manifest.key()
        elif key not in (manifest.key(), key_pair.public_key):
            raise BadArgument(
                f"the key pair cannot sign for core {encode_id(key)}: that is another key's core"
            )
    if key is None:
        raise BadArgument("a core is opened by a key or a key pair, found neither")
    if len(key) != crypto.KEY_SIZE:
        raise BadArgument(f"a key has {crypto.KEY_SIZE} bytes, found {len(key)}")
    discovery_key = crypto.discovery_key(key)
    if database.core(discovery_key) is None:
        database.create_core(key, manifest, key_pair, alias)
    return CoreState(database, discovery_key, key_pair)
