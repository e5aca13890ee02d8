"""Named encodings of keys and values: what an application hands in, and the bytes that are stored.

The names and the bytes are those of the reference's codecs.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from hypercore import js_json
from hypercore.errors import BadArgument


class Codec(Protocol):
    """Turns a value into bytes and back. Anything with these two methods can be used as an encoding."""

    def encode(self, value: Any) -> bytes:
        """Return the bytes of a value, or raise BadArgument."""

    def decode(self, data: bytes) -> Any:
        """Return the value of bytes, or raise DecodingError."""


@runtime_checkable
class RangeCodec(Codec, Protocol):
    """A codec of keys that decides how the bounds of a range become bytes."""

    def encode_range(self, bounds: Mapping[str, Any]) -> dict[str, bytes]:
        """Return the bytes of those bounds (gt, gte, lt, lte) that are not None; others may be added."""


class _Binary:
    def encode(self, value: Any) -> bytes:
        if isinstance(value, bytes):
            return value
        if isinstance(value, str):
            return _to_utf8(value)
        if isinstance(value, (bytearray, memoryview)):
            return bytes(value)
        raise BadArgument(f"bytes or text wanted, found {type(value).__name__}")

    def decode(self, data: bytes) -> bytes:
        return data


class _Utf8:
    def encode(self, value: Any) -> bytes:
        return _to_utf8(_text(value))

    def decode(self, data: bytes) -> str:
        return data.decode("utf-8", "replace")


class _Ascii:
    """One byte a UTF-16 unit; reading drops the eighth bit, as the reference does."""

    def encode(self, value: Any) -> bytes:
        return _text(value).encode("utf-16-le", "surrogatepass")[::2]

    def decode(self, data: bytes) -> str:
        return bytes(byte & 0x7F for byte in data).decode("ascii")


class _Hex:
    def encode(self, value: Any) -> bytes:
        try:
            return binascii.unhexlify(_text(value))  # bytes.fromhex would take blanks
        except ValueError as error:
            raise BadArgument(f"not hex: {error}") from None

    def decode(self, data: bytes) -> str:
        return data.hex()


class _Base64:
    def encode(self, value: Any) -> bytes:
        text = _text(value).translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
        try:
            return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except ValueError as error:
            raise BadArgument(f"not base64: {error}") from None

    def decode(self, data: bytes) -> str:
        return base64.b64encode(data).decode("ascii")


class _Utf16:
    def encode(self, value: Any) -> bytes:
        return _text(value).encode("utf-16-le", "surrogatepass")

    def decode(self, data: bytes) -> str:
        return data[: len(data) & ~1].decode("utf-16-le", "surrogatepass")


class _Json:
    def __init__(self, end: str) -> None:
        self._end = end

    def encode(self, value: Any) -> bytes:
        return (js_json.dumps(value) + self._end).encode()

    def decode(self, data: bytes) -> Any:
        return js_json.loads(data.decode("utf-8", "replace"))


BINARY: Codec = _Binary()

_CODECS: dict[str, Codec] = {
    "binary": BINARY,
    "utf-8": _Utf8(),
    "ascii": _Ascii(),
    "hex": _Hex(),
    "base64": _Base64(),
    "utf-16le": _Utf16(),
    "json": _Json(""),
    "ndjson": _Json("\n"),
}
_CODECS |= {
    "utf8": _CODECS["utf-8"],
    "ucs2": _CODECS["utf-16le"],
    "ucs-2": _CODECS["utf-16le"],
    "utf16le": _CODECS["utf-16le"],
}


def codec(encoding: str | Codec) -> Codec:
    """Return the codec of a name; a codec is returned as it is.

    Raises:
        BadArgument: there is no encoding of that name.
    """
    if not isinstance(encoding, str):
        return encoding
    try:
        return _CODECS[encoding]
    except KeyError:
        raise BadArgument(f"no encoding {encoding!r}; there are {', '.join(sorted(_CODECS))}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadArgument(f"text wanted, found {type(value).__name__}")
    return value


def _to_utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A lone surrogate has no UTF-8; like the reference, write the replacement character in its place.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
