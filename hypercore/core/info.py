"""What there is to say about a core."""

from __future__ import annotations

from dataclasses import dataclass

from hypercore.core.state import CoreState


@dataclass(frozen=True, slots=True)
class CoreInfo:
    """Keys, sizes and counts of a core.

    Attributes:
        byte_length: of all blocks, without padding.
        padding: bytes that encryption adds to each block.
        stored_blocks: how many blocks are here.
        disk_bytes: what its records take in the files, about; what was written last may not be counted yet.
        memory_bytes: what buffers and caches of the whole store take, about.
    """

    key: bytes
    discovery_key: bytes
    length: int
    contiguous_length: int
    byte_length: int
    fork: int
    padding: int
    writable: bool
    stored_blocks: int
    disk_bytes: int
    memory_bytes: int

    @classmethod
    def of(cls, core: CoreState, byte_length: int, padding: int) -> CoreInfo:
        """Return the info of a core."""
        records = core.keys.everything
        return cls(
            key=core.key,
            discovery_key=core.discovery_key,
            length=core.tree.length,
            contiguous_length=core.contiguous_length,
            byte_length=byte_length,
            fork=core.fork,
            padding=padding,
            writable=core.writable,
            stored_blocks=sum(stop - start for start, stop in core.stored_ranges()),
            disk_bytes=core.database.store.disk_bytes(records, records + b"\xff"),
            memory_bytes=core.database.store.memory_bytes(),
        )
