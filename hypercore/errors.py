"""Every error the package raises, in one tree.

HypercoreError
 ├─ BadArgument             the caller passed something that can never work (also a ValueError)
 ├─ Closed                  the object was used after close()
 ├─ NoSuchFile              a drive has no file with that path (also a FileNotFoundError)
 ├─ NotWritable             a write to a core whose secret key is not known, or to a read-only view
 ├─ BlockNotAvailable       the block is not stored here
 ├─ InvalidOperation        the request does not fit the state of the core
 ├─ DecodingError           bytes that are not what they should be (also a ValueError)
 ├─ RemoteProtocolError     the other side broke the protocol; its connection ends
 ├─ ConnectionLost          a connection could not be made, or ended
 ├─ RequestTimeout          no peer answered in time
 ├─ CoreConflict            two different trees were signed for one length and fork of a core
 ├─ InvalidProof            a Merkle proof contradicts itself
 │   ├─ InvalidChecksum     it leads to another node than the one that is known
 │   └─ InvalidSignature    a signature, or the manifest it is checked against, does not hold
 └─ StorageError            the storage failed or refused
     ├─ StorageLocked       another process, or another object in this one, has it open
     ├─ StorageCorrupt      what is stored cannot be read back
     ├─ StorageConflict     another core or store lives there
     └─ StorageEmpty        there is no such core
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class HypercoreError(Exception):
    """Base class of all errors of this package."""


class BadArgument(HypercoreError, ValueError):
    """The caller passed something that can never work."""


class Closed(HypercoreError):
    """The object was used after it had been closed."""


class NoSuchFile(HypercoreError, FileNotFoundError):
    """A drive has no file with that path."""


class NotWritable(HypercoreError):
    """A write to a core without its secret key, or to a read-only view."""


class BlockNotAvailable(HypercoreError):
    """A block that a read needs is not stored here.

    Attributes:
        index: the block that is missing.
        hints: blocks that the same read is going to need as well, the next first, so that they can be
            fetched together.
        key: of the core that lacks it, None where that is not known; a drive has two cores.
        request: a message that a peer answers with all blocks that the read needs, by the name of its
            extension; None if there is none.
    """

    def __init__(
        self, index: int, hints: Sequence[int] = (), *, length: int | None = None, key: bytes | None = None
    ) -> None:
        known = "" if length is None else f" (the core has {length} blocks)"
        super().__init__(f"block {index} is not available here{known}")
        self.index = index
        self.hints = tuple(hints)
        self.key = key
        self.request: tuple[str, bytes] | None = None

    def add_hints(self, blocks: Iterable[int]) -> None:
        """Name more blocks that the read is going to need."""
        self.hints = tuple(dict.fromkeys(block for block in (*self.hints, *blocks) if block != self.index))


class InvalidOperation(HypercoreError):
    """The request does not fit the state of the core."""


class DecodingError(HypercoreError, ValueError):
    """Bytes that do not follow the format they should be in."""


class RemoteProtocolError(HypercoreError):
    """The other side of a connection broke the protocol; that connection ends, nothing else."""


class ConnectionLost(HypercoreError):
    """A connection could not be made, or it ended."""


class RequestTimeout(HypercoreError):
    """No peer answered in time."""


class CoreConflict(HypercoreError):
    """Two different trees were signed for one length and fork of a core: whom to believe is not known.

    Attributes:
        length: how many blocks the two trees have.
    """

    def __init__(self, message: str, length: int) -> None:
        super().__init__(message)
        self.length = length


class InvalidProof(HypercoreError):
    """A Merkle proof that does not show what it should."""


class InvalidChecksum(InvalidProof):
    """A proof leads to another node than the one that is known."""


class InvalidSignature(InvalidProof):
    """A signature, or the manifest it is checked against, does not hold."""


class StorageError(HypercoreError):
    """The storage failed or refused; the message names its path."""


class StorageLocked(StorageError):
    """The storage is open elsewhere, in another process or in this one."""


class StorageCorrupt(StorageError):
    """Stored bytes cannot be read back as what they should be."""


class StorageConflict(StorageError):
    """Another core or store than the one asked for is stored there."""


class StorageEmpty(StorageError):
    """The core asked for is not stored there."""
