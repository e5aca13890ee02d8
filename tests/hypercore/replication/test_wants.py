"""What is wanted of a core, and when it is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Hypercore
from hypercore.core.changes import Change
from hypercore.errors import RequestTimeout
from hypercore.replication import Block, Download, Seek, Update, Want
from hypercore.replication.wants import Wants

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 5)),
        st.tuples(st.just("clear"), st.integers(0, 20), st.integers(0, 20)),
        st.tuples(st.just("truncate"), st.integers(0, 20)),
    ),
    max_size=12,
)


@pytest.fixture
def core():
    with Hypercore() as core:
        core.append([b"%d" % index for index in range(10)])
        yield core


def watch(core, want):
    """Have a want told of every change of a core."""
    core.state.observers.append(want.changed)
    return want


def test_a_want_ends_once():
    seen = []
    want = Want(lambda: seen.append(want.error))
    error = RequestTimeout("late")
    want.finish(error)
    want.finish()
    assert want.is_done
    assert seen == [error]


def test_a_download_of_what_is_here_is_done_at_once(core):
    seen = []
    assert Download(core.state, 2, 9, on_change=lambda: seen.append("done")).is_done
    assert Download(core.state, 4, 4).is_done
    assert seen == ["done"]


def test_a_download_counts_what_is_here_and_what_comes(core):
    core.clear(2, 6)
    want = watch(core, Download(core.state, 0, 12))
    assert (want.blocks, want.total, want.stop) == (6, 12, 10)
    core.append(b"10")
    assert (want.blocks, want.total, want.stop) == (7, 12, 11)
    core.append([b"11", b"12"])
    assert (want.blocks, want.total, want.stop) == (8, 12, 12)
    assert not want.is_done


def test_a_download_beyond_the_end_waits_for_the_core_to_grow(core):
    want = watch(core, Download(core.state, 8, 12))
    core.append(b"10")
    assert not want.is_done
    core.append([b"11", b"12"])
    assert want.is_done


def test_a_download_without_an_end_goes_on_for_ever(core):
    want = watch(core, Download(core.state, 0, None))
    core.append(b"10")
    assert (want.blocks, want.total, want.stop) == (11, 11, 11)
    assert not want.is_done


def test_a_download_that_loses_blocks_has_to_be_gone_through_again(core):
    core.clear(0)
    want = watch(core, Download(core.state, 0, 10))
    before = want.generation
    core.clear(5, 7)
    assert want.blocks == 7
    assert want.generation != before


def test_changes_elsewhere_are_not_told(core):
    core.clear(0)
    want = Download(core.state, 0, 10, on_change=lambda: pytest.fail("nothing of it changed"))
    watch(core, want)
    core.append([b"10", b"11"])


def test_blocks_that_come_twice_do_not_end_a_download(core):
    core.clear(0, 10)
    want = Download(core.state, 0, 10)
    for _ in range(3):
        want.changed(Change(stored=[(0, 5)]))
    assert not want.is_done


@given(st.integers(0, 25), st.one_of(st.none(), st.integers(0, 25)), OPERATIONS)
def test_whatever_happens_a_download_knows_how_many_of_its_blocks_are_here(start, end, operations):
    with Hypercore() as core:
        core.append([b"x"] * 10)
        want = watch(core, Download(core.state, start, end))
        for operation, *numbers in operations:
            was_done = want.is_done
            if operation == "append":
                core.append([b"y"] * numbers[0])
            elif operation == "clear":
                core.clear(*numbers)
            else:
                core.truncate(min(numbers[0], core.length))
            stop = core.length if end is None else end
            here = sum(core.has(index) for index in range(start, max(stop, start)))
            assert want.is_done == (was_done or (end is not None and here >= stop - start))
            if not want.is_done:
                assert want.blocks == here


# --- all wants of a core ------------------------------------------------------------------------------------


def test_wants_are_there_until_they_are_removed(core):
    wants = Wants()
    assert not wants
    each = [Block(1), Block(1), Block(2), Download(core.state, 0, 20), Seek(5, 0), Update((0, 10))]
    for want in each:
        wants.add(want)
    assert list(wants) == each
    for want in each:
        assert wants
        wants.remove(want)
        wants.remove(want)
        assert want not in list(wants)
    assert not wants


def test_a_block_that_comes_ends_all_wants_for_it_and_no_others(core):
    wants = Wants()
    first, second, other = Block(3), Block(3), Block(5)
    for want in (first, second, other):
        wants.add(want)
    wants.changed(Change(stored=[(2, 5)]))
    assert first.is_done
    assert second.is_done
    assert not other.is_done
    assert list(wants) == [other]


def test_a_want_may_be_given_up_by_another_one_that_ends(core):
    wants = Wants()
    other = Block(4)
    wants.add(Block(3, lambda: wants.remove(other)))
    wants.add(other)
    wants.changed(Change(stored=[(3, 5)]))
    assert list(wants) == []


def test_a_download_that_is_done_is_wanted_no_more(core):
    wants = Wants()
    want = Download(core.state, 9, 11)
    wants.add(want)
    core.state.observers.append(wants.changed)
    core.append(b"10")
    assert want.is_done
    assert not wants


def test_a_restart_concerns_every_download(core):
    wants = Wants()
    each = [Download(core.state, 0, 20), Download(core.state, 5, 20)]
    for want in each:
        wants.add(want)
    before = [want.generation for want in each]
    wants.restart()
    assert all(want.generation != old for want, old in zip(each, before, strict=True))
