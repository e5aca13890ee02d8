"""Where a blob is: the id that is kept, mostly as JSON in a Hyperbee, to find it again.

{"blockOffset":3,"byteOffset":13,"blockLength":1,"byteLength":2}
{"blockOffset":5,"byteOffset":26,"blockLength":1,"byteLength":8,"blockMap":true}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypercore.encoding import MAX_UINT
from hypercore.errors import DecodingError

_FIELDS = ("blockOffset", "byteOffset", "blockLength", "byteLength")


@dataclass(slots=True)
class BlobId:
    """A blob of a core. It says what its maker wrote; reading finds out whether the core agrees.

    Attributes:
        block_offset: its first block.
        byte_offset: the bytes of all blocks before that one, without what encryption adds.
        block_length: how many blocks it has.
        byte_length: how many bytes.
        block_map: whether these blocks are a map that lists the blocks with the data; offsets and lengths are
            those of the map then.
    """

    block_offset: int
    byte_offset: int
    block_length: int
    byte_length: int
    block_map: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the fields in the order in which the reference writes them."""
        numbers = (self.block_offset, self.byte_offset, self.block_length, self.byte_length)
        fields: dict[str, Any] = dict(zip(_FIELDS, numbers, strict=True))
        if self.block_map:
            fields["blockMap"] = True
        return fields

    @classmethod
    def from_json(cls, value: Any) -> BlobId:
        """Return the id of decoded JSON; fields that are not known are ignored.

        Raises:
            DecodingError: it is not an id.
        """
        if not isinstance(value, Mapping):
            raise DecodingError(f"the id of a blob is an object, found {type(value).__name__}")
        block_offset, byte_offset, block_length, byte_length = (_number(value, name) for name in _FIELDS)
        return cls(block_offset, byte_offset, block_length, byte_length, value.get("blockMap") is True)


def _number(value: Mapping[Any, Any], name: str) -> int:
    number = value.get(name)
    if type(number) is not int or not 0 <= number <= MAX_UINT:  # a bool is an int to isinstance
        found = number if type(number) in (int, float) else type(number).__name__
        raise DecodingError(f"{name} of a blob is a whole number up to {MAX_UINT}, found {found}")
    return number
