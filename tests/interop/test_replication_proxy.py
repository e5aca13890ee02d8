"""Nothing hangs when all that passes between Node and us is delayed, split and joined."""

from functools import partial
from random import Random

import pytest

from hypercore import Hyperbee, Hypercore, KeyPair, aio
from tests.interop.proxy import Proxy
from tests.interop.replication import block, complete, digest, reached
from tests.interop.seeds import SEEDS
from tests.loops import in_loop

LENGTH = 600
SIZES = [index % 11 * 30 for index in range(LENGTH)]
BLOCKS = [block(index, size) for index, size in enumerate(SIZES)]


@pytest.mark.parametrize("seed", [SEEDS[0], SEEDS[-1]])
@in_loop
async def test_we_download_from_node_and_follow_it(node, version, tmp_path, random):
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    await theirs("append", sizes=SIZES)
    server = await theirs("serve", isInitiator=False)
    with Hypercore(key=theirs.key) as core:
        async with (
            Proxy(server.about["port"], mangle=random) as proxy,
            await aio.connect(core, "127.0.0.1", proxy.port) as connection,
        ):
            await aio.download(core)
            assert list(core.read_stream()) == BLOCKS
            for fork, length in enumerate((LENGTH - 1, LENGTH // 2, 0), 1):
                await theirs("truncate", length=length)
                await theirs("append", sizes=[fork] * 100)
                await reached(core, fork, length + 100)
                await aio.download(core)
            assert connection.error is None
        assert complete(core)


@pytest.mark.parametrize("seed", [SEEDS[0], SEEDS[-1]])
@in_loop
async def test_node_downloads_from_us_and_follows_us(node, version, tmp_path, random):
    with Hypercore(key_pair=KeyPair.generate()) as core:
        core.append(BLOCKS)
        theirs = await node("openAlone", version=version, path=str(tmp_path), options={"key": core.key.hex()})
        errors: list[Exception] = []
        async with (
            await aio.serve(core, report=errors.append) as server,
            Proxy(server.port, mangle=random) as proxy,
        ):
            await theirs("connect", port=proxy.port, isInitiator=True)
            await theirs("download", start=0, end=LENGTH)
            assert await theirs("digest", start=0, end=LENGTH) == digest(BLOCKS)
            for fork, length in enumerate((LENGTH - 1, LENGTH // 2, 0), 1):
                core.truncate(length)
                core.append([b"%d" % fork] * 100)
                await theirs("until", state={"fork": fork, "length": length + 100})
                assert await theirs("digest", start=0, end=core.length) == digest(core.read_stream())
        assert not errors


@pytest.mark.parametrize("seed", [SEEDS[0], SEEDS[-1]])
@in_loop
async def test_a_bee_of_node_is_read_block_by_block(node, version, tmp_path, random):
    entries = [[f"key {number:03}", f"value {number}"] for number in range(200)]
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    bee = await theirs("openBee", options={"keyEncoding": "utf-8", "valueEncoding": "utf-8"})
    await bee("put", entries=entries)
    server = await theirs("serve", isInitiator=False)
    with Hypercore(key=theirs.key) as core:
        async with (
            Proxy(server.about["port"], mangle=random) as proxy,
            await aio.connect(core, "127.0.0.1", proxy.port),
        ):
            await aio.update(core)
            ours = Hyperbee(core, key_encoding="utf-8", value_encoding="utf-8")
            for key, value in Random(0).sample(entries, 10):
                found = await aio.available(core, partial(ours.get, key))
                assert found is not None
                assert found.value == value
            everything = await aio.available(core, lambda: list(ours.items()))
            assert [[each.key, each.value] for each in everything] == entries
