"""Drives are replicated with Node: each side mirrors the other's to a folder, byte for byte."""

import os

import pytest

from hypercore import Corestore, Hyperdrive, aio
from tests.interop.replication import linked
from tests.loops import in_loop

FILES = {
    "empty": b"",
    "one.txt": b"one",
    "folder/two.bin": bytes(range(256)) * 2000,
    "folder/deep/with space and ünïcode.txt": b"three",
    "large.bin": b"0123456789" * 150_000,
}


@pytest.fixture
def folder(tmp_path):
    """A folder with files, one of them a program, and a link."""
    source = tmp_path / "source"
    for path, data in FILES.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(data)
    (source / "one.txt").chmod(0o755)
    (source / "link").symlink_to("one.txt")
    return source


@pytest.fixture(params=[None, bytes(range(32))], ids=["plain", "encrypted"])
def encryption_key(request):
    return request.param


def options(encryption_key):
    return {} if encryption_key is None else {"encryptionKey": encryption_key.hex()}


def content(folder):
    """What is in a folder: the data of files, whether they are programs, and where links lead."""
    return {
        str(path.relative_to(folder)): (
            os.readlink(path) if path.is_symlink() else (path.read_bytes(), os.access(path, os.X_OK))
        )
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@in_loop
async def test_node_mirrors_our_drive_to_a_folder(node, folder, encryption_key, tmp_path):
    with Corestore(tmp_path / "ours") as ours, Hyperdrive(ours, encryption_key=encryption_key) as drive:
        drive.mirror_from(folder)
        store = await node("openStore", version=11, path=str(tmp_path / "theirs"))
        copy = await store("openDrive", key=drive.key.hex(), options=options(encryption_key))
        async with linked(ours, store):
            assert await copy("mirrorTo", folder=str(tmp_path / "mirror")) == len(FILES) + 1
    assert content(tmp_path / "mirror") == content(folder)


@in_loop
async def test_we_mirror_a_drive_of_node_to_a_folder(node, folder, encryption_key, tmp_path):
    store = await node("openStore", version=11, path=str(tmp_path / "theirs"))
    theirs = await store("openDrive", options=options(encryption_key))
    await theirs("mirrorFrom", folder=str(folder))
    with (
        Corestore(tmp_path / "ours") as ours,
        Hyperdrive(ours, theirs.key, encryption_key=encryption_key) as drive,
    ):
        async with linked(ours, store):
            await aio.download(drive)
        drive.mirror(tmp_path / "mirror")
        assert drive.core.audit() == drive.blobs.core.audit() == []
    assert content(tmp_path / "mirror") == content(folder)


@in_loop
async def test_single_files_of_a_drive_of_node_are_read_as_far_as_they_are_needed(node, folder, tmp_path):
    store = await node("openStore", version=11, path=str(tmp_path / "theirs"))
    theirs = await store("openDrive")
    await theirs("mirrorFrom", folder=str(folder))
    with Corestore(tmp_path / "ours") as ours, Hyperdrive(ours, theirs.key) as drive:
        async with linked(ours, store):
            await aio.update(drive)
            assert await aio.available(drive, lambda: drive.get("/one.txt")) == b"one"
            part = await aio.available(drive, lambda: drive.get("/large.bin", start=1_000_000, length=20))
            assert part == b"01234567890123456789"
            names = await aio.available(drive, lambda: list(drive.readdir("/folder")))
            assert names == ["deep", "two.bin"]
            blobs = drive.blobs.core
            assert 0 < sum(end - start for start, end in blobs.stored_ranges()) < blobs.length // 2
