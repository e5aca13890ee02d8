"""What changed between two versions of a bee; the model test compares all of it with the naive answer."""

import pytest

from hypercore import Hyperbee, Hypercore
from hypercore.errors import BadArgument
from hypercore.hyperbee import Entry


@pytest.fixture
def changed(bee):
    """A bee in which, since version 4, a was put anew, b deleted, c put again as it was, and d put."""
    for key in "abc":
        bee.put(key, "1")
    bee.put("a", "2")
    bee.delete("b")
    bee.put("c", "1")
    bee.put("d", "1")
    return bee


def pairs(differences):
    return [
        (each.left and (each.left.key, each.left.value), each.right and (each.right.key, each.right.value))
        for each in differences
    ]


EXPECTED = [
    (("a", "2"), ("a", "1")),
    (None, ("b", "1")),
    (("c", "1"), ("c", "1")),
    (("d", "1"), None),
]


def test_left_is_the_bee_and_right_the_other_version(changed):
    assert pairs(changed.diff(4)) == EXPECTED
    assert pairs(changed.diff(changed.checkout(4))) == EXPECTED
    assert pairs(changed.checkout(4).diff(changed)) == [(right, left) for left, right in EXPECTED]
    first = next(changed.diff(4))
    assert (first.left, first.right) == (Entry(4, "a", "2"), Entry(1, "a", "1"))


def test_a_version_does_not_differ_from_itself(changed):
    for version in range(1, 9):
        assert list(changed.checkout(version).diff(version)) == []


def test_the_empty_version_lacks_everything(changed):
    assert pairs(changed.diff(1)) == [((key, value), None) for key, value in ("a2", "c1", "d1")]


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        ({"gt": "a"}, "bcd"),
        ({"gte": "b"}, "bcd"),
        ({"lt": "c"}, "ab"),
        ({"lte": "c"}, "abc"),
        ({"gt": "a", "lt": "d"}, "bc"),
        ({"limit": 2}, "ab"),
        ({"limit": 0}, ""),
        ({"limit": -1}, "abcd"),
        ({"gte": "b", "limit": 1}, "b"),
    ],
    ids=str,
)
def test_only_keys_in_the_range_are_compared_and_only_so_many_shown(changed, arguments, keys):
    expected = [each for each, key in zip(EXPECTED, "abcd", strict=True) if key in keys]
    assert pairs(changed.diff(4, **arguments)) == expected


def test_a_sub_is_compared_within_its_prefix(bee):
    bee.put("a", "1")
    bee.sub("s").put("a", "1")
    version = bee.version
    bee.put("a", "2")
    bee.sub("s").put("a", "2")
    assert pairs(bee.sub("s").diff(version)) == [(("a", "2"), ("a", "1"))]


def test_a_diff_shows_the_bee_as_it_was_when_it_was_asked_for(changed):
    found = changed.diff(4)
    changed.put("e", "1")
    assert pairs(found) == EXPECTED


def test_bees_on_two_cores_cannot_be_compared(changed):
    with Hypercore() as core, pytest.raises(BadArgument, match="same Hyperbee"):
        changed.diff(Hyperbee(core))


def test_a_negative_version_is_refused(changed):
    with pytest.raises(BadArgument, match="not negative"):
        changed.diff(-1)


def test_a_diff_over_a_truncation_of_a_named_session_shows_what_was_put_since(core):
    session = core.session("session")
    bee = Hyperbee(session, key_encoding="utf-8", value_encoding="utf-8")
    for key in "abc":
        bee.put(key, "1")
    before = bee.snapshot()
    session.truncate(2)
    for key in "bc":
        bee.put(key, "2")
    core.append(b"other")
    core.truncate(0)
    assert pairs(bee.diff(before)) == [(("b", "2"), ("b", "1")), (("c", "2"), ("c", "1"))]
