"""The messages that peers send about a bee, sensible or not, and the answers to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Hyperbee, Hypercore
from hypercore.encoding import encode_buffer
from hypercore.errors import DecodingError
from hypercore.hyperbee import extension
from hypercore.hyperbee.protobuf import encode_bytes, encode_number
from hypercore.hyperbee.ranges import Range

KEYS = [b"%03d" % number for number in range(300)]

BOUNDS = st.none() | st.binary(max_size=4)
RANGES = st.builds(
    lambda lower, upper, below, above: Range(
        lower, below and lower is not None, upper, above and upper is not None
    ),
    BOUNDS,
    BOUNDS,
    st.booleans(),
    st.booleans(),
)
NUMBERS = st.integers(0, 2**53 - 1)
MESSAGES = (
    st.builds(extension.Get, NUMBERS, st.binary(max_size=9))
    | st.builds(
        extension.Iterate, NUMBERS, RANGES, NUMBERS, st.booleans(), st.lists(NUMBERS, max_size=6).map(tuple)
    )
    | st.builds(extension.Cache, st.lists(NUMBERS, max_size=9).map(tuple), NUMBERS, NUMBERS)
)


@pytest.fixture(scope="module")
def full_bee():
    with Hypercore() as core:
        bee = Hyperbee(core)
        with bee.batch() as batch:
            for key in KEYS:
                batch.put(key, b"v")
        yield bee


@given(MESSAGES)
def test_a_message_is_read_back(message):
    assert extension.decode(message.encode()) == message


@pytest.mark.parametrize(
    "message",
    [
        b"",
        encode_buffer(b""),
        encode_buffer(encode_bytes(4, b"")),
        encode_buffer(encode_bytes(9, b"\x08\x01")),
        encode_buffer(b"\xff" * 20),
        encode_buffer(b"\x0a"),
        extension.Get(301, b"007").encode()[:-1],
    ],
    ids=["nothing", "empty", "unknown-kind", "another-unknown-kind", "endless", "cut-off", "frame-cut-off"],
)
def test_a_message_that_makes_no_sense_has_no_answer(full_bee, message):
    with pytest.raises(DecodingError):
        extension.decode(message)
    assert full_bee.answer(message) == []


@given(st.binary(max_size=60) | st.binary(max_size=60).map(encode_buffer))
def test_any_bytes_have_answers_or_none(full_bee, message):
    for answer in full_bee.answer(message):
        assert isinstance(extension.decode(answer), extension.Cache)


@given(MESSAGES)
def test_any_message_has_answers_or_none(full_bee, message):
    for answer in full_bee.answer(message.encode()):
        assert isinstance(extension.decode(answer), extension.Cache)


def test_an_answer_has_no_answer(full_bee):
    assert full_bee.answer(extension.Cache((1, 2), 1, 3).encode()) == []


@pytest.mark.parametrize("version", [0, 302, 2**53 - 1])
def test_a_version_that_is_not_here_has_no_answer(full_bee, version):
    assert full_bee.answer(extension.Get(version, b"007").encode()) == []


def blocks_in(answers):
    found: list[int] = []
    for answer in answers:
        cache = extension.decode(answer)
        assert isinstance(cache, extension.Cache)
        assert (cache.start, cache.end) == (min(cache.blocks), max(cache.blocks) + 1)
        assert len(cache.blocks) <= 128
        found += cache.blocks
    assert len(set(found)) == len(found)
    return found


def test_a_search_is_answered_with_the_blocks_on_its_way(full_bee):
    blocks = blocks_in(full_bee.answer(extension.Get(301, b"123").encode()))
    assert 124 in blocks
    assert len(blocks) < 40


def test_a_walk_over_everything_is_answered_in_parts(full_bee):
    answers = full_bee.answer(extension.Iterate(301, Range()).encode())
    assert len(answers) == 3
    assert sorted(blocks_in(answers)) == list(range(1, 301))


def test_a_limited_walk_is_answered_with_few_blocks(full_bee):
    blocks = blocks_in(full_bee.answer(extension.Iterate(301, Range(b"100", True), limit=3).encode()))
    assert {101, 102, 103} <= set(blocks)
    assert len(blocks) < 60


def test_a_field_of_another_kind_than_expected_counts_as_missing(full_bee):
    as_bytes = encode_bytes(2, encode_bytes(1, b"301") + encode_bytes(2, b"007"))
    assert extension.decode(encode_buffer(as_bytes)) == extension.Get(0, b"007")
    with pytest.raises(DecodingError):
        extension.decode(encode_buffer(encode_number(2, 7)))
