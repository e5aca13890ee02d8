"""Cores of every kind are replicated with Node: all manifests, compat cores, encrypted and static ones."""

import pytest

from hypercore import Corestore, Hypercore, aio
from hypercore.manifest import Manifest, Prologue
from tests.interop.core_histories import KINDS
from tests.interop.core_operations import describe
from tests.interop.replication import block, complete, digest, linked
from tests.loops import in_loop

SIZES = [index % 5 * 8 for index in range(30)]
BLOCKS = [block(index, size) for index, size in enumerate(SIZES)]
ENCRYPTION_KEY = bytes(range(32))

# Version 10 does not know version 2 of manifests.
kinds = pytest.mark.parametrize(
    ("version", "kind"),
    [
        pytest.param(version, kind, id=f"hypercore{version}-{name}")
        for version in (10, 11)
        for name, kind in KINDS.items()
        if (version, name) != (10, "version-2") and name != "name"
    ],
)
encrypted = pytest.mark.parametrize("encryption_key", [None, ENCRYPTION_KEY], ids=["plain", "encrypted"])


@kinds
@encrypted
@in_loop
async def test_we_download_cores_of_all_kinds(node, version, kind, encryption_key, tmp_path):
    description = describe(**kind, encryption_key=encryption_key)
    theirs = await node("openAlone", version=version, path=str(tmp_path), options=description)
    await theirs("append", sizes=SIZES)
    await theirs("truncate", length=25)
    await theirs("append", sizes=SIZES[25:])
    with Hypercore(key=theirs.key, encryption_key=encryption_key) as core:
        async with linked(core, theirs):
            await aio.download(core)
        assert complete(core)
        assert list(core.read_stream()) == BLOCKS
        assert core.manifest == kind.get("manifest", core.manifest)


@kinds
@encrypted
@in_loop
async def test_node_downloads_cores_of_all_kinds(node, version, kind, encryption_key, tmp_path):
    with Hypercore(**kind, encryption_key=encryption_key) as core:
        core.append(BLOCKS)
        core.truncate(25)
        core.append(BLOCKS[25:])
        options = describe(key=core.key, encryption_key=encryption_key)
        # Version 11 has to be told when it opens the core, or it takes the blocks for those of another kind.
        options["compat"] = core.key_pair is not None and core.key == core.key_pair.public_key
        theirs = await node("openAlone", version=version, path=str(tmp_path), options=options)
        async with linked(core, theirs):
            await theirs("until", state={"fork": 1, "length": 30})
            assert await theirs("digest", start=0, end=30) == digest(BLOCKS)


@in_loop
async def test_who_has_no_encryption_key_hands_on_what_it_cannot_read(node, version, tmp_path):
    options = describe(encryption_key=ENCRYPTION_KEY)
    writer = await node("openAlone", version=version, path=str(tmp_path / "writer"), options=options)
    await writer("append", sizes=SIZES)
    options = describe(key=writer.key, encryption_key=ENCRYPTION_KEY)
    reader = await node("openAlone", version=version, path=str(tmp_path / "reader"), options=options)
    with Hypercore(key=writer.key) as core:
        async with linked(core, writer):
            await aio.download(core)
        assert complete(core)
        assert not set(core.read_stream()) & set(BLOCKS)
        async with linked(core, reader):
            assert await reader("digest", start=0, end=30) == digest(BLOCKS)


@in_loop
async def test_byte_offsets_of_encrypted_cores_are_found_on_both_sides(node, version, tmp_path):
    options = describe(encryption_key=ENCRYPTION_KEY)
    theirs = await node("openAlone", version=version, path=str(tmp_path / "theirs"), options=options)
    await theirs("append", sizes=SIZES)
    options = describe(key=theirs.key, encryption_key=ENCRYPTION_KEY)
    reader = await node("openAlone", version=version, path=str(tmp_path / "reader"), options=options)
    offsets = range(0, sum(SIZES), 37)
    with Hypercore(key=theirs.key, encryption_key=ENCRYPTION_KEY) as core:
        async with linked(core, theirs):
            await aio.update(core)
            for offset in offsets:
                assert list(await aio.seek(core, offset)) == await theirs("seek", offset=offset)
            await aio.download(core)
        async with linked(core, reader):
            await reader("update")
            for offset in offsets:
                assert await reader("seek", offset=offset) == list(core.seek(offset))


@in_loop
async def test_a_static_core_goes_from_node_to_us_and_on_to_node(node, version, tmp_path):
    source = await node("openAlone", version=version, path=str(tmp_path / "source"))
    await source("append", sizes=SIZES)
    with Hypercore() as draft:
        draft.append(BLOCKS)
        manifest = Manifest(prologue=Prologue(draft.tree_hash(), len(BLOCKS)))
    options = describe(manifest=manifest)
    theirs = await node("openAlone", version=version, path=str(tmp_path / "theirs"), options=options)
    await theirs("copyPrologue", source=source.handle)
    options = describe(key=manifest.key())
    copy = await node("openAlone", version=version, path=str(tmp_path / "copy"), options=options)
    with Hypercore(key=manifest.key()) as core:
        async with linked(core, theirs):
            await aio.download(core)
        assert list(core.read_stream()) == BLOCKS
        assert complete(core)
        async with linked(core, copy):
            await copy("update")
            assert await copy("digest", start=0, end=30) == digest(BLOCKS)


@in_loop
async def test_cores_of_a_store_are_replicated_at_once(node, version, tmp_path):
    with Corestore(None) as store:
        mine = [store.get(name=f"core {number}") for number in range(20)]
        for number, core in enumerate(mine):
            core.append([b"%d" % number] * number)
        theirs = await node("openStore", version=version, path=str(tmp_path))
        copies = [await theirs("openCore", options=describe(key=core.key)) for core in mine]
        others = [await theirs("openCore", options=describe(name=f"core {number}")) for number in range(20)]
        for number, other in enumerate(others):
            await other("append", sizes=[number] * number)
        async with linked(store, theirs):
            for number, (core, copy, other) in enumerate(zip(mine, copies, others, strict=True)):
                copied = store.get(key=other.key)
                await aio.download(copied, 0, number)
                assert list(copied.read_stream()) == [block(index, number) for index in range(number)]
                assert await copy("digest", start=0, end=number) == digest(core.read_stream())
