"""A writer, two copies of ours and one in each version of Node agree in the end, whatever they lived."""

from contextlib import AsyncExitStack

import pytest

from tests.interop.random_peers import Ours, Theirs, live
from tests.interop.seeds import SEEDS
from tests.loops import in_loop


async def agree(writer, others):
    """See that all who are connected to the writer get all that it has; return what ends the connections."""
    links = [await other.connect(writer.port) for other in others]
    state, expected = await writer.state(), await writer.digest()
    for other in others:
        await other.follow(*state)
        assert await other.digest() == expected
    return links


@pytest.mark.parametrize("truncates", [False, True], ids=["appending", "truncating"])
@pytest.mark.parametrize("seed", SEEDS)
@in_loop
async def test_all_agree_in_the_end(node, tmp_path, random, truncates):
    errors: list[Exception] = []

    async def theirs(version, name, **options):
        path = str(tmp_path / name)
        return Theirs(await node("openAlone", version=version, path=path, options=options))

    async with AsyncExitStack() as stack:
        version = random.choice((None, 10, 11))
        writer = await theirs(version, "writer") if version else Ours(None, stack, errors)
        key = writer.key
        others: list[Ours | Theirs] = [Ours(key, stack, errors), Ours(key, stack, errors)]
        others += [await theirs(10, "10", key=key.hex()), await theirs(11, "11", key=key.hex())]
        for each in (writer, *others):
            await each.open()
        links = await live(random, writer, others, truncates=truncates)
        links += await agree(writer, others)
        for end in links:
            await end()
    reasons = await node("closeAll")
    assert not errors
    # Both versions end a connection when they are truncated while they prove something.
    assert not reasons or truncates
