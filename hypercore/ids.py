"""Text forms of a 32 byte key: z-base-32 (52 characters, the usual one) and hex (64 characters)."""

from __future__ import annotations

from binascii import unhexlify

from hypercore.errors import BadArgument

_ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"
_DIGITS = {letter: value for value, letter in enumerate(_ALPHABET)}
_Z32_CHARACTERS = 52
_HEX_CHARACTERS = 64
_SCHEME = "pear://"


def encode_id(key: bytes) -> str:
    """Return the z-base-32 text of a key.

    Raises:
        BadArgument: the key is not 32 bytes long.
    """
    if len(key) != 32:
        raise BadArgument(f"a key has 32 bytes, found {len(key)}")
    bits = int.from_bytes(key, "big") << 4  # 260 bits: the last character carries one bit of the key
    return "".join(_ALPHABET[bits >> shift & 31] for shift in range(255, -1, -5))


def decode_id(text: str | bytes) -> bytes:
    """Return the key of a z-base-32 or hex text, with or without ``pear://`` in front and a path behind.

    Bytes are taken as the key itself.

    Raises:
        BadArgument: it is no key.
    """
    if isinstance(text, bytes):
        if len(text) != 32:
            raise BadArgument(f"a key has 32 bytes, found {len(text)}")
        return text
    if not isinstance(text, str):
        raise BadArgument(f"a key is bytes or text, found {type(text).__name__}")
    digits = text.removeprefix(_SCHEME).split("/", 1)[0]
    if len(digits) == _Z32_CHARACTERS:
        return _decode_z32(digits)
    if len(digits) == _HEX_CHARACTERS:
        try:
            return unhexlify(digits)
        except ValueError:
            raise BadArgument(f"not a hex key: {digits!r}") from None
    raise BadArgument(f"a key has 52 (z-base-32) or 64 (hex) characters, found {len(digits)}: {text!r}")


def _decode_z32(digits: str) -> bytes:
    bits = 0
    for place, letter in enumerate(digits):
        value = _DIGITS.get(letter)
        if value is None:
            raise BadArgument(f"{letter!r} at position {place} is not z-base-32: {digits!r}")
        bits = bits << 5 | value
    return (bits >> 4).to_bytes(32, "big")
