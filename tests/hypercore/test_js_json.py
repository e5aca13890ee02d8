import json
import math
from enum import IntEnum
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore.errors import BadArgument, DecodingError
from hypercore.js_json import dumps, loads

EXACT = 2**53  # from there on JavaScript writes digits that only read as a float give the number back
FINITE = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers(-EXACT, EXACT) | st.floats(-EXACT, EXACT) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)


class Colour(IntEnum):
    RED = 7


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "null", id="null"),
        pytest.param(True, "true", id="true"),
        pytest.param(False, "false", id="false"),
        pytest.param("", '""', id="empty-text"),
        pytest.param([], "[]", id="empty-list"),
        pytest.param({}, "{}", id="empty-dict"),
        pytest.param((1, [2]), "[1,[2]]", id="tuple"),
        pytest.param({"b": 1, "a": [None, {}]}, '{"b":1,"a":[null,{}]}', id="keys-stay-in-order"),
        pytest.param(
            {"b": 1, "10": 2, "9": 3, "a": 4}, '{"9":3,"10":2,"b":1,"a":4}', id="array-indexes-first"
        ),
        pytest.param(
            {"01": 1, "0": 2, "-1": 3, "1.5": 4}, '{"0":2,"01":1,"-1":3,"1.5":4}', id="not-array-indexes"
        ),
        pytest.param(
            {"x": 0, "4294967295": 1, "4294967294": 2},
            '{"4294967294":2,"x":0,"4294967295":1}',
            id="index-bound",
        ),
        pytest.param({"x": 0, "٣": 1, "²": 2}, '{"x":0,"٣":1,"²":2}', id="digits-of-other-scripts"),
        pytest.param(MappingProxyType({"a": 1}), '{"a":1}', id="any-mapping"),
        pytest.param(b"\x00\xff", '{"type":"Buffer","data":[0,255]}', id="bytes"),
        pytest.param(b"", '{"type":"Buffer","data":[]}', id="no-bytes"),
        pytest.param(Colour.RED, "7", id="int-enum"),
    ],
)
def test_values_have_the_text_of_json_stringify(value, text):
    assert dumps(value) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        pytest.param(0, "0", id="zero"),
        pytest.param(-0.0, "0", id="negative-zero"),
        pytest.param(1.0, "1", id="whole-float"),
        pytest.param(-1.5, "-1.5", id="negative"),
        pytest.param(0.1, "0.1", id="tenth"),
        pytest.param(1e-6, "0.000001", id="smallest-without-exponent"),
        pytest.param(1.5e-7, "1.5e-7", id="largest-with-negative-exponent"),
        pytest.param(1e-7, "1e-7", id="single-digit-with-exponent"),
        pytest.param(123456789012345680000.0, "123456789012345680000", id="twenty-one-digits"),
        pytest.param(1e21, "1e+21", id="smallest-with-exponent"),
        pytest.param(-1.25e300, "-1.25e+300", id="large"),
        pytest.param(5e-324, "5e-324", id="smallest"),
        pytest.param(1.7976931348623157e308, "1.7976931348623157e+308", id="largest"),
        pytest.param(2**53, "9007199254740992", id="largest-exact-integer"),
        pytest.param(2**53 + 1, "9007199254740992", id="integer-that-is-rounded"),
        pytest.param(-(2**64), "-18446744073709552000", id="large-negative-integer"),
        pytest.param(10**21, "1e+21", id="integer-with-exponent"),
        pytest.param(10**400, "null", id="integer-beyond-all-floats"),
        pytest.param(math.nan, "null", id="nan"),
        pytest.param(math.inf, "null", id="infinity"),
        pytest.param(-math.inf, "null", id="negative-infinity"),
    ],
)
def test_numbers_are_written_as_javascript_writes_them(number, text):
    assert dumps(number) == text


@pytest.mark.parametrize(
    ("string", "text"),
    [
        pytest.param('"\\', '"\\"\\\\"', id="quote-and-backslash"),
        pytest.param("\b\f\n\r\t", '"\\b\\f\\n\\r\\t"', id="short-escapes"),
        pytest.param("\x00\x1f", '"\\u0000\\u001f"', id="control-characters"),
        pytest.param("\x7f/ä€𝄞\u2028", '"\x7f/ä€𝄞\u2028"', id="as-they-are"),
        pytest.param("a\ud800b", '"a\\ud800b"', id="lone-high-surrogate"),
        pytest.param("\udfff", '"\\udfff"', id="lone-low-surrogate"),
    ],
)
def test_strings_are_escaped_as_javascript_escapes_them(string, text):
    assert dumps(string) == text
    assert loads(text) == string


@given(value=VALUES)
def test_a_value_is_read_back_from_its_text(value):
    assert loads(dumps(value)) == value


@given(value=VALUES)
def test_the_text_is_json_to_other_readers(value):
    assert json.loads(dumps(value)) == value


@given(number=FINITE)
def test_a_number_is_written_with_the_digits_that_give_it_back(number):
    text = dumps(number)
    assert float(text) == number
    assert len(text) <= len("-0.000001") + 17


@given(number=FINITE | st.integers())
def test_a_number_that_was_read_is_written_the_same_again(number):
    assert dumps(loads(dumps(number))) == dumps(number)


class Strange:
    pass


@pytest.mark.parametrize(
    "value",
    [Strange(), {1, 2}, bytearray(b"a"), 1j, [Strange()], {"a": Strange()}, {1: "a"}, {None: "a"}, {b"a": 1}],
    ids=[
        "object",
        "set",
        "bytearray",
        "complex",
        "in-list",
        "in-dict",
        "number-key",
        "none-key",
        "bytes-key",
    ],
)
def test_other_types_have_no_json(value):
    with pytest.raises(BadArgument):
        dumps(value)


def test_a_value_that_contains_itself_is_refused():
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(BadArgument, match="nested too deep"):
        dumps(circle)


NOT_JSON = {
    "empty": "",
    "blank": " ",
    "cut-off": "{",
    "trailing-comma": "[1,]",
    "bare-key": "{a:1}",
    "single-quotes": "'a'",
    "cut-word": "nul",
    "leading-zero": "01",
    "plus": "+1",
    "two-values": "1 2",
    "nan": "NaN",
    "infinity": "Infinity",
    "negative-infinity": "-Infinity",
    "raw-newline": '"\n"',
    "unknown-escape": '"\\x"',
    "too-deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_is_refused(text):
    with pytest.raises(DecodingError):
        loads(text)


@given(text=st.text() | st.text('[]{}",:0123456789.eE+-tfn \\u', max_size=30))
def test_any_text_is_a_value_or_refused(text):
    try:
        loads(text)
    except DecodingError:
        return
