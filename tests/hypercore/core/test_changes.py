"""Being told of changes, and what two views of one core have in common."""

import pytest

from hypercore import Hypercore
from hypercore.core import Commit
from hypercore.errors import Closed


@pytest.fixture
def core():
    core = Hypercore()
    core.append([b"0", b"1", b"2"])
    return core


def test_a_listener_is_called_after_every_change_of_any_session(core):
    seen = []
    core.on_change(lambda: seen.append((core.length, core.fork)))
    session = core.session()
    session.append(b"3")
    core.truncate(1)
    session.clear(0)
    assert seen == [(4, 0), (1, 1), (1, 1)]


def test_a_listener_is_called_once_after_every_change_of_a_named_session(core):
    seen = []
    branch = core.session("branch")
    branch.on_change(lambda: seen.append((core.length, branch.length)))
    branch.append([b"3", b"4"])
    branch.truncate(4)
    core.commit(branch)
    branch.append(b"5")
    core.session("branch", overwrite=True)
    assert seen == [(3, 5), (3, 4), (4, 4), (4, 5), (4, 4)]


def test_a_listener_is_called_once_after_a_commit_with_several_named_sessions(core):
    seen = []
    branches = [core.session(name) for name in ("one", "other")]
    core.on_change(lambda: seen.append([branch.length for branch in branches]))
    with Commit(core.state.database) as commit:
        for branch in branches:
            branch.append(b"3", commit=commit)
    assert seen == [[4, 4]]


def test_a_listener_that_was_ended_hears_nothing_more(core):
    seen = []
    end = core.on_change(lambda: seen.append(core.length))
    end()
    end()
    core.append(b"3")
    core.close()
    assert seen == []


def test_closing_is_told_once_and_only_to_the_listeners_of_that_object(core):
    seen = []
    session = core.session()
    core.on_change(lambda: seen.append("core"))
    session.on_change(lambda: seen.append("session"))
    session.close()
    assert seen == ["session"]
    core.append(b"3")
    core.close()
    assert seen == ["session", "core", "core"]
    with pytest.raises(Closed):
        core.on_change(print)


def test_a_failed_change_is_not_told(core):
    core.on_change(lambda: pytest.fail("nothing changed"))
    with pytest.raises(ValueError, match="fork"):
        core.truncate(1, fork=0)


def test_a_snapshot_of_a_snapshot_shows_the_same_after_a_truncation(core):
    snapshot = core.snapshot()
    core.truncate(1)
    core.append(b"other")
    with snapshot.snapshot() as again:
        assert [again.get(index) for index in range(again.length)] == [b"0", b"1", b"2"]
        assert again.fork == 0


def test_views_of_one_fork_share_the_length_of_the_shorter(core):
    snapshot = core.snapshot()
    core.append(b"3")
    assert core.shared_length(snapshot) == snapshot.shared_length(core) == 3


def test_views_of_two_forks_share_what_was_never_truncated(core):
    before = core.snapshot()
    core.truncate(2)
    between = core.snapshot()
    core.append(b"other")
    core.truncate(1)
    core.append([b"x", b"y"])
    assert core.shared_length(before) == before.shared_length(core) == 1
    assert between.shared_length(before) == 1
    assert core.shared_length(core.session()) == 3
