import pytest

from hypercore import Hypercore
from hypercore.errors import BadArgument, BlockNotAvailable, InvalidOperation, StorageCorrupt
from hypercore.storage import Database
from hypercore.storage.records import Dependency, dependency_key
from tests.hypercore.core.stored import opened, write


@pytest.fixture
def filled(core):
    core.append([b"a", b"b", b"c"])
    return core


def test_a_branch_begins_with_the_blocks_of_its_core_and_goes_its_own_way(filled):
    branch = filled.session("branch")
    branch.append([b"d", b"e"])
    filled.append(b"other")
    assert list(branch.read_stream()) == [b"a", b"b", b"c", b"d", b"e"]
    assert list(filled.read_stream()) == [b"a", b"b", b"c", b"other"]


@pytest.mark.parametrize(("start", "end"), [(0, 5), (1, 4), (3, 5), (2, 2)])
def test_a_branch_is_read_in_parts_and_from_its_end(filled, start, end):
    branch = filled.session("branch")
    branch.append([b"d", b"e"])
    expected = [b"a", b"b", b"c", b"d", b"e"][start:end]
    assert list(branch.read_stream(start, end)) == expected
    assert list(branch.read_stream(start, end, reverse=True)) == expected[::-1]


@pytest.mark.parametrize("again", [False, True], ids=["snapshot", "snapshot-of-it"])
def test_a_snapshot_of_a_branch_stays_as_it_was(filled, again):
    branch = filled.session("branch")
    branch.append([b"d", b"e"])
    inner = branch.session("inner")
    inner.append(b"f")
    views = {5: branch.snapshot(), 6: inner.snapshot()}
    hashes = {length: view.tree_hash() for length, view in views.items()}
    if again:
        views = {length: view.snapshot() for length, view in views.items()}
    inner.truncate(4)
    branch.truncate(1)
    branch.append([b"other"] * 5)
    filled.truncate(2)
    filled.append([b"more"] * 5)
    for length, view in views.items():
        expected = [b"a", b"b", b"c", b"d", b"e", b"f"][:length]
        assert list(view.read_stream()) == expected
        assert list(view.read_stream(reverse=True)) == expected[::-1]
        assert [view.get(index) for index in range(length)] == expected
        assert view.has(0, length)
        assert view.seek(3) == (3, 0)
        assert view.tree_hash() == view.tree_hash(length) == hashes[length]
    assert filled.audit() == []


def test_a_branch_is_opened_again_by_its_name(tmp_path):
    with Hypercore(tmp_path) as core:
        core.append(b"a")
        core.session("branch").append(b"b")
    with Hypercore(tmp_path) as core:
        assert list(core.session("branch").read_stream()) == [b"a", b"b"]
        assert list(core.session("branch", overwrite=True).read_stream()) == [b"a"]


def test_a_committed_branch_gives_the_core_it_would_have_been_without(filled):
    twin = Hypercore(key_pair=filled.key_pair)
    twin.append([b"a", b"b", b"c", b"d", b"e"])
    branch = filled.session("branch")
    branch.append([b"d", b"e"])
    assert filled.commit(branch) == 5
    assert filled.signature == twin.signature
    assert filled.verify()
    assert filled.audit() == []


def test_a_branch_goes_on_after_its_commit(filled):
    branch = filled.session("branch")
    branch.append(b"d")
    filled.commit(branch)
    branch.append(b"e")
    assert filled.commit(branch) == 5
    assert list(filled.read_stream()) == [b"a", b"b", b"c", b"d", b"e"]


def test_a_part_of_a_branch_can_be_committed(filled):
    branch = filled.session("branch")
    branch.append([b"d", b"e"])
    assert filled.commit(branch, length=4) == 4
    assert list(filled.read_stream()) == [b"a", b"b", b"c", b"d"]
    assert branch.length == 5


def test_a_branch_is_not_committed_to_a_core_that_went_another_way(filled):
    branch = filled.session("branch")
    branch.append(b"d")
    filled.append(b"other")
    assert filled.commit(branch) is None
    assert list(filled.read_stream()) == [b"a", b"b", b"c", b"other"]


def test_a_truncated_branch_shares_fewer_blocks(filled):
    branch = filled.session("branch")
    branch.truncate(1)
    branch.append([b"x", b"y"])
    assert list(branch.read_stream()) == [b"a", b"x", b"y"]
    assert filled.commit(branch) is None


def test_branches_of_branches_share_what_they_have_in_common(filled):
    first = filled.session("first")
    first.append(b"d")
    second = first.session("second")
    second.append(b"e")
    assert list(second.read_stream()) == [b"a", b"b", b"c", b"d", b"e"]
    assert filled.commit(second) == 5
    assert filled.audit() == []


def test_only_a_branch_of_the_core_can_be_committed_to_it(filled):
    other = Hypercore()
    for session in (filled.session(), filled.snapshot(), other.session("branch")):
        with pytest.raises(BadArgument, match="named session of this core"):
            filled.commit(session)


def test_what_is_missing_in_the_core_is_missing_in_its_branch(filled):
    filled.clear(1)
    branch = filled.session("branch")
    with pytest.raises(BlockNotAvailable):
        branch.get(1)
    assert not branch.has(1)
    assert branch.has(2)
    assert branch.contiguous_length == 1


@pytest.mark.parametrize("regrown", [[], [b"B", b"C"]], ids=["shorter", "as long as before"])
def test_a_branch_is_not_committed_to_a_core_whose_shared_blocks_were_truncated(filled, regrown):
    branch = filled.session("branch")
    branch.append(b"d")
    filled.truncate(1)
    filled.append(regrown)
    assert filled.commit(branch) is None
    assert list(filled.read_stream()) == [b"a", *regrown]
    assert filled.verify()
    assert filled.audit() == []


def test_a_core_that_went_on_with_the_blocks_of_a_branch_takes_the_rest_of_it(filled):
    branch = filled.session("branch")
    branch.append([b"d", b"e"])
    filled.append(b"d")
    assert filled.commit(branch) == 5
    assert list(filled.read_stream()) == [b"a", b"b", b"c", b"d", b"e"]
    assert filled.audit() == []


def test_two_who_open_one_branch_see_each_other_s_changes(filled):
    first, second = filled.session("branch"), filled.session("branch")
    first.append(b"d")
    second.append(b"e")
    assert list(first.read_stream()) == list(second.read_stream()) == [b"a", b"b", b"c", b"d", b"e"]
    filled.session("branch", overwrite=True)
    assert first.length == second.length == 3


class Stack:
    """A core, a branch of it and a branch of that, on a store."""

    def __init__(self, store):
        self.store = store
        self.core = opened(store)

    def reopen(self):
        self.core.close()
        self.core = opened(self.store)
        self.middle, self.top = self.core.session("middle"), self.core.session("top")

    def blocks(self):
        return tuple(b"".join(view.read_stream()) for view in (self.core, self.middle, self.top))


@pytest.fixture
def stacked(store):
    stack = Stack(store)
    stack.core.append([b"a", b"b"])
    stack.middle = stack.core.session("middle")
    stack.middle.append([b"c", b"d"])
    stack.top = stack.middle.session("top")
    stack.top.append(b"e")
    return stack


def assert_stack_stays(stacked, blocks):
    assert stacked.blocks() == blocks
    stacked.reopen()
    assert stacked.blocks() == blocks
    assert stacked.core.audit() == []


def test_a_branch_of_a_branch_is_found_again_from_the_core(stacked):
    assert_stack_stays(stacked, (b"ab", b"abcd", b"abcde"))


def test_a_part_of_a_branch_of_a_branch_can_be_committed(stacked):
    assert stacked.core.commit(stacked.top, length=3) == 3
    assert_stack_stays(stacked, (b"abc", b"abcd", b"abcde"))


def test_a_branch_keeps_the_blocks_of_the_branch_below_when_that_is_committed(stacked):
    assert stacked.core.commit(stacked.middle) == 4
    assert_stack_stays(stacked, (b"abcd", b"abcd", b"abcde"))


def test_a_branch_goes_its_own_way_when_the_branch_below_grows_and_is_committed(stacked):
    stacked.middle.append([b"x", b"y"])
    assert stacked.core.commit(stacked.middle) == 6
    assert_stack_stays(stacked, (b"abcdxy", b"abcdxy", b"abcde"))
    assert stacked.core.commit(stacked.top) is None


def test_a_branch_of_a_branch_can_be_cut_to_what_the_core_has(stacked):
    stacked.top.truncate(1)
    stacked.top.append(b"X")
    assert_stack_stays(stacked, (b"ab", b"abcd", b"aX"))


def test_a_branch_does_not_begin_anew_from_what_was_made_from_it(stacked):
    with pytest.raises(InvalidOperation, match="cannot begin anew from what was made from it"):
        stacked.top.session("middle", overwrite=True)
    assert_stack_stays(stacked, (b"ab", b"abcd", b"abcde"))


def test_branches_that_say_they_were_made_from_each_other_are_corrupt(stacked):
    database = Database(stacked.store)
    record = database.core(stacked.core.discovery_key)
    assert record is not None
    pointers = database.sessions(record).pointers
    stacked.core.close()
    write(stacked.store, dependency_key(pointers["middle"]), Dependency(pointers["top"], 2).encode())
    core = opened(stacked.store)
    for name in ("middle", "top"):
        with pytest.raises(StorageCorrupt, match="neither the core nor another session of it"):
            core.session(name)
    assert list(core.read_stream()) == [b"a", b"b"]


def test_a_branch_tells_which_shared_blocks_are_missing(filled):
    branch = filled.session("branch")
    branch.append([b"d", b"e"])
    filled.clear(1)
    assert branch.contiguous_length == 1
    assert [branch.has(index) for index in range(6)] == [True, False, True, True, True, False]
    assert branch.has(2, 5)
    assert not branch.has(0, 5)


def test_a_hole_stays_a_hole_when_a_branch_is_committed(filled):
    branch = filled.session("branch")
    branch.append(b"d")
    filled.clear(1)
    assert filled.commit(branch) == 4
    assert (filled.contiguous_length, branch.contiguous_length) == (1, 1)
    assert [filled.has(index) for index in range(4)] == [True, False, True, True]
    assert filled.audit() == []


def test_a_purged_core_leaves_no_records_of_its_branches(stacked):
    stacked.core.purge()
    assert list(stacked.store.keys(b"\x03", b"\xff")) == []


def test_a_snapshot_of_a_branch_is_read_like_the_branch(filled):
    branch = filled.session("branch")
    branch.append([b"d", b"e"])
    with branch.snapshot() as snapshot, snapshot.snapshot() as again:
        for view in (snapshot, again):
            assert list(view.read_stream()) == [b"a", b"b", b"c", b"d", b"e"]
            assert list(view.read_stream(1, 4, reverse=True)) == [b"d", b"c", b"b"]
            assert [view.get(index) for index in range(5)] == [b"a", b"b", b"c", b"d", b"e"]
            assert [view.has(index) for index in range(6)] == [True] * 5 + [False]
            assert [view.tree_hash(length) for length in range(6)] == [
                branch.tree_hash(length) for length in range(6)
            ]
            assert [view.seek(offset) for offset in range(6)] == [branch.seek(offset) for offset in range(6)]
            with pytest.raises(BlockNotAvailable, match="block 5"):
                view.get(5)


def test_a_snapshot_of_a_branch_keeps_blocks_that_the_branch_replaces(filled):
    branch = filled.session("branch")
    branch.append(b"d")
    above = branch.session("above")
    above.append(b"e")
    with above.snapshot() as snapshot:
        for view in (above, branch):
            view.truncate(1)
            view.append([b"other"] * 5)
        filled.clear(0)
        assert list(snapshot.read_stream()) == [b"a", b"b", b"c", b"d", b"e"]
    assert list(above.read_stream(1)) == [b"other"] * 5


def test_a_snapshot_of_a_branch_does_not_take_blocks_that_its_core_got_anew(filled):
    filled.clear(1)
    branch = filled.session("branch")
    with branch.snapshot() as snapshot:
        filled.truncate(0)
        filled.append([b"other"] * 3)
        assert not snapshot.has(1)
        with pytest.raises(BlockNotAvailable, match="block 1"):
            snapshot.get(1)
        assert (snapshot.get(0), snapshot.get(2)) == (b"a", b"c")


def test_a_branch_that_is_cut_keeps_its_own_blocks_when_the_branch_below_shares_more(filled):
    below = filled.session("below")
    branch = below.session("branch")
    below.append([b"d", b"e"])
    assert filled.commit(below) == 5
    branch.append([b"own", b"blocks", b"too"])
    branch.truncate(5)
    assert list(branch.read_stream()) == [b"a", b"b", b"c", b"own", b"blocks"]
    assert filled.audit() == []


def test_a_branch_that_a_truncation_took_the_roots_from_says_so_and_can_begin_anew(tmp_path):
    with Hypercore(tmp_path) as core:
        core.append([b"a", b"b", b"c"])
        core.session("branch")
        core.truncate(1)
    with Hypercore(tmp_path) as core:
        with pytest.raises(InvalidOperation, match=f"session 'branch' of core {core.id}: .* the 3 blocks"):
            core.session("branch")
        assert list(core.session("branch", overwrite=True).read_stream()) == [b"a"]
