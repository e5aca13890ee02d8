"""The Hypercore object: one user's view of a core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn, cast

from hypercore.core.state import CoreState, open_core
from hypercore.crypto import KeyPair
from hypercore.encoding import encode_index
from hypercore.errors import BadArgument, BlockNotAvailable, Closed
from hypercore.ids import decode_id, encode_id
from hypercore.manifest import Manifest
from hypercore.storage import Database, LevelDB, Memory

MAX_BLOCK_BYTES = 15 * 1024 * 1024
"""The largest block: what still fits into one message between peers."""


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

    Raises:
        BadArgument: key and key pair do not belong together.
        StorageLocked: another process has the directory open.
        StorageError: the directory cannot be used.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        key: bytes | str | None = None,
        key_pair: KeyPair | None = None,
    ) -> None:
        wanted = None if key is None else decode_id(key)
        database = Database(Memory() if path is None else LevelDB(Path(path) / "db"))
        try:
            default = database.default_discovery_key
            if wanted is None and key_pair is None and default is not None:
                state = CoreState(database, default)
            elif wanted is None and key_pair is None:
                state = open_core(database, key_pair=KeyPair.generate())
            else:
                state = open_core(database, key=wanted, key_pair=key_pair)
        except BaseException:
            database.close()
            raise
        self._attach(state, database.close)

    @classmethod
    def attached(cls, state: CoreState, release: Callable[[], None]) -> Hypercore:
        """Make another object on an open core; ``release`` is called once, when it closes."""
        core = cls.__new__(cls)
        core._attach(state, release)
        return core

    def _attach(self, state: CoreState, release: Callable[[], None]) -> None:
        self._state = state
        self._release: Callable[[], None] | None = release

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
        """The bytes of all blocks together."""
        return self._state.tree.byte_length

    @property
    def fork(self) -> int:
        """How often the core was truncated."""
        return self._state.fork

    @property
    def contiguous_length(self) -> int:
        """How many blocks from the first on are all stored here."""
        return self._state.contiguous_length

    @property
    def signature(self) -> bytes | None:
        """The signature over the tree as it is sent to peers, None for a core that was never written."""
        return self._state.signature

    def tree_hash(self, length: int | None = None) -> bytes:
        """Return the hash over the roots of the first ``length`` blocks, by default all.

        Raises:
            BadArgument: the core is not that long.
        """
        state = self._state
        return state.tree_at(state.tree.length if length is None else length).tree_hash()

    def verify(self) -> bool:
        """Return whether the signature holds for the tree."""
        return self._state.verify()

    # --- writing ----------------------------------------------------------------------------------

    def append(self, blocks: bytes | Sequence[bytes]) -> int:
        """Append one block, or a list of blocks in one commit with one signature, and return the new length.

        When it returns, the blocks survive the death of the process.

        Raises:
            BadArgument: something else than bytes, or a block of more than MAX_BLOCK_BYTES; nothing was
                appended.
            NotWritable: the secret key is not here.
            StorageError: the store failed; nothing was appended.
        """
        if isinstance(blocks, bytes):
            blocks = (blocks,)
        for block in blocks:
            if not isinstance(block, bytes):
                raise BadArgument(f"a block is bytes, found {type(block).__name__}")
            if len(block) > MAX_BLOCK_BYTES:
                raise BadArgument(f"a block has at most {MAX_BLOCK_BYTES} bytes, found {len(block)}")
        return self._state.append(blocks) if blocks else self._state.tree.length

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
            self._refuse(index)
        return block

    def get_many(self, indexes: Iterable[int]) -> list[bytes]:
        """Return several blocks, in the order asked for; a ``range`` with step 1 is read in one go.

        Raises:
            BlockNotAvailable: the first one that is not here.
            BadArgument: an index is negative.
        """
        if isinstance(indexes, range) and indexes.step == 1 and 0 <= indexes.start < indexes.stop:
            blocks = list(self._range(indexes.start, indexes.stop, reverse=False))
            if len(blocks) == len(indexes):
                return blocks
        return [self.get(index) for index in indexes]

    def has(self, start: int, end: int | None = None) -> bool:
        """Return whether a block, or all from ``start`` up to but not including ``end``, are stored here.

        An empty range is.

        Raises:
            BadArgument: an index is negative.
        """
        if end is None:
            end = start + 1
        if start < 0 or end < 0:
            raise BadArgument(f"a block index is not negative, found {start} to {end}")
        return end <= max(self._state.contiguous_length, start)

    def read_stream(
        self, start: int = 0, end: int | None = None, *, reverse: bool = False
    ) -> Iterator[bytes]:
        """Iterate over the blocks from ``start`` up to but not including ``end``.

        By default ``end`` is the length as it is now.

        Raises:
            BadArgument: ``start`` is negative.
            BlockNotAvailable: while iterating, a block is not here.
        """
        if start < 0:
            raise BadArgument(f"a block index is not negative, found {start}")
        length = self._state.tree.length
        end = length if end is None else end
        if start >= end:
            return iter(())
        missing = self._state.contiguous_length
        if end > missing:
            raise BlockNotAvailable(max(start, missing), length=length)
        return self._range(start, end, reverse=reverse)

    def _range(self, start: int, end: int, *, reverse: bool) -> Iterator[bytes]:
        state = self._state
        prefix = state.keys.block
        return state.store.values(prefix + encode_index(start), prefix + encode_index(end), reverse=reverse)

    def _refuse(self, index: int) -> NoReturn:
        if index < 0:
            raise BadArgument(f"a block index is not negative, found {index}")
        raise BlockNotAvailable(index, length=self._state.tree.length)

    # --- closing ----------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether close was called."""
        return self._release is None

    def close(self) -> None:
        """Close this object; the core itself closes with its last object. Closing twice is fine."""
        release, self._release = self._release, None
        if release is not None:
            self._state = cast(CoreState, _ClosedState(f"core {self.id} is closed"))
            release()

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


class _ClosedState:
    """Stands in for the state of a closed core: every use raises Closed, and open cores need no check."""

    def __init__(self, message: str) -> None:
        self._message = message

    def __getattr__(self, name: str) -> NoReturn:
        raise Closed(self._message)
