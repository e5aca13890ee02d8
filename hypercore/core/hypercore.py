"""The Hypercore object: one user's view of a core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NoReturn, cast
from weakref import WeakMethod, WeakSet

from hypercore.core.appending import append_alone
from hypercore.core.audit import audit_core
from hypercore.core.batch import CoreBatch, check_length
from hypercore.core.branches import BranchState, open_branch
from hypercore.core.commits import Commit
from hypercore.core.info import CoreInfo
from hypercore.core.opening import open_core
from hypercore.core.state import CoreState, SnapshotState, View
from hypercore.core.userdata import UserData
from hypercore.crypto import KeyPair
from hypercore.encoding import INDEX_END, encode_index
from hypercore.encryption import PADDING, BlockEncryption, check_encryption_key
from hypercore.errors import BadArgument, Closed, NotWritable
from hypercore.ids import decode_id, encode_id
from hypercore.manifest import Manifest
from hypercore.proofs import Proof, ProofMaker, ProofRequest
from hypercore.proofs.reorg import Reorg
from hypercore.signing import Authority
from hypercore.storage import open_database

# A commit is held in memory until it is written. A power of two, so that ranges are cut between subtrees.
_BLOCKS_PER_CLEARING = 65536

MAX_BLOCK_BYTES = 15 * 1024 * 1024
"""The largest stored block: what still fits into one message between peers."""


class Hypercore:
    """A signed append-only log of blocks of bytes.

    Opened by itself it lives in a directory of its own: the key that is stored there, or a new random one.
    Inside a store use ``Corestore.get``. It is a context manager; it must not be used from two threads at
    once.

    Args:
        path: the directory, made if it does not exist; None keeps everything in memory.
        key: the core to open, as bytes or id; one that is not stored can be read as far as its blocks arrive.
        key_pair: who signs; with ``key`` equal to its public key the core is a compat core, as old versions
            made them.
        manifest: who may sign a core that is made; by default the key pair alone.
        encryption_key: 32 secret bytes; blocks are stored and sent encrypted.
        sync: whether an append returns only when the disk has it, so that it survives the death of the
            machine, too.

    Raises:
        BadArgument: a key is of the wrong size, or key, key pair and manifest do not belong together.
        StorageLocked: another process has the directory open.
        StorageError: the directory cannot be used.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        key: bytes | str | None = None,
        key_pair: KeyPair | None = None,
        manifest: Manifest | None = None,
        encryption_key: bytes | None = None,
        sync: bool = False,
    ) -> None:
        wanted = None if key is None else decode_id(key)
        check_encryption_key(encryption_key)
        database = open_database(path, sync=sync)
        try:
            default = database.default_discovery_key
            if wanted is None and key_pair is None and manifest is None:
                if default is not None:
                    state = CoreState(database, default)
                else:
                    state = open_core(database, key_pair=KeyPair.generate())
            else:
                state = open_core(database, key=wanted, key_pair=key_pair, manifest=manifest)
            self._attach(state, state, database.close, encryption_key)
        except BaseException:
            database.close()
            raise

    @classmethod
    def attached(
        cls, state: CoreState, release: Callable[[], None], encryption_key: bytes | None = None
    ) -> Hypercore:
        """Make another object on an open core; ``release`` is called once, when it closes."""
        core = cls.__new__(cls)
        core._attach(state, state, release, encryption_key)
        return core

    def _attach(
        self, view: View, main: CoreState, release: Callable[[], None], encryption_key: bytes | None
    ) -> None:
        self._state = view
        self._main = main
        self._release: Callable[[], None] | None = release
        self._encryption_key = encryption_key
        self._cipher_of: Authority | None = None
        self._cipher: BlockEncryption | None = None
        self._sessions: WeakSet[Hypercore] = WeakSet()
        self._listeners: list[Callable[[], None]] = []
        main.objects.add(self)

    def _encryption(self) -> BlockEncryption | None:
        """Return what encrypts the blocks; that of compat cores is another, which only the manifest tells."""
        if self._encryption_key is None:
            return None
        authority = self._main.authority
        if self._cipher is None or self._cipher_of is not authority:
            is_compat = authority is not None and authority.is_compat
            self._cipher = BlockEncryption(self._main.key, self._encryption_key, compat=is_compat)
            self._cipher_of = authority
        return self._cipher

    # --- what it is -------------------------------------------------------------------------------

    @property
    def key(self) -> bytes:
        """The core's key, 32 bytes: whoever knows it can read and verify the core."""
        return self._state.key

    @property
    def id(self) -> str:
        """The key as z-base-32 text."""
        return encode_id(self._state.key)

    @property
    def discovery_key(self) -> bytes:
        """32 bytes by which peers find each other without telling the key."""
        return self._state.discovery_key

    @property
    def key_pair(self) -> KeyPair | None:
        """The key pair that signs, None when the core is not ours."""
        return self._state.key_pair

    @property
    def manifest(self) -> Manifest | None:
        """Who may sign the core; None until it is known."""
        return self._state.manifest

    @property
    def writable(self) -> bool:
        """Whether append works here."""
        return self._state.writable

    @property
    def length(self) -> int:
        """The number of blocks."""
        return self._state.tree.length

    @property
    def byte_length(self) -> int:
        """The bytes of all blocks together, without what encryption adds."""
        tree = self._state.tree
        return tree.byte_length - self.padding * tree.length

    @property
    def padding(self) -> int:
        """How many bytes encryption adds to each block."""
        return 0 if self._encryption_key is None else PADDING

    @property
    def fork(self) -> int:
        """How often the core was truncated, or the number its last truncation gave it."""
        return self._state.fork

    @property
    def contiguous_length(self) -> int:
        """How many blocks from the first on are all stored here."""
        return self._state.contiguous_length

    @property
    def signature(self) -> bytes | None:
        """The signature over the tree as it is sent to peers, None for a core that was never written."""
        return self._state.signature

    @property
    def user_data(self) -> UserData:
        """Bytes that the application keeps beside the core, by name; they are not part of the log."""
        return UserData(self._need_main())

    def tree_hash(self, length: int | None = None) -> bytes:
        """Return the hash over the roots of the first ``length`` blocks, by default all.

        Raises:
            BadArgument: the core is not that long.
            InvalidOperation: a node that it needs is not stored.
        """
        state = self._state
        return state.tree_at(state.tree.length if length is None else length).tree_hash()

    def verify(self) -> bool:
        """Return whether the signature holds for the tree."""
        state = self._state
        authority = self._main.authority
        if state.tree.length == 0 and state.signature is None:
            return True
        return authority is not None and authority.verify(state.tree, state.fork, state.signature)

    def info(self) -> CoreInfo:
        """Return what there is to say about the core, with its size on disk and in memory."""
        return CoreInfo.of(self._need_main(), self.byte_length, self.padding)

    def audit(self, progress: Callable[[int], None] = lambda blocks: None) -> list[str]:
        """Check everything that is stored of the core and return what is wrong, one sentence each.

        ``progress`` is called now and then with the number of blocks, of the core and of its branches, that
        were checked since the last call; a block counts when the tree nodes before it were, too.

        Raises:
            StorageError: the storage cannot be read.
        """
        return list(audit_core(self._need_main(), progress))

    @property
    def state(self) -> CoreState:
        """The core below this object, for the layers that exchange it with peers.

        Raises:
            Closed: this object is closed.
        """
        self._check_open()
        return self._main

    # --- writing ----------------------------------------------------------------------------------

    def append(
        self, blocks: bytes | Sequence[bytes], *, signature: bytes | None = None, commit: Commit | None = None
    ) -> int:
        """Append one block, or a list of blocks in one commit with one signature, and return the new length.

        When it returns, the blocks survive the death of the process.

        Args:
            blocks: bytes, or a list of bytes.
            signature: over the new tree, for a core that several have to sign; by default it is made here.
            commit: of ``Corestore.commit``; the blocks are stored with it and not seen before.

        Raises:
            BadArgument: something else than bytes, or a block of more than MAX_BLOCK_BYTES.
            InvalidOperation: the manifest promises other first blocks, or more.
            InvalidSignature: the given signature does not hold for the new tree.
            NotWritable: the secret key is not here.
            StorageError: the store failed.

        After an error nothing was appended.
        """
        if isinstance(blocks, bytes):
            blocks = (blocks,)
        elif not isinstance(blocks, (list, tuple)):
            raise BadArgument(f"bytes or a list of bytes wanted, found {type(blocks).__name__}")
        limit = MAX_BLOCK_BYTES - self.padding
        for block in blocks:
            if not isinstance(block, bytes):
                raise BadArgument(f"a block is bytes, found {type(block).__name__}")
            if len(block) > limit:
                raise BadArgument(f"a block has at most {limit} bytes, found {len(block)}")
        state = self._state
        if not blocks:
            return state.tree.length
        encryption = self._encryption()
        if encryption is not None:
            self._main.settle()  # no two blocks are encrypted for one index
            encrypt, fork = encryption.encrypt, self._main.fork
            blocks = [encrypt(index, fork, block) for index, block in enumerate(blocks, state.tree.length)]
        if state is self._main:
            if commit is not None:
                return commit.append(state, blocks, signature)
            return append_alone(self._main, blocks, signature)
        branch = self._need_branch()
        if commit is not None:
            return commit.append_to_branch(branch, blocks)
        with Commit(state.database) as own:
            return own.append_to_branch(branch, blocks)

    def truncate(self, length: int, *, fork: int | None = None) -> None:
        """Cut the core to its first ``length`` blocks, under the next fork or the given one.

        Raises:
            BadArgument: the fork is not above the present one.
            InvalidOperation: the core is not that long, or its manifest promises more blocks.
            NotWritable: the secret key is not here.
            StorageError: nothing was cut.
        """
        with Commit(self._state.database) as commit:
            if self._state is self._main:
                commit.truncate(self._main, length, fork)
            else:
                commit.truncate_branch(self._need_branch(), length, fork)

    def clear(self, start: int, end: int | None = None) -> None:
        """Forget a block, or all from ``start`` up to but not including ``end``; the length stays.

        Raises:
            BadArgument: an index is negative.
            StorageError: nothing was forgotten.
        """
        self.clear_ranges([(start, start + 1 if end is None else end)])

    def clear_ranges(self, ranges: Iterable[tuple[int, int]], *, prune: bool = False) -> None:
        """Forget all blocks in ranges, each from its first up to but not including its second number.

        Args:
            ranges: in ascending order.
            prune: also forget the tree nodes that only prove blocks of one range. Then these blocks cannot
                be proven to anybody any more, the core cannot be truncated to a length within the range, and
                a copy of such a length cannot follow this core any further.

        Raises:
            BadArgument: an index is negative.
            StorageError: the ranges before may be forgotten.
        """
        main = self._need_main()
        pieces: list[tuple[int, int]] = []
        blocks = 0
        for start, end in ranges:
            if start < 0 or end < 0:
                raise BadArgument(f"a block index is not negative, found {start} to {end}")
            for piece in _split(start, min(end, main.tree.length)):
                pieces.append(piece)
                blocks += piece[1] - piece[0]
                if blocks >= _BLOCKS_PER_CLEARING:
                    self._clear(pieces, prune=prune)
                    blocks = 0
        self._clear(pieces, prune=prune)

    def _clear(self, ranges: list[tuple[int, int]], *, prune: bool) -> None:
        if ranges:
            with Commit(self._main.database) as commit:
                commit.clear(self._main, ranges, prune=prune)
            ranges.clear()

    def compact(self, start: int = 0, end: int | None = None) -> None:
        """Give the disk space of what was cleared, truncated or overwritten back at once.

        The storage does it by itself some time after most other writes. It takes the time to write what is
        left anew: of the whole core, or only of a range of blocks and of their part of the tree.

        Raises:
            BadArgument: an index is negative.
            StorageError: it failed; nothing is lost.
        """
        main = self._need_main()
        keys, compact = main.keys, main.database.store.compact
        if start < 0 or (end is not None and end < 0):
            raise BadArgument(f"a block index is not negative, found {start} to {end}")
        if start == 0 and end is None:
            compact(keys.everything, keys.everything + INDEX_END)
            return
        for prefix, factor in ((keys.block, 1), (keys.node, 2)):
            stop = INDEX_END if end is None else encode_index(factor * end)
            compact(prefix + encode_index(factor * start), prefix + stop)

    def purge(self) -> None:
        """Delete the core with all its records and close all objects on it, sessions and snapshots, too.

        Raises:
            StorageError: nothing was deleted.
        """
        self._need_main().purge()

    # --- reading ----------------------------------------------------------------------------------

    def get(self, index: int) -> bytes:
        """Return a block.

        Raises:
            BlockNotAvailable: it is not stored here, or behind the end.
            BadArgument: the index is negative.
        """
        state = self._state
        block = state.store.get(state.keys.block + encode_index(index))
        if block is None:
            block = state.missing_block(index)
        if self._encryption_key is None:
            return block
        encryption = self._encryption()
        return block if encryption is None else encryption.decrypt(index, block)

    def get_many(self, indexes: Iterable[int]) -> list[bytes]:
        """Return several blocks, in the order asked for; a ``range`` with step 1 is read in one go.

        Raises:
            BlockNotAvailable: the first one that is not here.
            BadArgument: an index is negative.
        """
        if isinstance(indexes, range) and indexes.step == 1 and indexes.start >= 0:
            return list(self.read_stream(indexes.start, indexes.stop))
        return [self.get(index) for index in indexes]

    def has(self, start: int, end: int | None = None) -> bool:
        """Return whether a block, or all from ``start`` up to but not including ``end``, are stored here.

        An empty range is.

        Raises:
            BadArgument: an index is negative.
        """
        end = start + 1 if end is None else end
        if start < 0 or end < 0:
            raise BadArgument(f"a block index is not negative, found {start} to {end}")
        return self._state.has(start, end)

    def stored_ranges(self, start: int = 0) -> Iterator[tuple[int, int]]:
        """Iterate over the ranges of blocks from ``start`` on that are stored here.

        Each comes as its first block and the one behind its last.
        """
        return self._need_main().stored_ranges(start)

    def read_stream(
        self, start: int = 0, end: int | None = None, *, reverse: bool = False
    ) -> Iterator[bytes]:
        """Iterate over the blocks from ``start`` up to but not including ``end``.

        By default ``end`` is the length as it is now.

        Raises:
            BadArgument: ``start`` is negative.
            BlockNotAvailable: while iterating, a block is not here.
            StorageCorrupt: at the end, damaged storage has lost some of the blocks; the others all came.
        """
        if start < 0:
            raise BadArgument(f"a block index is not negative, found {start}")
        end = self._state.tree.length if end is None else end
        if start >= end:
            return iter(())
        if self._encryption_key is None:
            return self._state.blocks(start, end, reverse=reverse)
        return map(self.get, range(end - 1, start - 1, -1) if reverse else range(start, end))

    def seek(self, byte_offset: int) -> tuple[int, int]:
        """Return the block at a byte offset, and the offset in it.

        Where blocks are empty it stops where the reference does; the end is the block behind the last.

        Raises:
            BadArgument: the offset is negative or behind the end.
            BlockNotAvailable: a tree node that is needed is not stored; with this block it comes.
            InvalidOperation: it is not stored although its blocks are.
        """
        return self._state.seek(byte_offset, self.padding)

    def byte_stream(self, byte_offset: int = 0, byte_length: int | None = None) -> Iterator[bytes]:
        """Iterate over the bytes from an offset on, by default to the end, in pieces of at most a block.

        Raises:
            BadArgument: the range is not in the core.
            BlockNotAvailable: while iterating, a block is not here.
        """
        total = self.byte_length
        rest = total - byte_offset if byte_length is None else byte_length
        if byte_offset < 0 or rest < 0 or byte_offset + rest > total:
            raise BadArgument(
                f"bytes {byte_offset} to {byte_offset + rest} are not in a core of {total} bytes"
            )
        if rest == 0:
            return iter(())
        index, skip = self.seek(byte_offset)
        return self._pieces(index, skip, rest)

    def _pieces(self, index: int, skip: int, rest: int) -> Iterator[bytes]:
        while rest:
            piece = self.get(index)[skip : skip + rest]
            if piece:
                yield piece
            rest -= len(piece)
            index, skip = index + 1, 0

    # --- proofs -----------------------------------------------------------------------------------

    def proof(self, request: ProofRequest) -> Proof:
        """Return the proof of a block, hash, seek or upgrade, for somebody who knows only the key.

        Raises:
            BlockNotAvailable: the block is not stored here.
            InvalidOperation: the request does not fit the core, or a node that is needed is not stored.
        """
        state = self._state
        maker = ProofMaker(
            state.tree,
            state.node,
            fork=state.fork,
            signature=state.signature,
            prologue=None if state.manifest is None else state.manifest.prologue,
        )
        proof = maker.make(request)
        if proof.block is not None:
            index = proof.block.index
            block = state.store.get(state.keys.block + encode_index(index))
            proof.block.value = state.missing_block(index) if block is None else block
        is_compat = self._main.authority is not None and self._main.authority.is_compat
        if proof.upgrade is not None and not is_compat:
            proof.manifest = state.manifest
        return proof

    def apply_proof(self, proof: Proof) -> bool:
        """Check a proof and store what it shows; return whether it belongs to the fork of this core.

        Raises:
            InvalidOperation: it does not fit what is known here.
            InvalidProof: it is wrong; nothing of it was stored.
        """
        main = self._need_main()
        with Commit(main.database) as commit:
            return commit.apply_proof(main, proof)

    def begin_reorg(self, proof: Proof) -> Reorg:
        """Begin to go over to a higher fork, given the proof of its whole tree.

        Raises:
            InvalidOperation, InvalidProof: the proof is wrong.
        """
        main = self._need_main()
        prologue = None if main.manifest is None else main.manifest.prologue
        return Reorg(main.node, main.tree.length, proof, prologue)

    def apply_reorg(self, reorg: Reorg) -> None:
        """Go over to a higher fork.

        Raises:
            InvalidSignature: its signature does not hold.
            InvalidOperation: it is not finished, or not of a higher fork.
        """
        main = self._need_main()
        with Commit(main.database) as commit:
            commit.reorg(main, reorg)

    def missing_nodes(self, index: int) -> int:
        """Return how many levels above a tree node are not stored: the ``nodes`` of a request for it."""
        return self._state.missing_nodes(index)

    # --- views ------------------------------------------------------------------------------------

    def snapshot(self) -> Hypercore:
        """Return the core as it is now, to be read only; close it when it is no longer needed."""
        return self._view(SnapshotState(self._state, self._main), _nothing)

    def session(self, name: str | None = None, *, overwrite: bool = False) -> Hypercore:
        """Return another object on the same core, to be closed by itself.

        With a name it is a branch: it begins with the blocks of this core, what is appended to it is stored
        beside the core and signed by nobody, and ``commit`` makes it part of the core. It can be opened again
        by its name, through the core (or branch) that it was made from.

        Args:
            name: of the branch.
            overwrite: begin it anew if there is one of that name.

        Raises:
            InvalidOperation: what the branch was made from was truncated since, so that a root of its tree is
                missing, or the branch that is to begin anew is what this object stands on.
            StorageError: the store failed.
        """
        if name is None:
            return self._view(self._state, _nothing)
        self._check_open()
        return self._view(open_branch(self._main, self._state, name, overwrite=overwrite), _nothing)

    def commit(
        self, session: Hypercore, *, length: int | None = None, signature: bytes | None = None
    ) -> int | None:
        """Make the blocks of a branch, by default all, those of this core; return the new length.

        Returns None, and changes nothing, when this core has gone another way since the branch was made.

        Raises:
            BadArgument: the session is not a branch of this core.
            InvalidOperation: the manifest promises other first blocks, or more.
            InvalidSignature: the given signature does not hold.
            NotWritable: the secret key is not here.
            StorageError: nothing was changed.
        """
        main = self._need_main()
        branch = session._state
        if not isinstance(branch, BranchState) or branch.main is not main:
            raise BadArgument("only a named session of this core can be committed to it")
        with Commit(main.database) as commit:
            return commit.merge(branch, branch.tree.length if length is None else length, signature)

    def batch(self) -> CoreBatch:
        """Return a batch: blocks that are appended in one commit, with one signature."""

        def append(blocks: Sequence[bytes], expected: int) -> int:
            check_length(self.length, expected)
            return self.append(blocks)

        return CoreBatch(self.length, self.get, append)

    def _view(self, state: View, release: Callable[[], None]) -> Hypercore:
        self._check_open()
        view = Hypercore.__new__(Hypercore)
        view._attach(state, self._main, release, self._encryption_key)
        self._sessions.add(view)
        return view

    def _need_main(self) -> CoreState:
        """Return the state that can be changed."""
        if self._state is not self._main:
            self._check_open()
            raise NotWritable("a snapshot can only be read")
        return self._main

    def _need_branch(self) -> BranchState:
        if not isinstance(self._state, BranchState):
            self._check_open()
            raise NotWritable("a snapshot can only be read")
        return self._state

    def _check_open(self) -> None:
        if self._release is None:
            raise Closed("the core is closed")

    def shared_length(self, other: Hypercore) -> int:
        """Return how many blocks from the first on two views of one core have in common, branches aside.

        It is the length of the shorter one unless the core was truncated between the two.
        """
        length = min(self.length, other.length)
        if self.fork == other.fork:
            return length
        for state in (self._state, other._state):
            if isinstance(state, SnapshotState):
                length = min(length, state.common_length)
        return length

    # --- changes ----------------------------------------------------------------------------------

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have a function called after every change of the core, and once more when this object closes.

        The changes of its named sessions are among them. It must not raise and not write; the returned
        function ends it.
        """
        self._check_open()
        self._main.listeners.append(listener)
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)
                self._main.listeners.remove(listener)

        return end

    def answer_messages(self, name: str, answer: Callable[[bytes], list[bytes]]) -> None:
        """Have a method answer what peers send under the name of an extension, as long as its object lives.

        It gets the message, which may be anything, and returns the messages to send back; the last one given
        for a name counts.
        """
        self.state.answerers[name] = WeakMethod(answer)

    # --- closing ----------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether close was called."""
        return self._release is None

    def close(self) -> None:
        """Close this object and its sessions and snapshots; the core itself closes with its last object.

        Closing twice is fine.
        """
        release, self._release = self._release, None
        if release is not None:
            for session in list(self._sessions):
                session.close()
            self._state = cast(CoreState, _ClosedState(f"core {self.id} is closed"))
            listeners, self._listeners = self._listeners, []
            for listener in listeners:
                self._main.listeners.remove(listener)
            self._main.objects.discard(self)
            release()
            for listener in listeners:
                listener()

    def __enter__(self) -> Hypercore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return self.length

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        if self.closed:
            return "<Hypercore closed>"
        return f"<Hypercore {self.id} length={self.length} fork={self.fork}>"


def _nothing() -> None:
    """What a session gives back when it closes."""


def _split(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a range of blocks into pieces that one commit can take."""
    while start < end:
        stop = min(end, (start // _BLOCKS_PER_CLEARING + 1) * _BLOCKS_PER_CLEARING)
        yield start, stop
        start = stop


class _ClosedState:
    """Stands in for the state of a closed core: every use raises Closed, and open cores need no check."""

    def __init__(self, message: str) -> None:
        self._message = message

    def __getattr__(self, name: str) -> NoReturn:
        raise Closed(self._message)
