"""Writing blobs: one that grows block by block, and many that are appended together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from hypercore.core import Commit, Hypercore
from hypercore.crypto import blake2b_256
from hypercore.errors import BadArgument, Closed, InvalidOperation
from hypercore.hyperblobs.ids import BlobId
from hypercore.hyperblobs.maps import Piece, encode_map
from hypercore.hyperblobs.reading import BlobReader

# A stream is appended in groups of so many blocks, as the reference does, or earlier if they are large.
_GROUP_BLOCKS = 16
_GROUP_BYTES = 4 << 20
# What a batch holds in memory at most.
_BATCH_BYTES = 16 << 20


class Holder(Protocol):
    """Whoever keeps others from writing blobs: as long as it says so, and as long as it is there."""

    @property
    def holds(self) -> bool:
        """Whether it still does."""


class Appender:
    """Appends to a core in several commits, as long as nobody else does."""

    def __init__(self, core: Hypercore) -> None:
        core.state.settle()
        self._core = core
        self._length = core.length

    def append(self, blocks: Sequence[bytes], commit: Commit | None = None) -> None:
        """Append blocks behind those that were appended before.

        Raises:
            InvalidOperation: somebody else has changed the core.
            As Hypercore.append.
        """
        self._core.state.settle()
        if self._core.length != self._length:
            raise InvalidOperation("the core of the blobs was changed by somebody else meanwhile")
        self._length = self._core.append(blocks, commit=commit)


class BlobWriter:
    """A blob that is being written; each call of ``write`` is a block. Its memory does not grow with it.

    Until it is finished or closed, nothing else can be written to the blobs. As a context manager it is
    finished at the end, and closed when an exception leaves it.

    Args:
        core: where it goes.
        dedup: store equal blocks once, and a map of them all at the end.
        known: with ``dedup``, a blob whose blocks are not stored again either.
    """

    def __init__(self, core: Hypercore, *, dedup: bool = False, known: BlobId | None = None) -> None:
        self._core = core
        self._ended = False
        self._appender = Appender(core)
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._start = core.length, core.byte_length
        self._written = 0, 0
        self._pieces: list[Piece] | None = [] if dedup else None
        self._known = _pieces_by_hash(core, known) if dedup and known is not None else {}
        self._id: BlobId | None = None

    @property
    def holds(self) -> bool:
        """Whether it keeps others from writing: until it is finished or closed."""
        return not self._ended

    @property
    def id(self) -> BlobId:
        """The id of the blob.

        Raises:
            InvalidOperation: it is not finished.
        """
        if self._id is None:
            raise InvalidOperation("a blob has its id when it is finished")
        return self._id

    def write(self, block: bytes) -> int:
        """Add a block, which may be empty, and return its size.

        Raises:
            BadArgument: something else than bytes, or more than a core can take.
            InvalidOperation: somebody else has changed the core.
            StorageError: the store failed.
            Closed: the blob is finished or closed.

        After an error of the core the blob is closed; what was written of it is of no use.
        """
        self._check_open()
        if not isinstance(block, bytes):
            raise BadArgument(f"a block is bytes, found {type(block).__name__}")
        if self._pieces is None or self._is_new(block):
            self._pending.append(block)
            self._pending_bytes += len(block)
            blocks, size = self._written
            self._written = blocks + 1, size + len(block)
            if len(self._pending) >= _GROUP_BLOCKS or self._pending_bytes >= _GROUP_BYTES:
                self._append_pending()
        return len(block)

    def finish(self, commit: Commit | None = None) -> BlobId:
        """Append what is left and return the id; with a commit, of ``Corestore.commit``, as part of it.

        Raises:
            As write.
        """
        self._check_open()
        try:
            block_offset, byte_offset = self._start
            blocks, size = self._written
            if self._pieces is None:
                self._id = BlobId(block_offset, byte_offset, blocks, size)
            else:
                map_ = encode_map(self._pieces)
                self._pending += map_
                at = block_offset + blocks, byte_offset + size
                self._id = BlobId(*at, len(map_), sum(map(len, map_)), block_map=True)
            self._appender.append(self._pending, commit)
        finally:
            self.close()
        return self._id

    def close(self) -> None:
        """End it; what was not appended is dropped, what was is of no use. Closing twice is fine."""
        self._ended = True
        self._pending = []

    def __enter__(self) -> BlobWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and not self._ended:
                self.finish()
        finally:
            self.close()

    def _append_pending(self) -> None:
        try:
            self._appender.append(self._pending)
            self._pending, self._pending_bytes = [], 0
        except BaseException:
            # Nobody must go on behind blocks that are missing.
            self.close()
            raise

    def _is_new(self, block: bytes) -> bool:
        """Add a block to the map, and return whether it has to be stored."""
        assert self._pieces is not None
        hash_ = blake2b_256(block)
        piece = self._known.get(hash_)
        is_new = piece is None
        if piece is None:
            piece = self._known[hash_] = (self._start[0] + self._written[0], len(block))
        self._pieces.append(piece)
        return is_new

    def _check_open(self) -> None:
        if self._ended:
            raise Closed("the blob is finished or closed")


class BlobBatch:
    """Blobs that are appended together; when they grow too large for that, in several commits.

    From the first put until flush or close, nothing else can be written to the blobs. As a context manager it
    flushes at the end, and drops everything that is not stored yet when an exception leaves it.

    Args:
        core: where they go.
        block_bytes: the size of their blocks.
        lock: called with the batch before the first put.
    """

    def __init__(self, core: Hypercore, block_bytes: int, lock: Callable[[Holder], None]) -> None:
        self._core = core
        self._block_bytes = block_bytes
        self._lock = lock
        self._appender: Appender | None = None
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._ended = False

    @property
    def holds(self) -> bool:
        """Whether it keeps others from writing: from the first put until flush or close."""
        return self._appender is not None and not self._ended

    def put(self, data: bytes) -> BlobId:
        """Add a blob and return the id it is going to have.

        Raises:
            BadArgument: something else than bytes.
            InvalidOperation: another blob is being written, or somebody else has changed the core.
            NotWritable, StorageError: as Hypercore.append.
            Closed: the batch is over.
        """
        self._check_open()
        blocks = cut(data, self._block_bytes)
        if self._appender is None:
            self._lock(self)
            self._appender = Appender(self._core)
        blob = BlobId(
            self._core.length + len(self._pending),
            self._core.byte_length + self._pending_bytes,
            len(blocks),
            len(data),
        )
        self._pending += blocks
        self._pending_bytes += len(data)
        if self._pending_bytes >= _BATCH_BYTES:
            self._append(None)
        return blob

    def get(self, blob: BlobId, start: int = 0, length: int | None = None) -> bytes:
        """Return a blob of the core or of the batch, or a part of it. See Hyperblobs.get."""
        reader = self.reader(blob)
        return b"".join(reader.stream(start, reader.check(start, length)))

    def reader(self, blob: BlobId) -> BlobReader:
        """Return what finds each byte of a blob of the core or of the batch. See Hyperblobs.reader."""
        first = blob.block_offset - self._core.length
        if first < 0 or not blob.block_length or first + blob.block_length > len(self._pending):
            return BlobReader(self._core, blob)
        return _PendingReader(self._core, blob, self._pending[first : first + blob.block_length])

    def flush(self, commit: Commit | None = None) -> None:
        """Append everything and end the batch; with a commit, that of ``Corestore.commit``, it is part of it.

        Raises:
            As put; nothing of what was not stored yet was appended.
        """
        self._check_open()
        try:
            self._append(commit)
        finally:
            self.close()

    def close(self) -> None:
        """Drop what is not stored yet and end the batch. Closing twice is fine."""
        self._ended = True
        self._pending = []

    def __enter__(self) -> BlobBatch:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and not self._ended:
                self.flush()
        finally:
            self.close()

    def _append(self, commit: Commit | None) -> None:
        if self._appender is not None and self._pending:
            self._appender.append(self._pending, commit)
            self._pending = []
            self._pending_bytes = 0

    def _check_open(self) -> None:
        if self._ended:
            raise Closed("the batch is over: it was flushed or closed")


class _PendingReader(BlobReader):
    """A blob that a batch holds; it can be read also when the batch is over."""

    def __init__(self, core: Hypercore, blob: BlobId, blocks: Sequence[bytes]) -> None:
        super().__init__(core, blob)
        self._blocks = blocks

    def find(self, position: int) -> tuple[int, int]:
        return divmod(position, len(self._blocks[0]))  # all but the last have the same size

    def block(self, number: int) -> bytes:
        return self._blocks[number]


def cut(data: bytes, size: int) -> list[bytes]:
    """Return data in blocks of a size, the last of which may be smaller; none for no data.

    Raises:
        BadArgument: something else than bytes.
    """
    if not isinstance(data, bytes):
        raise BadArgument(f"the data of a blob is bytes, found {type(data).__name__}")
    if len(data) <= size:
        return [data] if data else []
    return [data[start : start + size] for start in range(0, len(data), size)]


def _pieces_by_hash(core: Hypercore, blob: BlobId) -> dict[bytes, Piece]:
    """Return the blocks of a blob by their hashes."""
    reader = BlobReader(core, blob)
    found: dict[bytes, Piece] = {}
    for index, block in reader.data_blocks():
        found[blake2b_256(block)] = (index, len(block))
    return found
