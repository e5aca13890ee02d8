"""Drives that are opened by their key, over a connection."""

from contextlib import asynccontextmanager

import pytest

from hypercore import Corestore, Hyperdrive, aio
from hypercore.errors import NoSuchFile, RequestTimeout
from tests.loops import in_loop

HOST = "127.0.0.1"
FILES = {
    "/a.txt": b"one",
    "/empty": b"",
    "/folder/b.bin": bytes(range(256)) * 1000,
    "/folder/deep/c.txt": b"three",
    "/other/d.txt": b"four" * 50_000,
}


@pytest.fixture(params=[None, bytes(range(32))], ids=["plain", "encrypted"])
def encryption_key(request):
    return request.param


@pytest.fixture
def drive(encryption_key):
    with Corestore() as store, Hyperdrive(store, encryption_key=encryption_key) as drive:
        for path, data in FILES.items():
            drive.put(path, data, metadata={"path": path})
        drive.symlink("/link", "/a.txt")
        yield drive


@pytest.fixture
def copy(drive, encryption_key):
    with Corestore() as store, Hyperdrive(store, drive.key, encryption_key=encryption_key) as copy:
        yield copy


@asynccontextmanager
async def linked(drive, copy):
    async with await aio.serve(drive.store) as server, await aio.connect(copy.store, HOST, server.port):
        yield


def stored(core):
    return sum(end - start for start, end in core.stored_ranges())


@in_loop
async def test_a_drive_is_read_as_far_as_it_is_needed(drive, copy):
    async with (
        await aio.serve(drive.store) as server,
        await aio.connect(copy.store, "127.0.0.1", server.port),
    ):
        await aio.update(copy)
        assert copy.version == drive.version
        assert await aio.available(copy, lambda: copy.get("/a.txt")) == b"one"
        assert stored(copy.blobs.core) < stored(drive.blobs.core)
        assert await aio.available(copy, lambda: copy.get("/link", follow=True)) == b"one"
        assert await aio.available(copy, lambda: copy.get("/nothing")) is None
        assert await aio.available(copy, lambda: list(copy.readdir("/folder"))) == ["b.bin", "deep"]
        assert await aio.available(copy, lambda: list(copy.list())) == list(drive.list())
        assert await aio.available(copy, lambda: copy.get("/folder/b.bin", start=1000, length=5)) == bytes(
            range(232, 237)
        )
        with pytest.raises(NoSuchFile):
            await aio.available(copy, lambda: b"".join(copy.read_stream("/nothing")))
        read_all = await aio.available(copy, lambda: {path: copy.get(path) for path in FILES})
        assert read_all == FILES


@in_loop
async def test_changes_of_a_drive_are_seen_while_connected(drive, copy):
    async with (
        await aio.serve(drive.store) as server,
        await aio.connect(copy.store, "127.0.0.1", server.port),
    ):
        await aio.download(copy)
        version = copy.version
        drive.put("/new.txt", b"new")
        drive.delete("/a.txt")
        # What is appended behind is known before this block is: the peer tells of it first.
        await aio.get(copy.core, drive.core.length - 1, timeout=20)
        assert await aio.available(copy, lambda: copy.get("/new.txt")) == b"new"
        assert copy.get("/a.txt") is None
        assert [each.path for each in copy.checkout(version).list("/")] == sorted([*FILES, "/link"])


@in_loop
async def test_a_folder_is_downloaded_and_nothing_else(drive, copy, tmp_path):
    async with (
        await aio.serve(drive.store) as server,
        await aio.connect(copy.store, "127.0.0.1", server.port),
    ):
        seen: list[aio.Progress] = []
        await aio.download(copy, "/folder", progress=seen.append)
        assert copy.has("/folder/")
        assert not copy.has("/other/d.txt")
        assert seen[-1].blocks == seen[-1].total == stored(copy.blobs.core)
    copy.mirror(tmp_path / "folder", prefix="/folder")
    assert (tmp_path / "folder" / "b.bin").read_bytes() == FILES["/folder/b.bin"]
    assert (tmp_path / "folder" / "deep" / "c.txt").read_bytes() == b"three"


@in_loop
async def test_a_whole_drive_is_downloaded_and_mirrored(drive, copy, tmp_path):
    async with (
        await aio.serve(drive.store) as server,
        await aio.connect(copy.store, "127.0.0.1", server.port),
    ):
        await aio.download(copy)
    assert copy.core.contiguous_length == drive.core.length
    assert copy.blobs.core.contiguous_length == drive.blobs.core.length
    copy.mirror(tmp_path / "mirror")
    for path, data in FILES.items():
        assert (tmp_path / "mirror" / path[1:]).read_bytes() == data
    assert copy.core.audit() == copy.blobs.core.audit() == []


@in_loop
async def test_files_with_a_map_of_shared_blocks_are_downloaded(drive, copy):
    with drive.open("/mapped", "wb", dedup=True) as file:
        file.write(b"x" * 300_000)
    async with (
        await aio.serve(drive.store) as server,
        await aio.connect(copy.store, "127.0.0.1", server.port),
    ):
        await aio.download(copy, "/")
    assert copy.has("/mapped")
    assert b"".join(copy.read_stream("/mapped")) == b"x" * 300_000


@in_loop
async def test_a_drive_without_files_is_downloaded():
    with Corestore() as store, Corestore() as other:
        drive = Hyperdrive(store)
        drive.put("/a", b"a")
        drive.delete("/a")
        copy = Hyperdrive(other, drive.key)
        async with linked(drive, copy):
            await aio.download(copy, "/nothing")
            assert await aio.available(copy, lambda: list(copy.list())) == []


@in_loop
async def test_a_drive_that_nobody_has_gives_a_timeout(copy):
    with pytest.raises(RequestTimeout):
        await aio.download(copy, timeout=0.05)
