"""Cores are replicated with Node, whoever has the blocks, dials, and begins the handshake."""

import asyncio
from contextlib import contextmanager

import pytest

from hypercore import Corestore, Hypercore, KeyPair, aio
from tests.interop.replication import block, complete, digest, linked
from tests.loops import in_loop

SIZES = [index % 7 * 10 for index in range(50)]
BLOCKS = [block(index, size) for index, size in enumerate(SIZES)]

either_way = pytest.mark.parametrize("we_dial", [True, False], ids=["we dial", "node dials"])
either_role = pytest.mark.parametrize("we_initiate", [True, False], ids=["we initiate", "node initiates"])
their_sources = pytest.mark.parametrize("theirs", ["core", "store"], ids="their {}".format)
our_sources = pytest.mark.parametrize("ours", ["core", "store"], ids="our {}".format)


@contextmanager
def opened(ours, **options):
    """Open a core, alone or in a store; give what is replicated, and the core."""
    if ours == "core":
        with Hypercore(**options) as core:
            yield core, core
    else:
        with Corestore(None) as store, store.get(**options) as core:
            yield store, core


@either_way
@either_role
@their_sources
@our_sources
@in_loop
async def test_we_download_from_node(node, version, tmp_path, we_dial, we_initiate, theirs, ours):
    their_store = await node("openStore", version=version, path=str(tmp_path))
    their_core = await their_store("openCore", options={"name": "core"})
    await their_core("append", sizes=SIZES)
    their_source = their_store if theirs == "store" else their_core
    with opened(ours, key=their_core.key) as (our_source, core):
        async with linked(our_source, their_source, we_dial=we_dial, we_initiate=we_initiate):
            await aio.download(core)
        assert list(core.read_stream()) == BLOCKS
        assert complete(core)


@either_way
@either_role
@their_sources
@our_sources
@in_loop
async def test_node_downloads_from_us(node, version, tmp_path, we_dial, we_initiate, theirs, ours):
    with opened(ours, key_pair=KeyPair.generate()) as (our_source, core):
        core.append(BLOCKS)
        their_store = await node("openStore", version=version, path=str(tmp_path))
        their_core = await their_store("openCore", options={"key": core.key.hex()})
        their_source = their_store if theirs == "store" else their_core
        async with linked(our_source, their_source, we_dial=we_dial, we_initiate=we_initiate):
            await their_core("update")
            await their_core("download", start=0, end=len(BLOCKS))
        assert await their_core("digest", start=0, end=len(BLOCKS)) == digest(BLOCKS)


@either_role
@in_loop
async def test_any_reader_and_writer_will_do(node, version, tmp_path, we_initiate):
    theirs = await node("openAlone", version=version, path=str(tmp_path))
    await theirs("append", sizes=SIZES)
    server = await theirs("serve", isInitiator=not we_initiate)
    with Hypercore(key=theirs.key) as core:
        stream = await asyncio.open_connection("127.0.0.1", server.about["port"])
        async with await aio.replicate(core, stream, is_initiator=we_initiate):
            await aio.download(core)
        assert list(core.read_stream()) == BLOCKS
