"""Writing while iterating: an iterator shows the version that it began with."""

import pytest


def pairs(bee):
    return [(entry.key, entry.value) for entry in bee.items()]


KEYS = [f"{number:02}" for number in range(30)]


@pytest.fixture
def filled(bee):
    for key in KEYS:
        bee.put(key, "old")
    return bee


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("place", [0, 4, 5, 15, 29])
def test_writes_while_iterating_do_not_show(filled, place, reverse):
    expected = [(key, "old") for key in sorted(KEYS, reverse=reverse)]
    seen = []
    for number, entry in enumerate(filled.items(reverse=reverse)):
        seen.append((entry.key, entry.value))
        if number >= place:
            filled.put(f"{number:02}+", "new")
            filled.put(KEYS[-number], "new")
            filled.delete(KEYS[number])
    assert seen == expected


def test_deleting_everything_that_an_iteration_shows_empties_the_bee(filled):
    for entry in filled.items():
        assert filled.delete(entry.key)
    assert pairs(filled) == []


def test_iterations_side_by_side_show_the_version_they_began_with(filled):
    first = filled.items()
    next(first)
    filled.put("00+", "new")
    second = filled.items()
    next(second)
    filled.delete("29")
    assert len(list(first)) == 29
    assert len(list(second)) == 30
    assert len(pairs(filled)) == 30


def test_a_limit_holds_across_writes(filled):
    seen = []
    for entry in filled.items(gte="05", limit=4):
        seen.append(entry.key)
        filled.put("05+", "new")
    assert seen == ["05", "06", "07", "08"]


def test_a_batch_flushed_while_iterating_does_not_show(filled):
    seen = []
    for entry in filled.items():
        seen.append(entry.key)
        if entry.key == "07":
            with filled.batch() as batch:
                for key in KEYS:
                    batch.delete(key)
    assert seen == KEYS
    assert pairs(filled) == []


def test_an_iterated_checkout_is_not_disturbed_by_writes(filled):
    seen = []
    for entry in filled.snapshot().items():
        seen.append(entry.key)
        filled.delete(entry.key)
    assert seen == KEYS
