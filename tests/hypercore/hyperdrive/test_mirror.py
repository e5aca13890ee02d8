"""Mirrors between drives and folders: both become equal, and only what differs is written."""

import os
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypercore import Corestore, Hyperdrive
from hypercore.errors import BadArgument, InvalidOperation, NotWritable
from hypercore.hyperdrive import MirrorStep, MirrorSummary
from tests.hypercore.hyperdrive.plain_drive import copy_core, files_of

FILES = {
    "/bin/run": (b"#!", True),
    "/docs/a.txt": (b"hello", False),
    "/docs/deep/down/b": (bytes(200_000), False),
    "/empty": (b"", False),
    "/docs/link": "a.txt",
    "/я": (b"unicode", False),
}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "folder"


@pytest.fixture
def full_drive(drive):
    for path, content in FILES.items():
        if isinstance(content, str):
            drive.symlink(path, content)
        else:
            drive.put(path, content[0], executable=content[1])
    return drive


def on_disk(folder):
    """Return the files of a folder as files_of returns those of a drive."""
    found = {}
    for file in folder.rglob("*"):
        path = "/" + str(file.relative_to(folder))
        if file.is_symlink():
            found[path] = os.readlink(file)
        elif file.is_file():
            found[path] = (file.read_bytes(), bool(file.stat().st_mode & stat.S_IXUSR))
    return found


def steps(mirror, *arguments, **options):
    """Return what a mirror does, by path."""
    done = {}

    def note(step):
        done[step.path] = step.op

    mirror(*arguments, progress=note, **options)
    return {path: op for path, op in done.items() if op != "equal"}


def test_a_folder_becomes_equal_to_a_drive(full_drive, folder):
    summary = full_drive.mirror(folder)
    assert on_disk(folder) == FILES
    assert summary == MirrorSummary(files=6, add=6, bytes_added=200_014)
    assert full_drive.mirror(folder) == MirrorSummary(files=6)


def test_a_drive_becomes_equal_to_a_folder(full_drive, folder):
    full_drive.mirror(folder)
    with Corestore() as store, Hyperdrive(store) as copy:
        assert copy.mirror_from(folder) == MirrorSummary(files=6, add=6, bytes_added=200_014)
        assert files_of(copy) == FILES
        version = copy.version
        assert copy.mirror_from(folder, prune=True) == MirrorSummary(files=6)
        assert copy.version == version


CHANGES = {
    "data": lambda drive: drive.put("/docs/a.txt", b"HELLO"),
    "size": lambda drive: drive.put("/docs/a.txt", b""),
    "executable": lambda drive: drive.put("/docs/a.txt", b"hello", executable=True),
    "not-executable": lambda drive: drive.put("/bin/run", b"#!"),
    "link": lambda drive: drive.symlink("/docs/link", "deep"),
    "file-to-link": lambda drive: drive.symlink("/docs/a.txt", "deep"),
    "link-to-file": lambda drive: drive.put("/docs/link", b"a.txt"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
def test_only_what_differs_is_written(full_drive, folder, change, dry_run):
    full_drive.mirror(folder)
    before, version = files_of(full_drive), full_drive.version
    change(full_drive)
    after = files_of(full_drive)
    [path] = [path for path in after if before[path] != after[path]]
    assert steps(full_drive.mirror, folder, dry_run=dry_run) == {path: "change"}
    assert on_disk(folder) == (before if dry_run else after)
    # And the other way round, to the drive as it was.
    if not dry_run:
        full_drive.checkout(version).mirror(folder)
        assert steps(full_drive.mirror_from, folder) == {path: "change"}
        assert files_of(full_drive) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [(0o600, 0o600), (0o640, 0o640), (0o700, 0o600), (0o444, 0o444), (0o666, 0o666)],
    ids=oct,
)
def test_a_file_that_changes_keeps_who_may_read_and_write_it(full_drive, folder, before, after):
    full_drive.mirror(folder)
    file = folder / "docs" / "a.txt"
    file.chmod(before)
    full_drive.put("/docs/a.txt", b"changed")
    full_drive.mirror(folder)
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"changed", after)
    full_drive.put("/docs/a.txt", b"run", executable=True)
    full_drive.mirror(folder)
    assert stat.S_IMODE(file.stat().st_mode) == after | (after & 0o444) >> 2


def test_a_file_in_the_place_of_a_link_is_like_any_new_one(full_drive, folder):
    full_drive.mirror(folder)
    (folder / "docs" / "a.txt").chmod(0o600)
    full_drive.put("/docs/link", b"a file")
    full_drive.mirror(folder)
    new, other = (folder / "docs" / "link").stat(), (folder / "empty").stat()
    assert new.st_mode == other.st_mode


def test_only_pruning_removes(full_drive, folder):
    full_drive.mirror(folder)
    full_drive.delete("/docs/deep/down/b")
    (folder / "mine").write_bytes(b"mine")
    assert steps(full_drive.mirror, folder) == {}
    removed = {"/docs/deep/down/b": "remove", "/mine": "remove"}
    assert steps(full_drive.mirror, folder, prune=True, dry_run=True) == removed
    assert (folder / "mine").exists()
    assert steps(full_drive.mirror, folder, prune=True) == removed
    assert on_disk(folder) == files_of(full_drive)
    assert not (folder / "docs" / "deep").exists()


def test_pruning_a_drive_deletes_what_the_folder_does_not_have(full_drive, folder):
    folder.mkdir()
    (folder / "empty").touch()
    assert steps(full_drive.mirror_from, folder) == {}
    removed = dict.fromkeys(FILES.keys() - {"/empty"}, "remove")
    assert steps(full_drive.mirror_from, folder, prune=True, dry_run=True) == removed
    assert files_of(full_drive) == FILES
    assert steps(full_drive.mirror_from, folder, prune=True) == removed
    assert files_of(full_drive) == {"/empty": (b"", False)}


def test_progress_tells_sizes_before_and_after(full_drive, folder):
    full_drive.mirror(folder, prefix="/docs/deep")
    full_drive.put("/docs/deep/down/b", b"123")
    seen: list[MirrorStep] = []
    summary = full_drive.mirror(folder, prefix="/docs/deep", progress=seen.append)
    assert seen == [MirrorStep("change", "/down/b", 200_000, 3)]
    assert (summary.bytes_removed, summary.bytes_added) == (200_000, 3)


def test_a_part_of_a_drive_is_mirrored_both_ways(full_drive, folder):
    full_drive.mirror(folder, prefix="docs/")
    assert on_disk(folder) == {path[5:]: FILES[path] for path in FILES if path.startswith("/docs/")}
    full_drive.mirror_from(folder, prefix="/copy/of", prune=True)
    copied = {"/copy/of" + path: content for path, content in on_disk(folder).items()}
    assert files_of(full_drive) == FILES | copied


def test_links_within_a_part_of_a_drive_lead_to_the_same_files(full_drive, folder):
    full_drive.symlink("/docs/deep/top", "/docs/a.txt")
    full_drive.symlink("/docs/self", "../docs/./deep/down/b")
    full_drive.mirror(folder, prefix="/docs")
    assert os.readlink(folder / "deep" / "top") == "../a.txt"
    assert os.readlink(folder / "self") == "deep/down/b"
    assert (folder / "deep" / "top").read_bytes() == b"hello"
    assert full_drive.mirror(folder, prefix="/docs").change == 0
    assert full_drive.mirror_from(folder, prefix="/docs").change == 0


@pytest.mark.parametrize("target", ["/empty", "/", "/doc", "/docs2/a.txt", "../empty", "/docs/../empty"])
def test_a_link_out_of_a_part_of_a_drive_ends_a_mirror_of_that_before_it_writes(full_drive, folder, target):
    full_drive.symlink("/docs/out", target)
    with pytest.raises(BadArgument, match=r"the link '/out' points to .*, out of the folder"):
        full_drive.mirror(folder, prefix="/docs")
    assert not folder.exists()
    full_drive.mirror(folder)


def test_a_checkout_is_mirrored_as_it_was(full_drive, folder):
    version = full_drive.version
    full_drive.put("/docs/a.txt", b"later")
    full_drive.checkout(version).mirror(folder)
    assert on_disk(folder) == FILES


def test_files_with_block_maps_and_metadata_are_mirrored(drive, folder):
    with drive.open("/map", "wb", dedup=True, metadata={"a": 1}) as file:
        file.write(bytes(300_000))
    drive.mirror(folder)
    assert (folder / "map").read_bytes() == bytes(300_000)
    assert drive.mirror_from(folder) == MirrorSummary(files=1)
    (folder / "map").chmod(0o755)
    drive.mirror_from(folder)
    [entry] = drive
    assert (entry.executable, entry.metadata) == (True, {"a": 1})


def test_large_files_go_both_ways_in_pieces(drive, folder):
    data = os.urandom(3 << 20)
    folder.mkdir()
    (folder / "large").write_bytes(data)
    (folder / "small").write_bytes(b"small")
    drive.mirror_from(folder)
    assert files_of(drive) == {"/large": (data, False), "/small": (b"small", False)}
    drive.mirror(folder / "copy")
    assert on_disk(folder / "copy") == files_of(drive)


def test_many_files_are_stored_in_few_commits(drive, folder):
    folder.mkdir()
    for number in range(2500):
        (folder / str(number)).write_bytes(b"%d" % number)
    commits: list[None] = []
    drive.core.on_change(lambda: commits.append(None))
    assert drive.mirror_from(folder).add == 2500
    assert len(commits) < 10
    assert drive.get("/1234") == b"1234"


def test_other_kinds_of_files_are_left_out(drive, folder):
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "file").write_bytes(b"")
    drive.mirror_from(folder)
    assert list(files_of(drive)) == ["/file"]


GONE = {
    "removed": lambda file: None,
    "a-folder": lambda file: file.mkdir(),
    "a-link": lambda file: file.symlink_to("a"),
    "a-pipe": lambda file: os.mkfifo(file),
}


@pytest.mark.parametrize("stored", [b"old", b"gone", None], ids=["changed", "equal", "new"])
@pytest.mark.parametrize("become", GONE.values(), ids=GONE)
def test_a_file_that_goes_while_others_are_stored_is_left_out(drive, folder, become, stored):
    folder.mkdir()
    (folder / "a").write_bytes(b"first")
    (folder / "gone").write_bytes(b"gone")
    (folder / "z").write_bytes(b"last")
    if stored is not None:
        drive.put("/gone", stored)

    def go(step):
        if step.path == "/a":
            (folder / "gone").unlink()
            become(folder / "gone")

    assert drive.mirror_from(folder, progress=go).files == 2
    kept = {} if stored is None else {"/gone": (stored, False)}
    assert files_of(drive) == {"/a": (b"first", False), "/z": (b"last", False)} | kept
    drive.put("/more", b"")


def test_an_empty_drive_makes_no_folder(drive, folder):
    assert drive.mirror(folder) == MirrorSummary()
    assert not folder.exists()


def test_a_folder_that_does_not_exist_is_no_source(drive, folder):
    with pytest.raises(FileNotFoundError):
        drive.mirror_from(folder)
    (folder.parent / "file").touch()
    with pytest.raises(NotADirectoryError):
        drive.mirror_from(folder.parent / "file")


def test_a_drive_that_cannot_be_written_is_no_target(drive, folder):
    folder.mkdir()
    (folder / "file").touch()
    drive.put("/old", b"")
    with Corestore() as store, Hyperdrive(store, drive.key) as foreign:
        copy_core(drive.core, foreign.core)
        with pytest.raises(NotWritable):
            foreign.mirror_from(folder)


@pytest.mark.parametrize("name", [b"back\\slash", b"\xff"])
def test_a_name_that_no_drive_can_have_ends_a_mirror_before_it_writes(drive, folder, name):
    folder.mkdir()
    (folder / "file").touch()
    (folder / os.fsdecode(name)).touch()
    with pytest.raises(BadArgument, match="no drive has a path with a backslash, or that is not UTF-8"):
        drive.mirror_from(folder)
    assert drive.version == 1
    drive.put("/file", b"")
    drive.mirror(folder, prune=True)
    assert os.listdir(folder) == ["file"]


def test_an_empty_folder_makes_room_for_a_file_and_a_full_one_does_not(drive, folder):
    drive.put("/a", b"file")
    (folder / "a").mkdir(parents=True)
    drive.mirror(folder)
    assert on_disk(folder) == {"/a": (b"file", False)}
    (folder / "a").unlink()
    (folder / "a").mkdir()
    (folder / "a" / "mine").touch()
    with pytest.raises(InvalidOperation, match="a folder is in its place"):
        drive.mirror(folder)
    assert os.listdir(folder / "a") == ["mine"]
    assert os.listdir(folder) == ["a"]
    drive.mirror(folder, prune=True)
    assert on_disk(folder) == {"/a": (b"file", False)}


NAMES = st.sampled_from(["a", "b", "a.txt", "-", "я", " "])
TREES = st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map(tuple), st.binary(max_size=5), max_size=8)


def without_conflicts(tree):
    """Leave out the files that would be folders, too."""
    folders = {path[:depth] for path in tree for depth in range(1, len(path))}
    return {"/" + "/".join(path): data for path, data in tree.items() if path not in folders}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees=st.lists(TREES.map(without_conflicts), min_size=2, max_size=4))
def test_after_any_changes_a_pruned_mirror_is_equal(tmp_path_factory, trees):
    folder = tmp_path_factory.mktemp("mirror") / "folder"
    with Corestore() as store, Hyperdrive(store) as drive, Hyperdrive(store.namespace("copy")) as copy:
        for tree in trees:
            for path in files_of(drive).keys() - tree.keys():
                drive.delete(path)
            for path, data in tree.items():
                drive.put(path, data)
            drive.mirror(folder, prune=True)
            assert {path: data for path, (data, _) in on_disk(folder).items()} == tree
            if folder.exists():
                copy.mirror_from(folder, prune=True)
                assert files_of(copy) == files_of(drive)
