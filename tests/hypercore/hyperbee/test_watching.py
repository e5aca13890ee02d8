"""Watchers of a range of keys and of one key, polled and waited for."""

import asyncio
import operator

import pytest

from hypercore import Hyperbee
from hypercore.errors import BadArgument, BlockNotAvailable, Closed
from hypercore.hyperbee import Entry
from hypercore.hyperbee.watching import Change, Watcher


def pairs(bee):
    return [(entry.key, entry.value) for entry in bee.items()]


# --- ranges -------------------------------------------------------------------------------------------------


def test_a_watcher_has_seen_what_was_there_before_it(bee):
    bee.put("a", "1")
    assert bee.watch().poll() is None


def test_a_change_shows_the_bee_as_it_is_and_as_it_was(bee):
    bee.put("a", "1")
    watcher = bee.watch()
    bee.put("b", "2")
    bee.delete("a")
    change = watcher.poll()
    assert change is not None
    assert (pairs(change.current), pairs(change.previous)) == ([("b", "2")], [("a", "1")])
    bee.put("c", "3")
    assert pairs(change.current) == [("b", "2")]
    again = watcher.poll()
    assert again is not None
    assert pairs(again.previous) == [("b", "2")]
    assert watcher.poll() is None


def test_a_change_of_a_bee_on_a_named_session_is_seen(core):
    bee = Hyperbee(core.session("session"), key_encoding="utf-8", value_encoding="utf-8")
    bee.put("a", "1")
    watcher = bee.watch()
    assert watcher.poll() is None
    bee.put("b", "2")
    change = watcher.poll()
    assert change is not None
    assert (pairs(change.current), pairs(change.previous)) == ([("a", "1"), ("b", "2")], [("a", "1")])
    assert watcher.poll() is None


@pytest.mark.parametrize(
    ("bounds", "seen"),
    [
        ({"gt": "b"}, "cd"),
        ({"gte": "b"}, "bcd"),
        ({"lt": "c"}, "ab"),
        ({"lte": "c"}, "abc"),
        ({"gt": "a", "lt": "d"}, "bc"),
        ({}, "abcd"),
    ],
    ids=str,
)
def test_only_changes_in_the_range_are_seen(bee, bounds, seen):
    watcher = bee.watch(**bounds)
    found = ""
    for key in "abcd":
        bee.put(key, "1")
        found += key if watcher.poll() else ""
    assert found == seen


def test_a_sub_sees_only_its_own_changes(bee):
    watcher = bee.sub("s").watch()
    bee.put("a", "1")
    assert watcher.poll() is None
    bee.sub("s").put("a", "1")
    change = watcher.poll()
    assert change is not None
    assert pairs(change.current) == [("a", "1")]


def test_what_is_undone_between_two_looks_is_no_change(bee):
    watcher = bee.watch()
    bee.put("a", "1")
    bee.delete("a")
    assert watcher.poll() is None


def test_a_truncation_is_a_change(bee, core):
    bee.put("a", "1")
    bee.put("b", "2")
    watcher = bee.watch()
    core.truncate(2)
    change = watcher.poll()
    assert change is not None
    assert (pairs(change.current), pairs(change.previous)) == ([("a", "1")], [("a", "1"), ("b", "2")])


def test_a_look_that_fails_is_repeated(core):
    looks = iter([0, BlockNotAvailable(3), 1])

    def look():
        found = next(looks)
        if isinstance(found, Exception):
            raise found
        return found

    watcher = Watcher(core, look, operator.ne)
    core.append(b"block")
    with pytest.raises(BlockNotAvailable):
        watcher.poll()
    assert watcher.poll() == Change(current=1, previous=0)


# --- one key ------------------------------------------------------------------------------------------------


def test_a_watched_key_tells_of_puts_and_deletes(bee):
    watcher = bee.watch_key("a")
    bee.put("b", "1")
    assert watcher.poll() is None
    bee.put("a", "1")
    first = watcher.poll()
    bee.put("a", "1")
    second = watcher.poll()
    bee.delete("a")
    third = watcher.poll()
    assert [(each.current, each.previous) for each in (first, second, third) if each] == [
        (Entry(2, "a", "1"), None),
        (Entry(3, "a", "1"), Entry(2, "a", "1")),
        (None, Entry(3, "a", "1")),
    ]


def test_a_key_that_moves_to_another_node_did_not_change(bee):
    bee.put("050", "1")
    watcher = bee.watch_key("050")
    for number in range(100):
        if number != 50:
            bee.put(f"{number:03}", "1")
        assert watcher.poll() is None


# --- closing ------------------------------------------------------------------------------------------------


def test_a_checkout_cannot_be_watched(bee):
    for watch in (lambda: bee.snapshot().watch(), lambda: bee.checkout(1).watch_key("a")):
        with pytest.raises(BadArgument, match="does not change"):
            watch()


def test_a_closed_watcher_sees_nothing_more(bee):
    with bee.watch() as watcher:
        pass
    watcher.close()
    bee.put("a", "1")
    with pytest.raises(Closed, match="the watcher"):
        watcher.poll()


def test_a_watcher_of_a_closed_core_says_so(bee, core):
    watcher = bee.watch()
    core.close()
    with pytest.raises(Closed, match="the core"):
        watcher.poll()


# --- waiting ------------------------------------------------------------------------------------------------


def test_waiting_ends_with_each_change(bee):
    async def main():
        seen = []
        with bee.watch() as watcher:
            for key in "abc":
                waiting = asyncio.create_task(anext(watcher))
                await asyncio.sleep(0)
                assert not waiting.done()
                bee.put(key, "1")
                change = await waiting
                seen.append(pairs(change.current))
        return seen

    assert asyncio.run(main()) == [
        [("a", "1")],
        [("a", "1"), ("b", "1")],
        [("a", "1"), ("b", "1"), ("c", "1")],
    ]


def test_changes_before_the_first_wait_are_not_missed(bee):
    async def main():
        watcher = bee.watch_key("a")
        bee.put("a", "1")
        return await anext(watcher)

    assert asyncio.run(main()).current == Entry(1, "a", "1")


def test_a_watcher_may_be_waited_for_in_one_loop_after_another(bee):
    watcher = bee.watch_key("a")

    async def wait_in_vain():
        waiting = asyncio.create_task(anext(watcher))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])

    async def wait():
        waiting = asyncio.create_task(anext(watcher))
        await asyncio.sleep(0)
        bee.put("a", "1")
        return await waiting

    for _ in range(2):
        asyncio.run(wait_in_vain())
    assert asyncio.run(wait()).current == Entry(1, "a", "1")


@pytest.mark.parametrize(
    "close", [lambda bee, watcher: watcher.close(), lambda bee, watcher: bee.close()], ids=["watcher", "bee"]
)
def test_closing_wakes_who_waits(bee, close):
    async def main():
        watcher = bee.watch()
        watching = asyncio.create_task(collect(watcher))
        await asyncio.sleep(0)
        close(bee, watcher)
        return await watching

    assert asyncio.run(main()) == []


async def collect(watcher):
    return [change async for change in watcher]
