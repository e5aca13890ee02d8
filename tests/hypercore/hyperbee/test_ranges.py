import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Hyperbee, Hypercore
from hypercore.errors import BadArgument
from hypercore.hyperbee import SubEncoder

# Enough for a tree of two levels, with gaps for bounds that are no keys.
KEYS = [f"{number:02}" for number in range(10, 50, 2)]
LOWER, UPPER = ["gt", "gte"], ["lt", "lte"]
EVERY_BOUND = ["", *[f"{number:02}" for number in range(9, 51)], "9"]


@pytest.fixture(scope="module")
def filled():
    with Hypercore() as core:
        bee = Hyperbee(core, key_encoding="utf-8", value_encoding="utf-8")
        with bee.batch() as batch:
            for key in KEYS:
                batch.put(key, f"value of {key}")
        yield bee


def within(key, bounds):
    """Return whether a key lies between bounds, whatever its type."""
    checks = {"gt": key.__gt__, "gte": key.__ge__, "lt": key.__lt__, "lte": key.__le__}
    return all(checks[name](bound) for name, bound in bounds.items())


def keys_of(entries):
    return [entry.key for entry in entries]


@pytest.mark.parametrize("upper", [*UPPER, None], ids=["lt", "lte", "no-upper"])
@pytest.mark.parametrize("lower", [*LOWER, None], ids=["gt", "gte", "no-lower"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_every_pair_of_bounds_gives_the_keys_between_them(filled, lower, upper, reverse):
    pairs = itertools.product(EVERY_BOUND if lower else [None], EVERY_BOUND if upper else [None])
    for low, high in pairs:
        bounds = ({lower: low} if lower else {}) | ({upper: high} if upper else {})
        expected = sorted((key for key in KEYS if within(key, bounds)), reverse=reverse)
        assert keys_of(itertools.islice(filled.items(**bounds, reverse=reverse), 50)) == expected, bounds
        first = filled.peek(**bounds, reverse=reverse)
        assert (first and first.key) == (expected[0] if expected else None), bounds


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("limit", [0, 1, 5, 20, 21, 1000])
def test_a_limit_cuts_the_entries(filled, limit, reverse):
    expected = sorted(KEYS, reverse=reverse)[:limit]
    assert keys_of(filled.items(limit=limit, reverse=reverse)) == expected


def test_no_limit_gives_all(filled):
    assert keys_of(filled.items(limit=None)) == keys_of(filled) == KEYS


def test_an_exclusive_bound_wins_over_an_inclusive_one(filled):
    assert keys_of(filled.items(gt="46", gte="10")) == ["48"]
    assert keys_of(filled.items(lt="12", lte="48")) == ["10"]


def test_an_empty_key_is_a_bound_and_none_is_not(filled):
    assert keys_of(filled.items(lt="")) == keys_of(filled.items(lte="")) == []
    assert keys_of(filled.items(gt="", lt=None)) == KEYS


def test_an_empty_key_is_a_key_in_ranges_too(bee):
    bee.put("", "empty")
    bee.put("a", "1")
    assert keys_of(bee.items()) == keys_of(bee.items(gte="")) == ["", "a"]
    assert keys_of(bee.items(gt="")) == ["a"]
    assert keys_of(bee.items(lte="")) == [""]
    assert keys_of(bee.items(lt="")) == []


def test_the_entries_carry_seq_key_and_value(filled):
    for number, entry in enumerate(filled.items(), 1):
        assert (entry.seq, entry.value) == (number, f"value of {entry.key}")
        assert filled.get(entry.key) == entry


def test_a_bound_of_the_wrong_type_is_refused(filled):
    with pytest.raises(BadArgument):
        list(filled.items(gt=7))


def test_keys_are_sorted_by_their_bytes(core):
    bee = Hyperbee(core)
    keys = [b"", b"\x00", b"\x00\x00", b"\x7f", b"\x80", b"a", b"aa", b"\xff", b"\xff\xff"]
    for key in reversed(keys):
        bee.put(key)
    assert keys_of(bee.items()) == sorted(keys)
    assert keys_of(bee.items(gte=b"\xff", reverse=True)) == [b"\xff\xff", b"\xff"]


BYTES = st.binary(max_size=2) | st.sampled_from([b"\xff", b"\xff\xff", b"a\xff"])


@given(keys=st.sets(BYTES), prefix=BYTES, separator=st.sampled_from([b"", b"\x00", b"\xff"]))
def test_a_sub_shows_exactly_the_keys_with_its_prefix(keys, prefix, separator):
    with Hypercore() as core:
        bee = Hyperbee(core)
        with bee.batch() as batch:
            for key in keys:
                batch.put(key)
        sub = bee.sub(prefix, separator=separator)
        whole = prefix + separator
        expected = sorted(key[len(whole) :] for key in keys if key.startswith(whole))
        assert keys_of(sub.items()) == expected
        assert keys_of(sub.items(reverse=True)) == expected[::-1]
        assert keys_of(sub.items(gte=b"")) == expected


@given(keys=st.sets(BYTES, max_size=30), low=BYTES, high=BYTES, data=st.data())
def test_the_bounds_of_a_sub_are_those_of_its_own_keys(keys, low, high, data):
    bounds = {data.draw(st.sampled_from(LOWER)): low, data.draw(st.sampled_from(UPPER)): high}
    with Hypercore() as core:
        bee = Hyperbee(core)
        sub = bee.sub("s")
        for each in (bee.sub("r"), sub, bee.sub("t")):
            with each.batch() as batch:
                for key in keys:
                    batch.put(key)
        expected = [key for key in sorted(keys) if within(key, bounds)]
        assert keys_of(itertools.islice(sub.items(**bounds), 99)) == expected
        assert keys_of(itertools.islice(sub.items(**bounds, reverse=True), 99)) == expected[::-1]


@pytest.mark.parametrize("bounds", [{}, {"gte": "b"}, {"lt": "b"}], ids=str)
def test_a_range_of_an_encoding_within_another_shows_the_keys_of_both_prefixes(core, bounds):
    outer, nested = SubEncoder("x", "utf-8"), SubEncoder("x", SubEncoder("y", "utf-8"))
    bee = Hyperbee(core)
    for encoding, keys in ((outer, ["a", "x", "z"]), (nested, ["a", "b", "c"])):
        for key in keys:
            bee.with_encodings(key_encoding=encoding).put(key, b"")
    expected = [key for key in ("a", "b", "c") if within(key, bounds)]
    assert keys_of(bee.with_encodings(key_encoding=nested).items(**bounds)) == expected
    assert nested.encode_range(bounds) == SubEncoder("x").sub("y", "utf-8").encode_range(bounds)
