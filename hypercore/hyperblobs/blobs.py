"""Hyperblobs: blobs of any size, each a row of blocks of a Hypercore, found again by their ids."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import ref

from hypercore.core import Commit, Hypercore
from hypercore.errors import BadArgument, BlockNotAvailable, DecodingError, InvalidOperation
from hypercore.hyperblobs.ids import BlobId
from hypercore.hyperblobs.reading import BlobReader
from hypercore.hyperblobs.writing import BlobBatch, BlobWriter, Holder, cut

BLOCK_BYTES = 65536
"""The size of the blocks that a blob is cut into."""

# What is stored in one commit, which is held in memory; more is written as a stream.
_COMMIT_BYTES = 64 << 20
# What a blob with a map may be to be returned in one piece: a small map can list one block many times.
_MAPPED_BYTES = 1 << 30


class Hyperblobs:
    """Blobs in a core. It is a context manager and closes its core.

    Blobs are written one at a time: while one is being written in pieces, or a batch has begun, other writes
    are refused.

    Args:
        core: what holds them, and nothing else.
        block_size: in bytes, what ``put`` cuts data into.
    """

    def __init__(self, core: Hypercore, *, block_size: int = BLOCK_BYTES) -> None:
        self.core = core
        self.block_size = _checked(block_size)
        # Who writes, or wrote last. No interrupt leaves the blobs locked: the lock is a state of that object,
        # and goes with it.
        self._holder: ref[Holder] | None = None

    @property
    def key(self) -> bytes:
        """The key of the core."""
        return self.core.key

    @property
    def locked(self) -> bool:
        """Whether a blob is being written, or a batch has begun."""
        holder = None if self._holder is None else self._holder()
        return holder is not None and holder.holds

    # --- writing ----------------------------------------------------------------------------------

    def put(self, data: bytes, *, block_size: int | None = None, commit: Commit | None = None) -> BlobId:
        """Append a blob and return its id; no data takes no block.

        Up to 64 MiB are one commit, a larger blob is several.

        Args:
            data: what to store.
            block_size: another one than that of the blobs.
            commit: of ``Corestore.commit``; the blob, or its last part, is stored with it.

        Raises:
            BadArgument: something else than bytes, or a block size below 1.
            InvalidOperation: another blob is being written, or a batch has begun.
            NotWritable, StorageError: as Hypercore.append.
        """
        if self._holder is not None:
            self._check_unlocked()
        blocks = cut(data, self.block_size if block_size is None else _checked(block_size))
        if len(data) > _COMMIT_BYTES:
            with self.writer() as writer:
                for block in blocks:
                    writer.write(block)
                return writer.finish(commit)
        core = self.core
        core.state.settle()  # the id counts from its length
        blob = BlobId(core.length, core.byte_length, len(blocks), len(data))
        core.append(blocks, commit=commit)
        return blob

    def writer(self, *, dedup: bool = False, known: BlobId | None = None) -> BlobWriter:
        """Return what writes a blob block by block.

        Args:
            dedup: store equal blocks once, and a map that lists them.
            known: with ``dedup``, a blob whose blocks are not stored again either.

        Raises:
            InvalidOperation: another blob is being written, or a batch has begun.
            BlockNotAvailable, DecodingError: the known blob cannot be read.
        """
        self._check_unlocked()
        writer = BlobWriter(self.core, dedup=dedup, known=known)
        self._holder = ref(writer)
        return writer

    def batch(self) -> BlobBatch:
        """Return a batch: blobs that are appended together."""
        return BlobBatch(self.core, self.block_size, self._lock)

    def clear(self, blob: BlobId) -> None:
        """Forget the blocks of a blob; other blobs that share them through a map lose them, too.

        Raises:
            BlockNotAvailable, DecodingError: it has a map that cannot be read; nothing was forgotten.
            StorageError: only a part was forgotten.
        """
        self.core.clear_ranges(BlobReader(self.core, blob).ranges())

    # --- reading ----------------------------------------------------------------------------------

    def get(self, blob: BlobId, start: int = 0, length: int | None = None) -> bytes:
        """Return a blob, or ``length`` bytes of it from ``start`` on.

        Raises:
            BadArgument: the range is not in the blob, or a blob with a map is too large to be returned whole.
            BlockNotAvailable: a block is not stored here.
            DecodingError: the core does not have what the id says.
        """
        if blob.block_length == 1 and start == 0 and length is None and not blob.block_map:
            block = self.core.get(blob.block_offset)
            if len(block) == blob.byte_length:
                return block
        reader = BlobReader(self.core, blob)
        length = reader.check(start, length)
        if blob.block_map and length > _MAPPED_BYTES:
            raise BadArgument(
                f"{length} bytes of a blob with a map are too many at once: read them as a stream"
            )
        return b"".join(reader.stream(start, length))

    def read_stream(self, blob: BlobId, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Iterate over the same bytes, in pieces of at most a block.

        Raises:
            As get; what concerns blocks, while iterating.
        """
        reader = BlobReader(self.core, blob)
        return reader.stream(start, reader.check(start, length))

    def reader(self, blob: BlobId) -> BlobReader:
        """Return what finds each byte of a blob.

        Raises:
            BlockNotAvailable, DecodingError: it has a map that cannot be read.
        """
        return BlobReader(self.core, blob)

    def byte_length(self, blob: BlobId) -> int:
        """Return how many bytes the data of a blob has; see ``reader``."""
        return BlobReader(self.core, blob).byte_length

    def has(self, blob: BlobId) -> bool:
        """Return whether all blocks of a blob are stored here; a map that cannot be read is none."""
        try:
            ranges = list(BlobReader(self.core, blob).ranges())
        except (BlockNotAvailable, DecodingError):
            return False
        return all(self.core.has(start, end) for start, end in ranges)

    def snapshot(self) -> Hyperblobs:
        """Return the blobs as they are now, to be read only."""
        return Hyperblobs(self.core.snapshot(), block_size=self.block_size)

    # --- closing ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the core. Closing twice is fine."""
        self.core.close()

    def __enter__(self) -> Hyperblobs:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Hyperblobs {self.core!r}>"

    def _lock(self, holder: Holder) -> None:
        self._check_unlocked()
        self._holder = ref(holder)

    def _check_unlocked(self) -> None:
        if self.locked:
            raise InvalidOperation("another blob is being written, or a batch has begun: finish that first")


def _checked(block_size: int) -> int:
    if block_size < 1:
        raise BadArgument(f"a block size is at least 1, found {block_size}")
    return block_size
