"""A drive: what is put is read again; links, versions, batches; what cannot be done is refused."""

import pytest

from hypercore import Corestore, Hyperdrive
from hypercore.errors import (
    BadArgument,
    BlockNotAvailable,
    Closed,
    DecodingError,
    InvalidOperation,
    NoSuchFile,
)
from hypercore.hyperbee import Metadata
from hypercore.hyperdrive import DriveEntry
from tests.hypercore.hyperdrive.plain_drive import files_of

KEY = b"\x07" * 32


def paths(entries):
    return [entry.path for entry in entries]


# --- files --------------------------------------------------------------------------------------------------


def test_a_file_is_read_as_it_was_put(drive):
    drive.put("/a/b.txt", b"data", executable=True, metadata={"name": "ä"})
    assert drive.get("a/b.txt") == b"data"
    entry = drive.entry("/a/b.txt")
    assert entry == DriveEntry(1, "/a/b.txt", True, None, entry.blob, {"name": "ä"})
    assert drive.get(entry) == b"data"
    assert b"".join(drive.read_stream(entry, start=1, length=2)) == b"at"


def test_what_is_not_there_is_none(drive):
    drive.put("/a/b", b"")
    for path in ("/b", "/a", "/a/b/c"):
        assert (drive.get(path), drive.entry(path), drive.exists(path)) == (None, None, False)
        with pytest.raises(NoSuchFile):
            drive.read_stream(path)
        assert drive.delete(path) is False


def test_a_put_is_one_change_of_both_cores_at_once(drive):
    drive.put("/first", b"")
    seen = []
    blobs = drive.blobs.core
    for core in (drive.core, blobs):
        core.on_change(lambda: seen.append(None if drive.closed else (drive.core.length, blobs.length)))
    drive.put("/a", b"data")
    assert seen == [(3, 1), (3, 1)]


@pytest.mark.parametrize(
    "write",
    [
        lambda drive: drive.put("/..", b"x"),
        lambda drive: drive.put("/", b"x"),
        lambda drive: drive.put("/x", "text"),
        lambda drive: drive.put("/x", b"x", metadata=object()),
        lambda drive: drive.put(7, b"x"),
        lambda drive: drive.symlink("/x", 7),
        lambda drive: drive.symlink("", "/x"),
        lambda drive: drive.delete("/../x"),
    ],
    ids=["above", "top", "text", "metadata", "number", "link-to-number", "link-at-the-top", "delete"],
)
def test_what_cannot_be_stored_is_refused_and_leaves_nothing_behind(drive, write):
    drive.put("/a", b"data")
    before = drive.core.length, drive.blobs.core.length
    with pytest.raises(BadArgument):
        write(drive)
    assert (drive.core.length, drive.blobs.core.length) == before
    assert files_of(drive) == {"/a": (b"data", False)}


def test_deleting_keeps_the_data_of_earlier_versions(drive):
    drive.put("/a", b"data")
    version = drive.version
    assert drive.delete("/a") is True
    assert files_of(drive) == {}
    assert files_of(drive.checkout(version)) == {"/a": (b"data", False)}


def test_an_entry_is_put_as_it_is(drive):
    drive.put("/a", b"data")
    drive.put_entry("/b", blob=drive.entry("/a").blob, executable=True)
    drive.put_entry("/c")
    assert drive.blobs.core.length == 1
    assert files_of(drive) == {"/a": (b"data", False), "/b": (b"data", True), "/c": (None, False)}


# --- links --------------------------------------------------------------------------------------------------


def test_links_are_followed_when_it_is_asked_for(drive):
    drive.put("/dir/file", b"data")
    drive.symlink("/link", "/other")
    drive.symlink("/other", "dir/../../dir/file")
    drive.symlink("/dangling", "/nowhere")
    assert drive.get("/link") is None
    assert drive.get("/link", follow=True) == b"data"
    assert drive.entry(drive.entry("/link"), follow=True).path == "/dir/file"
    assert drive.entry("/dangling", follow=True) is None


@pytest.mark.parametrize("links", [1, 15, 16, 17])
def test_a_long_way_of_links_is_refused(drive, links):
    drive.put("/0", b"data")
    for number in range(1, links + 1):
        drive.symlink(f"/{number}", f"/{number - 1}")
    if links < 16:
        assert drive.get(f"/{links}", follow=True) == b"data"
    else:
        with pytest.raises(InvalidOperation, match="more than 15 links"):
            drive.get(f"/{links}", follow=True)


def test_a_link_above_the_drive_leads_nowhere(drive):
    drive.symlink("/link", "../../x")
    with pytest.raises(BadArgument, match="above the drive"):
        drive.get("/link", follow=True)


# --- folders ------------------------------------------------------------------------------------------------


def test_a_list_is_limited_and_filtered(drive):
    for path in ("/a/x", "/a/y/z", "/a0", "/b"):
        drive.put(path, b"")
    assert paths(drive.list(ignore="/a")) == ["/a0", "/b"]
    assert paths(drive.list(ignore=["a/x", "/b"])) == ["/a/y/z", "/a0"]
    assert paths(drive.list(ignore=lambda path: path.endswith("z"), limit=2)) == ["/a/x", "/a0"]
    assert paths(drive.list("/a", limit=0)) == []
    assert paths(drive.list("/a", limit=-1)) == ["/a/x", "/a/y/z"]
    assert paths(drive.list(recursive=False)) == ["/a/x", "/a0", "/b"]
    assert paths(drive.list(recursive=False, reverse=True, limit=2)) == ["/b", "/a0"]
    assert paths(drive.list(recursive=False, ignore="/a/x")) == ["/a/y/z", "/a0", "/b"]
    assert list(drive.readdir("/a")) == ["x", "y"]


def test_a_name_of_a_file_and_a_folder_comes_once(drive):
    for path in ("/foo", "/foo-bar", "/foo/bar", "/foo0"):
        drive.put(path, b"")
    assert list(drive.readdir()) == ["foo", "foo-bar", "foo0"]
    assert paths(drive.list(recursive=False)) == ["/foo", "/foo-bar", "/foo0"]
    assert paths(drive.list(recursive=False, ignore=lambda path: path == "/foo")) == [
        "/foo-bar",
        "/foo/bar",
        "/foo0",
    ]


# --- versions -----------------------------------------------------------------------------------------------


def test_a_checkout_is_the_drive_as_it_was(drive):
    drive.put("/a", b"1")
    drive.put("/b", b"2")
    old = drive.checkout(2)
    assert (old.version, files_of(old)) == (2, {"/a": (b"1", False)})
    assert files_of(old.checkout(3)) == files_of(drive.snapshot()) == files_of(drive)
    assert files_of(drive.checkout(1)) == {}
    with pytest.raises(BadArgument):
        drive.checkout(-1)


def test_a_difference_is_between_this_version_and_another(drive):
    drive.put("/dir/a", b"1")
    drive.put("/dir/b", b"2")
    drive.put("/c", b"3")
    found = [(d.left and d.left.path, d.right and d.right.path) for d in drive.diff(2, "/dir")]
    assert found == [("/dir/b", None)]
    [difference] = drive.checkout(1).diff(drive.checkout(2))
    assert (difference.left, difference.right.path) == (None, "/dir/a")


def test_the_length_of_the_blobs_is_that_of_a_version(drive):
    for number in range(3):
        drive.put("/a", bytes(70_000 * number))
    assert [drive.blobs_length(version) for version in (1, 2, 3, 4)] == [0, 0, 2, 5]
    assert drive.blobs_length() == 5


def test_changes_of_a_folder_are_watched(drive):
    drive.put("/dir/a", b"1")
    with drive.watch("/dir") as watcher:
        drive.put("/other", b"")
        assert watcher.poll() is None
        drive.put("/dir/a", b"2")
        change = watcher.poll()
        assert (change.previous.get("/dir/a"), change.current.get("/dir/a")) == (b"1", b"2")
        assert watcher.poll() is None


# --- batches ------------------------------------------------------------------------------------------------


def test_a_batch_is_one_commit_and_read_before(drive):
    drive.put("/old", b"old")
    before = drive.core.length, drive.blobs.core.length
    with drive.batch() as batch:
        batch.put("/a", bytes(70_000), metadata=1)
        batch.put_entry("/b", blob=batch.entry("/a").blob)
        batch.symlink("/link", "/a")
        assert batch.delete("/old") is True
        assert batch.get("/b", start=69_999) == b"\0"
        assert batch.get("/link", follow=True) == bytes(70_000)
        assert paths(batch.list()) == ["/a", "/b", "/link"]
        assert files_of(drive) == {"/old": (b"old", False)}
        assert (drive.core.length, drive.blobs.core.length) == before
    assert files_of(drive) == {"/a": (bytes(70_000), False), "/b": (bytes(70_000), False), "/link": "/a"}


def check_every_way_to_read(batch, path, data):
    assert batch.get(path) == batch.open(path).read() == b"".join(batch.read_stream(path)) == data
    assert b"".join(batch.read_stream(path, start=len(data) // 2)) == data[len(data) // 2 :]
    with batch.open(path) as file:
        file.seek(len(data) // 3)
        assert file.read() == data[len(data) // 3 :]
    with pytest.raises(BadArgument):
        batch.read_stream(path, start=len(data), length=1)


def test_a_file_of_a_batch_is_read_in_every_way(drive):
    files = {"/stored": b"stored", "/a": bytes(range(256)) * 800, "/empty": b"", "/b": b"small"}
    drive.put("/stored", files["/stored"])
    batch = drive.batch()
    for path in ("/a", "/empty", "/b"):
        batch.put(path, files[path])
    kept = batch.open("/a")
    for path, data in files.items():
        check_every_way_to_read(batch, path, data)
    batch.flush()
    for path, data in files.items():
        check_every_way_to_read(batch, path, data)
    assert kept.read() == files["/a"]


def test_what_a_batch_refuses_leaves_no_data_in_it(drive):
    with drive.batch() as batch:
        batch.put("/a", b"data", metadata=1)
        for path, metadata in (("/b", object()), ("/..", None)):
            with pytest.raises(BadArgument):
                batch.put(path, b"refused", metadata=metadata)
    assert files_of(drive) == {"/a": (b"data", False)}
    assert list(drive.blobs.core.read_stream()) == [b"data"]


def test_a_batch_that_is_closed_leaves_nothing(drive):
    batch = drive.batch()
    batch.put("/a", b"data")
    batch.close()
    assert (drive.core.length, drive.blobs.core.length) == (1, 0)
    drive.put("/b", b"data")
    for write in (lambda: batch.put("/c", b""), batch.flush):
        with pytest.raises(Closed):
            write()


def fail(batch):
    with batch:
        batch.put("/a", b"data")
        raise ZeroDivisionError


def test_a_batch_that_is_left_by_an_exception_leaves_nothing(drive):
    with pytest.raises(ZeroDivisionError):
        fail(drive.batch())
    assert files_of(drive) == {}
    drive.put("/b", b"data")


def test_a_batch_that_was_flushed_inside_its_block_is_over(drive):
    with drive.batch() as batch:
        batch.put("/a", b"data")
        batch.flush()
    assert drive.get("/a") == b"data"


def test_nobody_else_writes_while_a_batch_does(drive):
    with drive.batch() as batch:
        batch.put("/a", b"data")
        for write in (
            lambda: drive.put("/b", b""),
            lambda: drive.delete("/a"),
            lambda: drive.symlink("/b", "/"),
        ):
            with pytest.raises(InvalidOperation):
                write()
    drive.put("/b", b"")
    assert paths(drive) == ["/a", "/b"]


# --- what is stored here ------------------------------------------------------------------------------------


def test_data_that_is_cleared_is_missing_and_the_entry_is_not(drive):
    drive.put("/dir/a", b"a")
    drive.put("/dir/b", b"b")
    drive.symlink("/dir/link", "/dir/a")
    assert drive.has("/dir/a")
    drive.clear("/dir/a")
    drive.clear("/dir/link")
    drive.clear("/missing")
    assert drive.exists("/dir/a")
    assert [drive.has(path) for path in ("/dir/a", "/dir/b", "/dir", "/dir/link", "/", "/none/")] == [
        False,
        True,
        False,
        False,
        False,
        True,
    ]
    with pytest.raises(BlockNotAvailable):
        drive.get("/dir/a")
    drive.clear_all()
    assert not drive.has("/dir/b")


def test_a_drive_is_cut_to_a_version_with_its_data(store, drive):
    drive.put("/a", bytes(70_000))
    drive.put("/b", b"b")
    version = drive.version
    drive.put("/a", b"new")
    drive.put("/c", b"c")
    drive.truncate(version)
    for each in (drive, Hyperdrive(store)):
        assert (paths(each), each.version, each.get("/a")) == (["/a", "/b"], version, bytes(70_000))
        assert (each.blobs.core.length, each.blobs_length()) == (3, 3)
    drive.put("/d", b"d")
    assert (drive.get("/b"), drive.get("/d")) == (b"b", b"d")
    drive.truncate(2, blobs=3)
    assert (paths(drive), drive.blobs.core.length, drive.blobs_length()) == (["/a"], 3, 2)
    drive.truncate(0)
    assert (paths(drive), drive.core.length, drive.blobs.core.length) == ([], 0, 0)
    assert drive.core.audit() == drive.blobs.core.audit() == []


@pytest.mark.parametrize("arguments", [{"version": 3}, {"version": -1}, {"version": 2, "blobs": 2}], ids=str)
def test_a_drive_is_not_cut_to_what_it_does_not_have(drive, arguments):
    drive.put("/a", b"a")
    with pytest.raises(BadArgument, match="the drive has"):
        drive.truncate(**arguments)
    assert drive.get("/a") == b"a"


def test_a_drive_is_not_cut_while_a_file_is_written(drive):
    drive.put("/a", b"a")
    with drive.open("/b", "wb") as file:
        file.write(b"b")
        with pytest.raises(InvalidOperation, match="being written"):
            drive.truncate(1)
    assert (drive.get("/a"), drive.get("/b")) == (b"a", b"b")


def test_a_drive_that_is_purged_is_gone(store, drive):
    drive.put("/a", b"data")
    key = drive.key
    drive.purge()
    assert drive.closed
    assert key not in set(store.cores())
    assert len(list(store.cores())) == 0


def test_a_drive_that_nothing_has_come_of_is_purged(store):
    other = Hyperdrive(store, KEY)
    assert KEY in set(store.cores())
    other.purge()
    assert other.closed
    assert set(store.cores()) == set()


# --- which drive --------------------------------------------------------------------------------------------


def test_a_drive_is_there_when_the_store_is_opened_again(tmp_path):
    with Corestore(tmp_path) as store, Hyperdrive(store) as drive:
        drive.put("/a", b"data")
        keys = drive.key, drive.id, drive.discovery_key, drive.content_key
    with Corestore(tmp_path) as store, Hyperdrive(store) as drive:
        assert (drive.key, drive.id, drive.discovery_key, drive.content_key) == keys
        assert drive.get("/a") == b"data"
        drive.put("/b", b"more")
        assert paths(drive) == ["/a", "/b"]


def test_each_namespace_has_a_drive_of_its_own(store, drive):
    with Hyperdrive(store.namespace("other")) as other:
        drive.put("/a", b"1")
        other.put("/a", b"2")
        assert (drive.get("/a"), other.get("/a")) == (b"1", b"2")


def test_two_drives_on_one_store_see_each_other(store, drive):
    again = Hyperdrive(store)
    drive.put("/a", b"1")
    again.put("/b", b"2")
    assert files_of(drive) == files_of(again) == {"/a": (b"1", False), "/b": (b"2", False)}
    file = drive.open("/c", "wb")
    file.write(bytes(2 << 20))
    again.put("/d", b"3")
    with pytest.raises(InvalidOperation, match="changed by somebody else"):
        file.close()
    assert paths(drive) == ["/a", "/b", "/d"]


def test_closing_a_drive_leaves_the_store_open(store):
    with Hyperdrive(store) as drive:
        drive.put("/a", b"data")
    assert drive.closed
    with pytest.raises(Closed):
        drive.get("/a")
    assert Hyperdrive(store).get("/a") == b"data"


def test_an_encrypted_drive_is_read_with_its_key_only(store):
    with Hyperdrive(store, encryption_key=KEY) as drive:
        drive.put("/secret name", b"secret data" * 10_000)
        assert drive.get("/secret name", start=70_000, length=5) == (b"secret data" * 10_000)[70_000:70_005]
        key = drive.key
    stored = store.get(key=key)
    assert b"secret" not in b"".join(stored.read_stream())
    with pytest.raises(DecodingError):
        Hyperdrive(store, key).get("/secret name")
    assert Hyperdrive(store, key, encryption_key=KEY).exists("/secret name")


def test_a_compat_drive_names_its_blobs_in_the_header(store):
    with Hyperdrive(store, compat=True) as drive:
        drive.put("/a", b"data")
        key = drive.key
        assert key == store.create_key_pair("db").public_key
        assert drive.db.metadata() == Metadata(content_feed=drive.content_key)
    with Hyperdrive(store, key) as again:
        again.put("/b", b"more")
        assert files_of(again) == {"/a": (b"data", False), "/b": (b"more", False)}
