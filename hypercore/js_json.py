"""JSON text as JavaScript's JSON.stringify writes it, so that equal values give equal bytes on both sides.

Python's json module differs in the notation of numbers, in NaN and infinities (null in JavaScript), in lone
surrogates (escaped) and in the order of keys that look like array indexes (first, in numeric order).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from hypercore.errors import BadArgument, DecodingError

_quote = json.encoder.encode_basestring
_MAX_SAFE = 2**53
_MAX_ARRAY_INDEX = 2**32 - 2


def dumps(value: Any) -> str:
    """Return the JSON text of None, bool, int, float, str, bytes, and lists and dicts of them.

    Bytes become what a JavaScript Buffer becomes: ``{"type":"Buffer","data":[...]}``.

    Raises:
        BadArgument: a value of another type, or nested too deep.
    """
    try:
        return _encode(value)
    except RecursionError:
        raise BadArgument("a value for JSON is nested too deep, or contains itself") from None


def loads(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        DecodingError: it is not JSON (NaN and Infinity are not), or nested too deep.
    """
    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise DecodingError(f"not JSON: {error}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)


def _encode(value: Any) -> str:
    if isinstance(value, str):
        return _encode_string(value)
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(int(value)) if -_MAX_SAFE <= value <= _MAX_SAFE else _encode_number(_to_float(value))
    if isinstance(value, float):
        return _encode_number(value)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([_encode(item) for item in value]) + "]"
    if isinstance(value, Mapping):
        return (
            "{" + ",".join([f"{_encode_string(key)}:{_encode(item)}" for key, item in _in_order(value)]) + "}"
        )
    if isinstance(value, bytes):
        return '{"type":"Buffer","data":[' + ",".join(map(str, value)) + "]}"
    raise BadArgument(f"no JSON for {type(value).__name__}")


def _encode_string(text: Any) -> str:
    if not isinstance(text, str):
        raise BadArgument(f"a key in JSON is text, found {type(text).__name__}")
    quoted: str = _quote(text)
    try:
        quoted.encode()
    except UnicodeEncodeError:
        return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in quoted)
    return quoted


def _to_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _encode_number(number: float) -> str:
    if not math.isfinite(number):
        return "null"
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The value is 0.DIGITS times ten to the power of ``point``.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if 0 < point <= 21:
        if len(digits) <= point:
            return sign + digits.ljust(point, "0")
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1:+d}"


def _in_order(mapping: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    items = list(mapping.items())
    if any(_is_array_index(key) for key, _ in items):
        # A stable sort: all other keys stay in their order, behind the numbers.
        items.sort(key=lambda item: int(item[0]) if _is_array_index(item[0]) else _MAX_ARRAY_INDEX + 1)
    return items


def _is_array_index(key: Any) -> bool:
    if (
        not isinstance(key, str)
        or not key[:1].isdecimal()
        or len(key) > 10
        or not (key.isascii() and key.isdecimal())
    ):
        return False
    return (key == "0" or key[0] != "0") and int(key) <= _MAX_ARRAY_INDEX
