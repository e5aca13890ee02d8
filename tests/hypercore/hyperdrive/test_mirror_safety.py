"""Drives of strangers: whatever they have, a mirror writes nothing outside of its folder."""

import os
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypercore import Corestore, Hyperdrive
from hypercore.errors import BadArgument, DecodingError, HypercoreError, InvalidOperation
from hypercore.hyperdrive.entries import encode_entry
from hypercore.hyperdrive.folders import Folder


@pytest.fixture
def place(tmp_path):
    """A directory with a secret in it, and a folder to mirror to."""
    place = tmp_path / "place"
    (place / "folder").mkdir(parents=True)
    (place / "secret").write_bytes(b"secret")
    (place / "other").mkdir()
    (place / "other" / "file").write_bytes(b"other")
    return place


def snapshot_of(place):
    """Return everything in a directory but for the folder to mirror to."""
    found = {}
    for root, folders, files in os.walk(place):
        if os.path.samefile(root, place):
            folders.remove("folder")
        for name in files + folders:
            path = os.path.join(root, name)
            found[path] = os.readlink(path) if os.path.islink(path) else os.stat(path).st_mtime_ns
    return found


def put_raw(drive, key, *, data=b"evil", linkname=None):
    """Put an entry whose path is as it is, whatever that is."""
    blob = None if linkname is not None else drive.blobs.put(data)
    value = encode_entry(False, linkname, blob, None)
    raw = key.encode() if isinstance(key, str) else key
    drive.db.with_encodings(key_encoding="binary", value_encoding="binary").put(b"files\0" + raw, value)


LONG = "/" + "n" * 256
PATHS = {
    "parent": "/../secret",
    "parent-at-the-top": "/..",
    "parent-later": "/a/../../secret",
    "parent-behind-a-backslash": "/a\\..\\..\\secret",
    "dot": "/./secret",
    "empty-name": "/a//b",
    "slash-at-the-end": "/a/",
    "absolute": "//etc/passwd",
    "zero-byte": "/a\0b",
    "zero-byte-at-the-end": "/secret\0",
    "long-name": LONG,
    "long-name-of-wide-letters": "/" + "я" * 128,
    "long-folder": LONG + "/a",
    "long-path": "/a" * 2001,
    "not-utf8": b"/\xff",
    "surrogate": b"/\xed\xa0\x80",
    "dots-that-are-not-utf8": b"/..\xff/../../secret",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("options", [{}, {"prune": True}, {"dry_run": True}], ids=["keep", "prune", "dry"])
def test_a_path_that_no_folder_has_ends_a_mirror_before_it_writes(drive, place, path, options):
    drive.put("/a good one", b"good")
    put_raw(drive, path)
    before = snapshot_of(place)
    with pytest.raises((BadArgument, DecodingError)):
        drive.mirror(place / "folder", **options)
    assert snapshot_of(place) == before
    assert os.listdir(place / "folder") == []


@pytest.mark.parametrize("path", ["secret", "", "/", "\\secret", "..", "\\..\\secret"])
def test_what_is_not_below_the_top_of_a_drive_is_not_there(drive, place, path):
    drive.put("/good", b"good")
    put_raw(drive, path)
    before = snapshot_of(place)
    drive.mirror(place / "folder", prune=True)
    assert snapshot_of(place) == before
    assert os.listdir(place / "folder") == ["good"]


LINKS = {
    "parent": "../secret",
    "parents": "../../../../../../etc/passwd",
    "absolute-parent": "/../secret",
    "down-and-up": "a/../../secret",
    "parent-behind-a-dot": "./.././secret",
    "parent-behind-slashes": "a//../..///secret",
    "backslash-name": "a\\b/../../secret",
    "letter-name": "C:/../../secret",
    "zero-byte": "a\0b",
    "empty": "",
    "long": "a/" * 3000,
    "half-a-character": "a\ud800",
}


@pytest.mark.parametrize("target", LINKS.values(), ids=LINKS)
def test_a_link_that_leads_out_of_the_folder_ends_a_mirror_before_it_writes(drive, place, target):
    drive.put("/a good one", b"good")
    drive.symlink("/link", target)
    with pytest.raises(BadArgument, match="the link '/link' points to"):
        drive.mirror(place / "folder")
    assert os.listdir(place / "folder") == []


@pytest.mark.parametrize(
    ("path", "target", "written"),
    [
        ("/link", "/", "."),
        ("/link", "/etc/passwd", "etc/passwd"),
        ("/a/b/link", "/etc/passwd", "../../etc/passwd"),
        ("/a/link", "../x/./y", "../x/y"),
        ("/a/link", "b/../c", "c"),
        ("/a/link", "..", ".."),
        ("/a/link", "C:\\x", "C:\\x"),
        ("/link", "~/x", "~/x"),
    ],
)
def test_a_link_that_stays_in_the_folder_is_a_relative_one(drive, place, path, target, written):
    drive.symlink(path, target)
    drive.mirror(place / "folder")
    link = f"{place}/folder{path}"
    assert os.readlink(link) == written
    assert os.path.realpath(link).startswith(str(place / "folder"))
    assert drive.mirror(place / "folder").change == 0


def test_a_file_below_a_link_is_refused(drive, place):
    drive.symlink("/way", "/")
    drive.put("/way/secret", b"evil")
    with pytest.raises(BadArgument, match="'/way' is a file, and a folder with '/way/secret'"):
        drive.mirror(place / "folder")
    assert os.listdir(place / "folder") == []


def test_a_file_with_files_below_it_is_refused(drive, place):
    for path in ("/a", "/a-b", "/a.txt", "/a/b"):
        drive.put(path, b"")
    with pytest.raises(BadArgument, match="'/a' is a file, and a folder with '/a/b'"):
        drive.mirror(place / "folder")


@pytest.mark.parametrize("target", ["../other", "other", "/absolute", "../secret", "nowhere", "."])
def test_a_link_in_the_folder_where_a_folder_has_to_be_is_not_followed(drive, place, target):
    (place / "folder" / "a").symlink_to(str(place / "other") if target == "/absolute" else target)
    drive.put("/a/file", b"evil")
    before = snapshot_of(place)
    with pytest.raises(InvalidOperation, match="something on the way to it is no folder"):
        drive.mirror(place / "folder")
    assert snapshot_of(place) == before
    drive.mirror(place / "folder", prune=True)
    assert snapshot_of(place) == before
    assert not (place / "folder" / "a").is_symlink()
    assert (place / "folder" / "a" / "file").read_bytes() == b"evil"


def test_a_link_in_the_folder_where_a_file_has_to_be_is_replaced(drive, place):
    (place / "folder" / "a").symlink_to("../secret")
    drive.put("/a", b"evil")
    drive.mirror(place / "folder")
    assert (place / "secret").read_bytes() == b"secret"
    assert (place / "folder" / "a").read_bytes() == b"evil"
    assert not (place / "folder" / "a").is_symlink()


def test_pruning_does_not_go_through_links(drive, place):
    (place / "folder" / "a").symlink_to("../other")
    before = snapshot_of(place)
    drive.mirror(place / "folder", prune=True)
    assert snapshot_of(place) == before
    assert os.listdir(place / "folder") == []


def test_a_hard_link_to_a_file_outside_is_replaced_and_not_written_to(drive, place):
    os.link(place / "secret", place / "folder" / "a")
    drive.put("/a", b"evil!!")
    drive.mirror(place / "folder")
    assert (place / "secret").read_bytes() == b"secret"


def test_a_folder_that_is_a_link_itself_is_written_to(drive, place):
    (place / "way").symlink_to("folder")
    drive.put("/a", b"data")
    drive.mirror(place / "way")
    assert (place / "folder" / "a").read_bytes() == b"data"


def test_names_that_differ_in_unicode_form_only_are_different_files(drive, place):
    names = [unicodedata.normalize(form, "é") for form in ("NFC", "NFD")]
    for name in names:
        drive.put(f"/{name}", name.encode())
        drive.put(f"/folder {name}/x", name.encode())
    before = snapshot_of(place)
    drive.mirror(place / "folder")
    assert snapshot_of(place) == before
    for name in names:
        assert (place / "folder" / name).read_bytes() == name.encode()
        assert (place / "folder" / f"folder {name}" / "x").read_bytes() == name.encode()
    drive.mirror_from(place / "folder", prune=True)
    assert drive.get(f"/{names[1]}") == names[1].encode()


def test_the_longest_names_that_a_disk_takes_are_written(drive, place):
    path = "/" + "n" * 255 + "/" + "ф" * 127
    drive.put(path, b"data")
    drive.mirror(place / "folder")
    assert (place / "folder" / path[1:]).read_bytes() == b"data"


def test_a_deep_path_is_written_and_pruned(drive, place):
    path = "/a" * 300
    drive.put(path, b"data")
    drive.mirror(place / "folder")
    drive.delete(path)
    assert drive.mirror(place / "folder", prune=True).remove == 1
    assert os.listdir(place / "folder") == []


def test_reading_a_folder_does_not_follow_links(drive, place):
    (place / "folder" / "file").symlink_to("../secret")
    (place / "folder" / "way").symlink_to("../other")
    drive.mirror_from(place / "folder")
    assert [(entry.path, entry.linkname) for entry in drive] == [("/file", "../secret"), ("/way", "../other")]


def test_a_link_that_no_disk_can_have_is_replaced_by_that_of_the_folder(drive, place):
    drive.symlink("/link", "a\ud800")
    (place / "folder" / "link").symlink_to("a")
    drive.mirror_from(place / "folder")
    assert [(entry.path, entry.linkname) for entry in drive] == [("/link", "a")]


def test_a_drive_whose_paths_lead_elsewhere_is_pruned_by_what_is_in_the_folder(drive, place):
    (place / "folder" / "kept").write_bytes(b"")
    for path in ("/kept", "/a\0b", LONG, "/../secret", "/./kept", "/a//b"):
        put_raw(drive, path, data=b"")
    before = snapshot_of(place)
    drive.mirror_from(place / "folder", prune=True)
    assert [entry.path for entry in drive] == ["/../secret", "/./kept", "/a//b", "/kept"]
    assert snapshot_of(place) == before


@pytest.mark.parametrize(
    "path", ["/..", "/../secret", "/a/../../secret", "/", "", "secret", "/./secret", "//secret"]
)
def test_a_folder_itself_takes_no_path_that_leads_elsewhere(place, path):
    before = snapshot_of(place)
    with Folder(place / "folder") as folder:
        assert folder.entry(path) is None
        for use in (
            lambda: folder.write(path, [b"evil"], executable=False),
            lambda: folder.link(path, "x"),
            lambda: folder.remove(path),
            lambda: folder.set_executable(path, True),
            lambda: next(folder.read(path)),
        ):
            with pytest.raises(BadArgument, match="is not a path below a folder"):
                use()
    assert snapshot_of(place) == before


def test_a_file_that_breaks_off_is_not_in_the_folder(drive, place):
    drive.put("/a", b"good")
    drive.mirror(place / "folder")
    drive.put("/a", bytes(200_000))
    drive.put("/b", bytes(200_000))
    drive.clear("/a")
    with pytest.raises(HypercoreError):
        drive.mirror(place / "folder")
    assert os.listdir(place / "folder") == ["a"]
    assert (place / "folder" / "a").read_bytes() == b"good"


PIECES = st.sampled_from(["..", ".", "", "/", "\\", "a", "b", "way", "\0", "C:", "é", "e\u0301", "secret"])
EVIL = st.lists(PIECES, max_size=6).map("/".join)
ENTRIES = st.lists(st.tuples(EVIL, st.none() | EVIL), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    entries=ENTRIES,
    links=st.dictionaries(st.sampled_from(["a", "b", "way"]), EVIL.filter(bool), max_size=2),
    prune=st.booleans(),
)
def test_nothing_outside_changes_whatever_a_drive_and_a_folder_have(tmp_path_factory, entries, links, prune):
    place = tmp_path_factory.mktemp("place")
    (place / "folder").mkdir()
    (place / "secret").write_bytes(b"secret")
    for name, target in links.items():
        if "\0" not in target:
            os.symlink(target, place / "folder" / name)
    before = snapshot_of(place)
    with Corestore() as store, Hyperdrive(store) as drive:
        for path, linkname in entries:
            put_raw(drive, path, linkname=linkname)
            put_raw(drive, "/" + path, linkname=linkname)
        with suppress(HypercoreError):
            drive.mirror(place / "folder", prune=prune)
    assert snapshot_of(place) == before
    assert (place / "secret").read_bytes() == b"secret"


@pytest.mark.parametrize("folder", [".", "store", "store/db", "store/db/new", "link"])
@pytest.mark.parametrize("mirror", [Hyperdrive.mirror, Hyperdrive.mirror_from], ids=["to", "from"])
def test_a_folder_that_the_store_of_the_drive_lies_in_is_refused(place, folder, mirror):
    (place / "link").symlink_to(".")
    with Corestore(place / "store") as store:
        drive = Hyperdrive(store)
        drive.put("/file", b"data")
        with pytest.raises(BadArgument, match="store"):
            mirror(drive, place / folder, prune=True)
        assert [entry.path for entry in drive] == ["/file"]
        assert drive.mirror(place / "store" / "beside").add == 1
    with Corestore(place / "store") as store:
        assert Hyperdrive(store).get("/file") == b"data"
