"""Random changes of a drive and of a plain dict; after each, everything that can be read is compared."""

import random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hypercore import Corestore, Hyperdrive
from tests.hypercore.hyperdrive.plain_drive import PATHS, after, do, files_of, random_change

FOLDERS = ["/", "/a", "/a/b", "/c", "/missing", "/x"]


def names_in(files, folder):
    """Return the names in a folder, in the order in which they are met in the order of paths."""
    prefix = folder.rstrip("/") + "/"
    below = [path[len(prefix) :] for path in sorted(files, key=str.encode) if path.startswith(prefix)]
    return list(dict.fromkeys(path.split("/")[0] for path in below))


class Drives(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.store = Corestore()
        self.drive = Hyperdrive(self.store)
        self.files: dict = {}
        self.versions: dict = {1: {}}

    @rule(seed=st.integers(0, 2**32))
    def change(self, seed):
        change = random_change(random.Random(seed))
        do(self.drive, change)
        self.files = after(self.files, change)
        self.versions[self.drive.version] = self.files

    @rule()
    def open_again(self):
        self.drive.close()
        self.drive = Hyperdrive(self.store)

    @rule(seed=st.integers(0, 2**32))
    def drop_a_batch(self, seed):
        batch = self.drive.batch()
        chance = random.Random(seed)
        files = self.files
        for _ in range(5):
            change = random_change(chance, in_batch=True)
            do(batch, change)
            files = after(files, change)
        assert files_of(batch) == files
        batch.close()

    @invariant()
    def files_are_equal(self):
        assert files_of(self.drive) == self.files
        assert list(files_of(self.drive)) == sorted(self.files, key=str.encode)

    @invariant()
    def folders_are_equal(self):
        for folder in FOLDERS:
            prefix = folder.rstrip("/") + "/"
            below = sorted((path for path in self.files if path.startswith(prefix)), key=str.encode)
            assert [entry.path for entry in self.drive.list(folder)] == below
            assert [entry.path for entry in self.drive.list(folder, reverse=True)] == below[::-1]
            assert list(self.drive.readdir(folder)) == names_in(self.files, folder)

    @rule(path=st.sampled_from(PATHS))
    def look_up_a_path(self, path):
        assert self.drive.exists(path) is (path in self.files)

    @rule(data=st.data())
    def look_at_two_versions(self, data):
        left, right = (data.draw(st.sampled_from(sorted(self.versions))) for _ in range(2))
        checkout = self.drive.checkout(left)
        assert files_of(checkout) == self.versions[left]
        changed = {
            entry.path
            for found in checkout.diff(right)
            for entry in (found.left, found.right)
            if entry is not None and self.differ(found.left, found.right)
        }
        before, behind = self.versions[left], self.versions[right]
        assert changed == {
            path for path in before.keys() | behind.keys() if before.get(path) != behind.get(path)
        }

    def differ(self, left, right):
        """Return whether two entries of one path differ in more than the time they were written."""
        if left is None or right is None:
            return True
        one, other = ((self.drive.get(each), each.linkname, each.executable) for each in (left, right))
        return one != other

    def teardown(self):
        self.store.close()


TestDrives = Drives.TestCase
