import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore.codecs import BINARY, codec
from hypercore.errors import BadArgument, DecodingError

NAMES = [
    "ascii",
    "base64",
    "binary",
    "hex",
    "json",
    "ndjson",
    "ucs-2",
    "ucs2",
    "utf-16le",
    "utf-8",
    "utf16le",
    "utf8",
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]))

STORED = [
    pytest.param("binary", b"\x00\xff", b"\x00\xff", id="binary"),
    pytest.param("utf-8", "ä€𝄞", b"\xc3\xa4\xe2\x82\xac\xf0\x9d\x84\x9e", id="utf-8"),
    pytest.param("utf8", "", b"", id="empty-text"),
    pytest.param("ascii", "az~", b"az~", id="ascii"),
    pytest.param("hex", "00ff", b"\x00\xff", id="hex"),
    pytest.param("base64", "AP8=", b"\x00\xff", id="base64"),
    pytest.param("utf-16le", "a𝄞", b"a\x00\x34\xd8\x1e\xdd", id="utf-16"),
    pytest.param("json", {"a": [1, None]}, b'{"a":[1,null]}', id="json"),
    pytest.param("ndjson", {"a": 1}, b'{"a":1}\n', id="json-line"),
    pytest.param("json", "ä\ud800", b'"\xc3\xa4\\ud800"', id="json-with-lone-surrogate"),
]


@pytest.mark.parametrize(("name", "value", "stored"), STORED)
def test_a_value_is_stored_and_read_back(name, value, stored):
    assert codec(name).encode(value) == stored
    assert codec(name).decode(stored) == value


@pytest.mark.parametrize(
    "value", [b"ab", "ab", bytearray(b"ab"), memoryview(b"ab")], ids=["bytes", "text", "bytearray", "view"]
)
def test_binary_takes_bytes_of_all_kinds_and_text(value):
    assert BINARY.encode(value) == b"ab"
    assert type(BINARY.encode(value)) is bytes


@pytest.mark.parametrize("name", ["utf-8", "binary"])
def test_a_lone_surrogate_is_stored_as_the_replacement_character(name):
    assert codec(name).encode("a\ud800b") == "a\N{REPLACEMENT CHARACTER}b".encode()


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        pytest.param("ascii", "é𝄞", b"\xe9\x34\x1e", id="low-byte-of-each-utf16-unit"),
        pytest.param("base64", "-_8", b"\xfb\xff", id="base64-for-urls-without-padding"),
        pytest.param("hex", "FF", b"\xff", id="capital-hex"),
        pytest.param("json", 1.0, b"1", id="whole-float"),
    ],
)
def test_some_values_are_stored_as_another_one(name, value, stored):
    assert codec(name).encode(value) == stored


@pytest.mark.parametrize(
    ("name", "stored", "value"),
    [
        pytest.param("utf-8", b"a\xff", "a\N{REPLACEMENT CHARACTER}", id="bad-utf8"),
        pytest.param("ascii", b"\xe1", "a", id="eighth-bit"),
        pytest.param("utf-16le", b"a\x00b", "a", id="half-a-unit"),
        pytest.param("utf-16le", b"\x00\xd8", "\ud800", id="lone-surrogate"),
        pytest.param("ndjson", b"1", 1, id="line-without-end"),
        pytest.param("json", b' {"a" : 1} \n', {"a": 1}, id="blanks"),
    ],
)
def test_foreign_bytes_are_read_leniently(name, stored, value):
    assert codec(name).decode(stored) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("binary", 7, id="number-as-bytes"),
        pytest.param("binary", None, id="none-as-bytes"),
        pytest.param("utf-8", b"a", id="bytes-as-text"),
        pytest.param("utf-16le", 7, id="number-as-utf16"),
        pytest.param("ascii", None, id="none-as-ascii"),
        pytest.param("hex", "abc", id="odd-hex"),
        pytest.param("hex", "zz", id="not-hex"),
        pytest.param("hex", "00 ff", id="blank-in-hex"),
        pytest.param("hex", b"00", id="bytes-as-hex"),
        pytest.param("base64", "A", id="single-base64-digit"),
        pytest.param("base64", "A*==", id="not-base64"),
        pytest.param("base64", "é", id="base64-not-ascii"),
        pytest.param("base64", 7, id="number-as-base64"),
        pytest.param("json", {1}, id="set-as-json"),
        pytest.param("ndjson", object(), id="object-as-json"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(name, value):
    with pytest.raises(BadArgument):
        codec(name).encode(value)


@pytest.mark.parametrize("name", ["json", "ndjson"])
@pytest.mark.parametrize("stored", [b"", b"{", b"NaN", b"\xff"], ids=["empty", "cut-off", "nan", "not-text"])
def test_bytes_that_are_not_json_are_refused(name, stored):
    with pytest.raises(DecodingError):
        codec(name).decode(stored)


@pytest.mark.parametrize("name", ["utf-8", "utf-16le"])
@given(text=TEXT)
def test_any_text_is_read_back(name, text):
    assert codec(name).decode(codec(name).encode(text)) == text


@pytest.mark.parametrize("name", ["binary", "hex", "base64"])
@given(data=st.binary())
def test_any_bytes_come_back_from_what_they_are_shown_as(name, data):
    assert codec(name).encode(codec(name).decode(data)) == data


@pytest.mark.parametrize("name", NAMES)
@given(data=st.binary())
def test_any_stored_bytes_are_a_value_or_refused(name, data):
    try:
        codec(name).decode(data)
    except DecodingError:
        return


@pytest.mark.parametrize("name", NAMES)
@given(text=st.text())
def test_any_text_is_stored_or_refused(name, text):
    try:
        assert type(codec(name).encode(text)) is bytes
    except BadArgument:
        return


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(BadArgument, match=f"no encoding 'latin1'; there are {', '.join(NAMES)}"):
        codec("latin1")


class Reversed:
    def encode(self, value):
        return value[::-1]

    def decode(self, data):
        return data[::-1]


def test_an_object_with_both_methods_is_a_codec_itself():
    own = Reversed()
    assert codec(own) is own
