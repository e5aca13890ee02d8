import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore.errors import BadArgument
from hypercore.ids import decode_id, encode_id

KEY = bytes(range(32))
KEYS = st.binary(min_size=32, max_size=32)


@given(key=KEYS)
def test_a_key_is_read_back_from_its_id(key):
    text = encode_id(key)
    assert len(text) == 52
    assert decode_id(text) == key


@given(key=KEYS)
def test_a_key_is_read_back_from_hex_of_either_case(key):
    assert decode_id(key.hex()) == decode_id(key.hex().upper()) == key


def test_bytes_are_the_key_itself():
    assert decode_id(KEY) == KEY


@pytest.mark.parametrize(
    ("key", "text"),
    [pytest.param(bytes(32), "y" * 52, id="zeros"), pytest.param(b"\xff" * 32, "9" * 51 + "o", id="ones")],
)
def test_the_last_character_carries_one_bit(key, text):
    assert encode_id(key) == text
    assert decode_id(text) == key


@pytest.mark.parametrize(
    "form", ["pear://{}", "{}/", "{}/a/b.txt", "pear://{}/a/b.txt"], ids=["scheme", "slash", "path", "both"]
)
@pytest.mark.parametrize("text", [encode_id(KEY), KEY.hex()], ids=["z-base-32", "hex"])
def test_a_scheme_in_front_and_a_path_behind_are_ignored(form, text):
    assert decode_id(form.format(text)) == KEY


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("", id="empty"),
        pytest.param("y" * 51, id="too-short"),
        pytest.param("y" * 53, id="between-the-two-forms"),
        pytest.param("0" * 65, id="too-long"),
        pytest.param("y" * 51 + "l", id="letter-that-z-base-32-leaves-out"),
        pytest.param("Y" * 52, id="capital-letters"),
        pytest.param("y" * 51 + "ä", id="not-ascii"),
        pytest.param("g" * 64, id="not-hex"),
        pytest.param(" " * 64, id="spaces"),
        pytest.param("00" * 31 + "  ", id="hex-with-spaces"),
        pytest.param("٣" * 64, id="digits-of-another-script"),
        pytest.param("http://" + "y" * 52, id="another-scheme"),
        pytest.param(bytes(31), id="short-bytes"),
        pytest.param(bytes(33), id="long-bytes"),
        pytest.param(bytearray(32), id="bytearray"),
        pytest.param(None, id="none"),
        pytest.param(7, id="number"),
    ],
)
def test_what_is_no_key_is_refused(wrong):
    with pytest.raises(BadArgument):
        decode_id(wrong)


@given(
    text=st.text(max_size=80)
    | st.text(min_size=52, max_size=52)
    | st.text("0123456789abcdef ", min_size=64, max_size=64)
)
def test_any_text_gives_32_bytes_or_is_refused(text):
    try:
        key = decode_id(text)
    except BadArgument:
        return
    assert len(key) == 32


@pytest.mark.parametrize("size", [0, 31, 33, 64], ids=["empty", "short", "long", "double"])
def test_only_32_bytes_have_an_id(size):
    with pytest.raises(BadArgument, match=f"found {size}"):
        encode_id(bytes(size))
