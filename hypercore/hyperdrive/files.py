"""File objects on a drive; their memory does not grow with the file."""

from __future__ import annotations

import io
from collections.abc import Callable

from hypercore.hyperblobs import BLOCK_BYTES, BlobReader, BlobWriter

BUFFER_BYTES = 65536
"""What a file object that reads holds ready, beside one block."""

Buffer = bytes | bytearray | memoryview


class FileReader(io.RawIOBase):
    """Reads a blob; it keeps the block it is in."""

    def __init__(self, reader: BlobReader) -> None:
        self._reader = reader
        self._position = 0
        # The block that was read last: its number, the position of its first byte, and its bytes.
        self._number = -1
        self._first = 0
        self._block = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read at most the rest of a block, and return how many bytes that were; 0 at the end."""
        rest = self._reader.byte_length - self._position
        if rest <= 0 or not len(buffer):
            return 0
        skip = self._load(self._position)
        piece = self._block[skip : skip + min(len(buffer), rest)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, which may be behind the end, and return it."""
        self._checkClosed()
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._reader.byte_length}.get(
            whence
        )
        if base is None:
            raise ValueError(f"whence is 0, 1 or 2, found {whence}")
        if base + offset < 0:
            raise ValueError(f"a position is not negative, found {base + offset}")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def _load(self, position: int) -> int:
        """Make the block of a position the current one, and return where in it the position is."""
        skip = position - self._first
        if 0 <= skip < len(self._block):
            return skip
        if skip == len(self._block) and self._number >= 0:
            number, skip = self._number + 1, 0
        else:
            number, skip = self._reader.find(position)
        block = self._reader.block(number)
        while skip >= len(block):  # empty blocks
            skip -= len(block)
            number += 1
            block = self._reader.block(number)
        self._number, self._first, self._block = number, position - skip, block
        return skip


class FileWriter(io.RawIOBase):
    """Writes a blob, in blocks of the usual size. The file is there when it is closed, and only then.

    As a context manager it is closed at the end, and dropped when an exception leaves it.

    Args:
        writer: of the blob.
        store: called when it is closed, finishes the blob and makes it the file.
    """

    def __init__(self, writer: BlobWriter, store: Callable[[BlobWriter], None]) -> None:
        self._writer = writer
        self._store = store
        self._pending = bytearray()

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Buffer) -> int:  # type: ignore[override]
        """Write all of the bytes and return how many they were.

        Raises:
            InvalidOperation: somebody else has written to the blobs; the file is dropped.
            StorageError: the store failed; the file is dropped.
        """
        self._checkClosed()
        view = memoryview(data).cast("B")
        self._pending += view
        whole = len(self._pending) - len(self._pending) % BLOCK_BYTES
        try:
            for start in range(0, whole, BLOCK_BYTES):
                self._writer.write(bytes(self._pending[start : start + BLOCK_BYTES]))
        except BaseException:
            self.abort()
            raise
        del self._pending[:whole]
        return len(view)

    def close(self) -> None:
        """Store the file. Closing twice is fine.

        Raises:
            InvalidOperation, StorageError: as write; the file is dropped.
        """
        if self.closed:
            return
        try:
            if self._pending:
                self._writer.write(bytes(self._pending))
            self._store(self._writer)
        finally:
            self.abort()

    def abort(self) -> None:
        """Drop the file, unless it was closed; what was there before stays."""
        self._pending = bytearray()
        self._writer.close()
        super().close()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self.abort()

    def __del__(self) -> None:
        # One that nobody closed is not complete.
        if not self.closed:
            self.abort()
