"""Changing cores: what is written for each change, and what is remembered once it is written.

A Commit is one atomic write over any number of cores of one store. The states in memory change only after it
was written. If a write fails, or is interrupted, nobody knows whether it happened: the states are read again
before they are changed next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import replace

from hypercore import flat_tree
from hypercore.core.appending import (
    put_appended,
    put_blocks,
    put_changed_pages,
    put_head,
    put_nodes,
    sign_or_verify,
    sign_tree,
)
from hypercore.core.branches import BranchState
from hypercore.core.changes import Change
from hypercore.core.state import CoreState, View
from hypercore.encoding import encode_index
from hypercore.errors import (
    BadArgument,
    InvalidOperation,
    InvalidProof,
    InvalidSignature,
)
from hypercore.ids import encode_id
from hypercore.manifest import Manifest
from hypercore.merkle import MerkleTree, Node
from hypercore.proofs import Proof, Verified, check_root, verify_proof
from hypercore.proofs.reorg import Reorg
from hypercore.signing import Authority
from hypercore.storage import Database
from hypercore.storage.records import (
    CoreHead,
    CoreKeys,
    Dependency,
    auth_key,
    dependency_key,
    encode_contiguous_length,
)


class _Next:
    """The state of a core after a commit."""

    __slots__ = (
        "base",
        "contiguous_length",
        "core",
        "fork",
        "manifest",
        "removed",
        "shared_length",
        "signature",
        "stored",
        "tree",
    )

    def __init__(
        self, core: CoreState, tree: MerkleTree, fork: int, signature: bytes | None, contiguous_length: int
    ) -> None:
        self.core = core
        self.base = core.tree
        self.tree = tree
        self.fork = fork
        self.signature = signature
        self.contiguous_length = contiguous_length
        self.shared_length = tree.length
        self.manifest: Manifest | None = None
        self.stored: Sequence[tuple[int, int]] = ()
        self.removed: Sequence[tuple[int, int]] = ()

    def adopt(self) -> None:
        """Make it the state of the core."""
        core = self.core
        if self.fork != core.fork:
            core.forget_in_snapshots(core.keys, self.shared_length)
        core.tree = self.tree
        core.fork = self.fork
        core.signature = self.signature
        core.contiguous_length = self.contiguous_length
        if self.manifest is not None:
            core.adopt_manifest(self.manifest)
        core.settled = True


class Commit:
    """Changes that are written together: at the end of a ``with``, unless an exception leaves it.

    Each core, and each named session, may be changed once.

    Args:
        database: the store of the cores.
    """

    __slots__ = ("_after", "_batch", "_begun", "_branches", "_changed", "_database", "_next")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batch = database.store.batch()
        self._next: list[_Next] = []
        self._after: list[Callable[[], None]] = []
        self._begun: list[CoreState] = []
        # Of which anything is written, also beside them: none of them must be purged meanwhile.
        self._changed: list[CoreState] = []
        # Each with the tree that it is to have still when everything is written.
        self._branches: list[tuple[BranchState, MerkleTree]] = []

    def append(self, core: CoreState, blocks: Sequence[bytes], signature: bytes | None = None) -> int:
        """Add blocks, as they are stored, and return the new length.

        The signature is made here unless it is given.

        Raises:
            InvalidOperation: the manifest promises other first blocks, or more.
            NotWritable: nobody here can sign.
            InvalidSignature: the given signature does not hold for the new tree.
        """
        self._begin(core)
        start = core.tree.length
        tree, signature, contiguous = put_appended(core, self._batch.put, blocks, signature)
        next_ = _Next(core, tree, core.fork, signature, contiguous)
        next_.stored = ((start, tree.length),)
        self._next.append(next_)
        return tree.length

    def truncate(self, core: CoreState, length: int, fork: int | None = None) -> None:
        """Cut a core to its first ``length`` blocks under a new fork.

        Raises:
            BadArgument: the fork is not above the present one.
            InvalidOperation: the core is not that long, or its prologue is longer.
            NotWritable: nobody here can sign.
        """
        if fork is None:
            fork = core.fork + 1
        if fork <= core.fork:
            raise BadArgument(f"a truncation needs a fork above {core.fork}, found {fork}")
        if not 0 <= length <= core.tree.length:
            raise InvalidOperation(f"a core of {core.tree.length} blocks cannot be truncated to {length}")
        prologue = core.prologue
        if prologue is not None and length < prologue.length:
            raise InvalidOperation(
                f"the manifest promises the first {prologue.length} blocks, {length} is less"
            )
        self._begin(core)
        tree = core.tree_at(length)
        tree_hash = tree.tree_hash()
        signature = sign_tree(core, tree_hash, length, fork)
        old = core.tree.length
        contiguous = self._cut(core, length)
        next_ = _Next(core, tree, fork, signature, contiguous)
        next_.removed = ((length, old),)
        self._finish(next_, tree_hash)

    def clear(self, core: CoreState, ranges: Sequence[tuple[int, int]], *, prune: bool = False) -> None:
        """Forget ranges of blocks, in ascending order; what proves the others is kept.

        ``prune`` also deletes the tree nodes that only prove blocks of one range.
        """
        self._begin(core)
        contiguous = core.contiguous_length
        bitfield = core.bitfield
        for start, end in ranges:
            self._delete_range(core.keys.block, start, end)
            if prune:
                self._delete_nodes_below(core.keys, start, end)
            if start < contiguous:
                bitfield.set_range(end, contiguous, True)
                contiguous = start
            bitfield.set_range(start, end, False)
        next_ = _Next(core, core.tree, core.fork, core.signature, contiguous)
        next_.removed = tuple(ranges)
        self._finish(next_, None)

    def apply_proof(self, core: CoreState, proof: Proof) -> bool:
        """Check a proof and store what it shows; return whether it belongs to the present fork.

        Raises:
            InvalidOperation: it does not fit what is known here.
            InvalidProof: it is wrong.
        """
        if proof.fork != core.fork:
            return False
        authority, manifest = _authority(core, proof)
        verified = verify_proof(core.tree, proof, None if authority is None else authority.prologue)
        if verified.root is not None:
            index = verified.root.index
            check_root(verified.root, core.node(index), is_bound=index in verified.bound)
        signature = core.signature
        if verified.upgraded and _is_known(core, verified):
            verified.tree, verified.upgraded = core.tree, False
        if verified.upgraded:
            if verified.tree.length <= core.tree.length:
                raise InvalidProof(
                    f"another tree of {verified.tree.length} blocks than the one that is known here"
                )
            signature = proof.upgrade.signature if proof.upgrade is not None else None
            if authority is None or not authority.verify(verified.tree, core.fork, signature):
                raise InvalidSignature("the signature of the proof does not hold for its tree")
        self._begin(core)
        self._put_proven(core, verified.nodes, verified.bound, kept=verified.tree.length)
        contiguous = core.contiguous_length
        stored: tuple[tuple[int, int], ...] = ()
        if proof.block is not None and proof.block.value is not None:
            index, length = proof.block.index, verified.tree.length
            if index >= length:
                raise InvalidProof(f"block {index} was proven for a tree of {length} blocks")
            put_blocks(self._batch.put, core.keys, index, (proof.block.value,))
            stored = ((index, index + 1),)
            contiguous = _add_blocks(core, index, index + 1, length)
        next_ = _Next(core, verified.tree, core.fork, signature, contiguous)
        next_.stored = stored
        if manifest is not None and verified.upgraded:
            next_.manifest = manifest
        self._finish(next_, verified.tree.tree_hash() if verified.upgraded else None)
        return True

    def reorg(self, core: CoreState, reorg: Reorg) -> None:
        """Go over to the longer fork that a finished reorg has shown: what both have in common stays.

        Raises:
            InvalidSignature: its signature does not hold.
            InvalidOperation: it is not finished, or not of a higher fork.
        """
        if not reorg.is_finished or reorg.fork <= core.fork:
            raise InvalidOperation("the other fork is not known well enough, or not a higher one")
        authority, manifest = _authority(core, reorg.proof)
        if authority is None or not authority.verify(reorg.tree, reorg.fork, reorg.signature):
            raise InvalidSignature("the signature of the other fork does not hold for its tree")
        self._begin(core)
        old = core.tree.length
        contiguous = self._cut(core, reorg.ancestors)
        self._put_proven(core, reorg.nodes, reorg.bound, kept=reorg.ancestors)
        next_ = _Next(core, reorg.tree, reorg.fork, reorg.signature, contiguous)
        next_.removed = ((reorg.ancestors, old),) if reorg.ancestors < old else ()
        next_.shared_length = reorg.ancestors
        next_.manifest = manifest
        self._finish(next_, reorg.tree.tree_hash())

    def put_subtrees(
        self, core: CoreState, subtrees: Sequence[tuple[int, Sequence[bytes], Sequence[Node]]]
    ) -> None:
        """Store blocks of whole subtrees that were checked against nodes which are stored here.

        Each subtree is its first block, its blocks, and all its nodes below the root; the root stands last if
        only its hash, but not its size, was that of the stored one.
        """
        self._begin(core)
        length = core.tree.length
        next_ = _Next(core, core.tree, core.fork, core.signature, core.contiguous_length)
        stored = []
        for first, blocks, nodes in subtrees:
            end = first + len(blocks)
            put_blocks(self._batch.put, core.keys, first, blocks)
            put_nodes(self._batch.put, core.keys, nodes)
            stored.append((first, end))
            next_.contiguous_length = _add_blocks(core, first, end, length, next_.contiguous_length)
        next_.stored = stored
        self._finish(next_, None)

    def put_manifest(self, core: CoreState, manifest: Manifest) -> None:
        """Store the manifest of a core of which only the key was known.

        Raises:
            InvalidSignature: it is another core's.
        """
        Authority(core.key, manifest)
        self._begin(core)
        next_ = _Next(core, core.tree, core.fork, core.signature, core.contiguous_length)
        next_.manifest = manifest
        self._finish(next_, None)

    def append_to_branch(self, branch: BranchState, blocks: Sequence[bytes]) -> int:
        """Add blocks to a named session and return its new length; nothing is signed.

        Raises:
            InvalidOperation: the commit has changed it already.
        """
        self._begin_branch(branch)
        tree, nodes = branch.tree.append_blocks(blocks)
        put_blocks(self._batch.put, branch.keys, branch.tree.length, blocks)
        put_nodes(self._batch.put, branch.keys, nodes)
        self._change_branch(branch, tree, branch.fork, branch.base, branch.shared_length)
        return tree.length

    def truncate_branch(self, branch: BranchState, length: int, fork: int | None = None) -> None:
        """Cut a named session to its first ``length`` blocks; what it shares stays where it is.

        Raises:
            InvalidOperation: it is not that long.
        """
        old = branch.tree.length
        if not 0 <= length <= old:
            raise InvalidOperation(f"a session of {old} blocks cannot be truncated to {length}")
        self._begin_branch(branch)
        tree = branch.tree_at(length)
        self._delete_range(branch.keys.block, length, old)
        self._delete_nodes(branch.keys, length, old)
        self._change_branch(branch, tree, branch.fork + 1 if fork is None else fork, *branch.base_at(length))

    def merge(self, branch: BranchState, length: int, signature: bytes | None = None) -> int | None:
        """Make the first ``length`` blocks of a named session those of its core, and return the length.

        Returns None, and changes nothing, when the core has gone another way meanwhile.

        Raises:
            InvalidOperation: the manifest promises other first blocks, or more.
            NotWritable: nobody here can sign.
            InvalidSignature: the given signature does not hold.
        """
        core = branch.main
        shared = branch.length_shared_with_core()
        if core.authority is None or not max(shared, core.tree.length) <= length <= branch.tree.length:
            return None
        if core.tree.length < shared or any(branch.node(root.index) != root for root in core.tree.roots):
            return None
        # What the branch shares may have been truncated and written anew under it: its nodes prove nothing.
        blocks = [branch.need_block(index) for index in range(shared, length)]
        tree, nodes = core.tree_at(shared).append_blocks(blocks)
        if tree.roots != branch.tree_at(length).roots:
            return None
        self._begin(core)
        self._begin_branch(branch)
        tree_hash = tree.tree_hash()
        signature = sign_or_verify(core, tree, tree_hash, signature)
        put_blocks(self._batch.put, core.keys, shared, blocks)
        put_nodes(self._batch.put, core.keys, nodes)
        self._delete_range(branch.keys.block, shared, length)
        contiguous = core.contiguous_length
        if contiguous >= shared:
            contiguous = length
        else:
            core.bitfield.set_range(shared, length, True)
        next_ = _Next(core, tree, core.fork, signature, contiguous)
        next_.stored = ((shared, length),)
        self._finish(next_, tree_hash)
        base, end = (core, length) if length >= branch.shared_length else (branch.base, branch.shared_length)
        self._change_branch(branch, branch.tree, branch.fork, base, end)
        return length

    def _change_branch(
        self, branch: BranchState, tree: MerkleTree, fork: int, base: View, shared_length: int
    ) -> None:
        head = CoreHead(fork, tree.length, tree.tree_hash(), branch.signature)
        self._batch.put(branch.keys.head, head.encode())
        if (base, shared_length) != (branch.base, branch.shared_length):
            dependency = Dependency(base.keys.data_pointer, shared_length)
            self._batch.put(dependency_key(branch.keys.data_pointer), dependency.encode())

        def change() -> None:
            if fork != branch.fork:
                branch.main.forget_in_snapshots(branch.keys, tree.length)
            branch.tree, branch.fork = tree, fork
            branch.base, branch.shared_length = base, shared_length

        self._after.append(change)

    def when_written(self, change: Callable[[], None]) -> None:
        """Have a function called once everything is written; it must not raise."""
        self._after.append(change)

    def put_user_data(self, core: CoreState, key: str, value: bytes | None) -> None:
        """Store bytes of the application beside a core; None removes them.

        Raises:
            BadArgument: the name has no UTF-8.
            StorageError: the core was purged.
        """
        core.check_not_purged()
        self._changed.append(core)
        record = core.keys.user_data_key(key)
        if value is None:
            self._batch.delete(record)
        else:
            self._batch.put(record, value)

    def write(self) -> None:
        """Write everything.

        Raises:
            InvalidOperation: another commit has changed something of it meanwhile; nothing was changed.
            StorageError: nothing was changed.
        """
        try:
            for core in self._changed:
                core.check_not_purged()
            for next_ in self._next:
                if next_.core.tree is not next_.base:
                    raise InvalidOperation(
                        f"core {encode_id(next_.core.key)} was changed by another commit meanwhile"
                    )
            for branch, tree in self._branches:
                if branch.tree is not tree:
                    raise InvalidOperation(f"session {branch.name!r} was changed by another commit meanwhile")
            self._batch.write()
            # Still in here: an interrupt behind the write must not leave some of the cores as they were.
            for next_ in self._next:
                next_.adopt()
            for change in self._after:
                change()
        except BaseException:
            self.drop()
            raise
        for next_ in self._next:
            core = next_.core
            if core.observers or core.listeners:
                core.tell(Change(next_.stored, next_.removed))
        told = {next_.core for next_ in self._next}
        for branch, _ in self._branches:
            if branch.main not in told:
                told.add(branch.main)
                branch.main.tell_listeners()

    def drop(self) -> None:
        """Forget everything and read what is stored again: nobody knows whether a failed write happened."""
        self._batch.clear()
        for core in self._begun:
            core.load_if_possible()
        for branch, _ in self._branches:
            branch.load_if_possible()

    def __enter__(self) -> Commit:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.write()
        else:
            self.drop()

    def _begin(self, core: CoreState) -> None:
        core.settle()
        core.settled = False
        self._begun.append(core)
        self._changed.append(core)

    def _begin_branch(self, branch: BranchState) -> None:
        if any(branch is begun for begun, _ in self._branches):
            raise InvalidOperation(f"session {branch.name!r} was changed by this commit already")
        branch.main.check_not_purged()
        self._changed.append(branch.main)
        self._branches.append((branch, branch.tree))

    def _finish(self, next_: _Next, tree_hash: bytes | None) -> None:
        """Write head and hints where they changed; ``tree_hash`` is None when the head did not."""
        core = next_.core
        put = self._batch.put
        if tree_hash is not None:
            put_head(put, core.keys, next_.fork, next_.tree.length, tree_hash, next_.signature)
        if next_.contiguous_length != core.contiguous_length:
            put(core.keys.hints, encode_contiguous_length(next_.contiguous_length))
        if next_.manifest is not None:
            auth = replace(core.auth, manifest=next_.manifest)
            put(auth_key(core.record.core_pointer), auth.encode())
        put_changed_pages(put, core)
        self._next.append(next_)

    def _put_proven(self, core: CoreState, nodes: Sequence[Node], bound: Set[int], *, kept: int) -> None:
        """Store proven nodes; one whose size is only claimed does not replace one that is known.

        What is known stays stored only below the first ``kept`` blocks.
        """
        for node in nodes:
            if node.index not in bound and flat_tree.spans(node.index)[1] < 2 * kept:
                known = core.node(node.index)
                if known is not None and known.hash == node.hash:
                    continue
            put_nodes(self._batch.put, core.keys, (node,))

    def _cut(self, core: CoreState, length: int) -> int:
        """Delete the blocks from ``length`` on and all nodes above them; return the contiguous length."""
        old = core.tree.length
        if length < old:
            self._delete_range(core.keys.block, length, old)
            self._delete_nodes(core.keys, length, old)
            if core.has_bitfield_pages:
                core.bitfield.set_range(length, old, False)
        return min(core.contiguous_length, length)

    def _delete_nodes(self, keys: CoreKeys, length: int, old: int) -> None:
        """Delete the nodes above any block from ``length`` on."""
        self._delete_range(keys.node, 2 * length, 2 * old)
        # Ancestors of the last block that stays may be smaller than 2 * length and still reach over the cut.
        index = 2 * length - 2
        while length and not (flat_tree.contains(index, 0) and flat_tree.contains(index, 2 * old)):
            index = flat_tree.parent(index)
            if index < 2 * length and flat_tree.contains(index, 2 * length):
                self._batch.delete(keys.node + encode_index(index))

    def _delete_nodes_below(self, keys: CoreKeys, start: int, end: int) -> None:
        """Delete the nodes that only prove blocks of a range, but not those that other blocks need."""
        for root in flat_tree.cover(start, end):
            first, last = flat_tree.spans(root)
            if first < last:
                self._delete_range(keys.node, first, root)
                self._delete_range(keys.node, root + 1, last + 1)

    def _delete_range(self, prefix: bytes, start: int, end: int) -> None:
        delete = self._batch.delete
        for key in self._database.store.keys(prefix + encode_index(start), prefix + encode_index(end)):
            delete(key)


def _add_blocks(core: CoreState, start: int, end: int, length: int, contiguous: int | None = None) -> int:
    """Take note of blocks that are stored out of order, and return the contiguous length with them."""
    if contiguous is None:
        contiguous = core.contiguous_length
    if start > contiguous:
        core.bitfield.set_range(start, end, True)
    elif end > contiguous:
        # Without pages there is nothing behind the blocks: no need to make any.
        return core.bitfield.find_unset(end, length) if core.has_bitfield_pages else end
    return contiguous


def _authority(core: CoreState, proof: Proof) -> tuple[Authority | None, Manifest | None]:
    """Return who may sign the core and, if that was not known before, the manifest that says so."""
    if core.authority is not None:
        return core.authority, None
    if proof.upgrade is None:
        return None, None
    manifest = proof.manifest or Manifest.for_key(core.key)
    try:
        return Authority(core.key, manifest), manifest
    except InvalidSignature as error:
        raise InvalidSignature(f"the manifest of the proof is not that of the core: {error}") from None


def _is_known(core: CoreState, verified: Verified) -> bool:
    """Return whether an upgrade leads to a tree that is part of the one known here."""
    if verified.tree.length > core.tree.length:
        return False
    return all(core.node(root.index) == root for root in verified.tree.roots)
