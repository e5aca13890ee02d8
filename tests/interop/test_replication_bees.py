"""Bees are read over the wire: ours in Node, and those of Node here."""

import pytest

from hypercore import Corestore, Hyperbee, aio
from tests.interop.replication import linked, reached
from tests.loops import in_loop

ENTRIES = [[f"key {number:03}", f"value {number}"] for number in range(500)]
OPTIONS = {"keyEncoding": "utf-8", "valueEncoding": "utf-8"}


@pytest.fixture
def ours():
    with Corestore(None) as store:
        yield store


def bee_on(core):
    return Hyperbee(core, key_encoding="utf-8", value_encoding="utf-8")


@in_loop
async def test_we_read_a_bee_of_node(node, version, tmp_path, ours):
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    their_bee = await theirs("openBee", options=OPTIONS)
    await their_bee("put", entries=ENTRIES)
    with ours.get(key=theirs.key) as core:
        async with linked(ours, theirs):
            await aio.update(core)
            bee = bee_on(core)
            found = await aio.available(core, lambda: bee.get("key 250"))
            assert found is not None
            assert found.value == "value 250"
            assert await aio.available(core, lambda: bee.get("key")) is None
            assert sum(end - start for start, end in core.stored_ranges()) < core.length / 5
            some = await aio.available(core, lambda: list(bee.items(gte="key 100", lt="key 110")))
            assert [[each.key, each.value] for each in some] == ENTRIES[100:110]
            everything = await aio.available(core, lambda: list(bee.items()))
            assert [[each.key, each.value] for each in everything] == ENTRIES


@in_loop
async def test_node_reads_a_bee_of_ours(node, version, tmp_path, ours):
    with ours.get(name="bee") as core:
        bee = bee_on(core)
        with bee.batch() as batch:
            for key, value in ENTRIES:
                batch.put(key, value)
        theirs = await node("openAlone", version=version, path=str(tmp_path), options={"key": core.key.hex()})
        their_bee = await theirs("openBee", options=OPTIONS)
        async with linked(ours, theirs):
            await theirs("update")
            assert await their_bee("entry", key="key 250") == "value 250"
            assert await their_bee("entry", key="key") is None
            assert len(await theirs("stored", start=0, end=core.length)) < core.length / 5
            assert await their_bee("entries", range={"gte": "key 100", "lt": "key 110"}) == ENTRIES[100:110]
            assert await their_bee("entries", range={}) == ENTRIES


async def value_of(bee, key):
    """Return the value of a key, fetching the blocks that are not here."""
    entry = await aio.available(bee.core, lambda: bee.get(key))
    return entry and entry.value


@in_loop
async def test_we_see_what_node_puts_into_a_bee_while_connected(node, version, tmp_path, ours):
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    their_bee = await theirs("openBee", options=OPTIONS)
    await their_bee("put", entries=ENTRIES[:1])
    with ours.get(key=theirs.key) as core:
        async with linked(ours, theirs):
            await aio.update(core)
            bee = bee_on(core)
            for number in range(1, 20):
                await their_bee("put", entries=[ENTRIES[number]])
                await reached(core, 0, number + 2)
                assert await value_of(bee, ENTRIES[number][0]) == ENTRIES[number][1]


@in_loop
async def test_node_sees_what_we_put_into_a_bee_while_connected(node, version, tmp_path, ours):
    with ours.get(name="bee") as core:
        bee = bee_on(core)
        bee.put(*ENTRIES[0])
        theirs = await node("openAlone", version=version, path=str(tmp_path), options={"key": core.key.hex()})
        their_bee = await theirs("openBee", options=OPTIONS)
        async with linked(ours, theirs):
            await theirs("update")
            for number in range(1, 20):
                bee.put(*ENTRIES[number])
                await theirs("until", state={"length": number + 2})
                assert await their_bee("entry", key=ENTRIES[number][0]) == ENTRIES[number][1]


@in_loop
async def test_each_side_tells_the_other_which_blocks_a_read_of_a_bee_needs(node, tmp_path, ours):
    theirs = await node("openAlone", version=11, path=str(tmp_path / "theirs"))
    their_bee = await theirs("openBee", options=OPTIONS)
    await their_bee("put", entries=ENTRIES)
    options = {"key": theirs.key.hex()}
    other = await node("openAlone", version=11, path=str(tmp_path / "other"), options=options)
    other_bee = await other("openBee", options=OPTIONS)
    told: list[bytes] = []
    with ours.get(key=theirs.key) as core:
        extension = aio.Extension(core, "hyperbee", lambda message, peer: told.append(message))
        async with linked(ours, theirs):
            await aio.update(core)
            bee = bee_on(core)
            assert len(await aio.available(core, lambda: list(bee.items()))) == len(ENTRIES)
            told_us = len(told)
            assert told_us
        async with linked(ours, other):
            await other("update")
            assert await other_bee("entries", range={}) == ENTRIES
            assert len(told) > told_us
        extension.close()
