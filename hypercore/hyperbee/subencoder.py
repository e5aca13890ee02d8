"""Keys with a prefix, in the format of the reference's sub-encoder, which Hyperdrive uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypercore.codecs import Codec, RangeCodec, codec

_SEPARATOR = b"\x00"
_BEHIND_SEPARATOR = b"\x01"


class SubEncoder:
    """A key encoding that puts a prefix and a zero byte before every key.

    Unlike those of ``Hyperbee.sub``, ranges without a lower bound begin with the empty key.

    Args:
        prefix: bytes or text; None for no prefix at all, an empty one is just the zero byte.
        encoding: of the keys behind it.
    """

    def __init__(self, prefix: str | bytes | None = None, encoding: str | Codec = "binary") -> None:
        self._codec = codec(encoding)
        self.prefix = b"" if prefix is None else codec("binary").encode(prefix) + _SEPARATOR

    def sub(self, prefix: str | bytes, encoding: str | Codec | None = None) -> SubEncoder:
        """Return the encoding with one more prefix; the keys behind it are encoded as here by default."""
        below = SubEncoder(prefix, self._codec if encoding is None else encoding)
        below.prefix = self.prefix + below.prefix
        return below

    def encode(self, value: Any) -> bytes:
        """Return the bytes of a key."""
        return self.prefix + self._codec.encode(value)

    def decode(self, data: bytes) -> Any:
        """Return the key of bytes."""
        return self._codec.decode(data[len(self.prefix) :])

    def encode_range(self, bounds: Mapping[str, Any]) -> dict[str, bytes]:
        """Return bounds (gt, gte, lt, lte) as bytes, with the ends of the prefix where there are none."""
        if isinstance(self._codec, RangeCodec):
            below = self._codec.encode_range(bounds)
        else:
            below = {name: self._codec.encode(key) for name, key in bounds.items() if key is not None}
        encoded = {name: self.prefix + key for name, key in below.items()}
        if self.prefix:
            if "gt" not in encoded and "gte" not in encoded:
                encoded["gte"] = self.prefix
            if "lt" not in encoded and "lte" not in encoded:
                encoded["lt"] = self.prefix[:-1] + _BEHIND_SEPARATOR
        return encoded
