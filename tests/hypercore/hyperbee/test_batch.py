import pytest

from hypercore import Hyperbee
from hypercore.errors import BadArgument, BlockNotAvailable, Closed, DecodingError, InvalidOperation
from hypercore.hyperbee import Entry
from tests.hypercore.hyperbee.stored_tree import check_tree, read_tree


def pairs(bee, **arguments):
    return [(entry.key, entry.value) for entry in bee.items(**arguments)]


def test_a_batch_is_appended_in_one_commit_with_one_signature(bee, core):
    bee.put("a", "1")
    signature = core.signature
    batch = bee.batch()
    for key in "bcdefghijklm":
        batch.put(key, key)
    batch.delete("a")
    assert (core.length, core.signature) == (2, signature)
    batch.flush()
    assert core.length == 15
    assert pairs(bee) == [(key, key) for key in "bcdefghijklm"]
    check_tree(read_tree(core))


def test_a_batch_reads_its_own_operations_and_the_bee_does_not(bee):
    bee.put("a", "old")
    with bee.batch() as batch:
        batch.put("a", "new")
        batch.put("b", "2")
        assert batch.get("a") == Entry(2, "a", "new")
        assert batch.get_by_seq(1) == Entry(1, "a", "old")
        assert batch.get_by_seq(3) == Entry(3, "b", "2")
        assert pairs(batch) == [("a", "new"), ("b", "2")]
        assert batch.peek(reverse=True) == Entry(3, "b", "2")
        assert pairs(bee) == [("a", "old")]
        assert (batch.version, bee.version) == (4, 2)
    assert pairs(bee) == [("a", "new"), ("b", "2")]


def test_a_batch_without_operations_reads_the_newest_version(bee):
    batch = bee.batch()
    assert (batch.version, batch.get("a")) == (1, None)
    bee.put("a", "1")
    assert (batch.version, batch.get("a")) == (2, Entry(1, "a", "1"))
    batch.flush()
    assert bee.version == 2


def test_an_operation_behind_the_batch_is_not_available(bee):
    batch = bee.batch()
    batch.put("a", "1")
    with pytest.raises(BlockNotAvailable):
        batch.get_by_seq(2)
    batch.close()


def test_the_first_batch_of_a_bee_writes_its_header(bee, core):
    with bee.batch() as batch:
        batch.put("a", "1")
    assert core.length == 2
    assert bee.get("a") == Entry(1, "a", "1")


def test_an_exception_drops_the_batch(bee):
    bee.put("a", "1")

    def interrupted():
        with bee.batch() as batch:
            batch.put("b", "2")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert pairs(bee) == [("a", "1")]
    assert bee.put("c", "3")
    assert pairs(bee) == [("a", "1"), ("c", "3")]


def test_a_closed_batch_writes_nothing(bee):
    bee.put("a", "1")
    batch = bee.batch()
    batch.put("b", "2")
    batch.delete("a")
    batch.close()
    batch.close()
    assert (bee.version, pairs(bee)) == (2, [("a", "1")])


@pytest.mark.parametrize("end", ["flush", "close"])
@pytest.mark.parametrize(
    "use",
    [lambda b: b.put("b"), lambda b: b.delete("a"), lambda b: b.flush()],
    ids=["put", "delete", "flush"],
)
def test_a_batch_that_is_over_refuses_more(bee, end, use):
    batch = bee.batch()
    batch.put("a", "1")
    getattr(batch, end)()
    with pytest.raises(Closed, match="the batch is over"):
        use(batch)


def test_a_batch_may_be_flushed_or_closed_before_its_block_ends(bee):
    with bee.batch() as batch:
        batch.put("a", "1")
        batch.flush()
    with bee.batch() as batch:
        batch.put("b", "2")
        batch.close()
    assert pairs(bee) == [("a", "1")]


def test_from_its_first_operation_on_a_batch_keeps_others_from_writing(bee):
    batch, other = bee.batch(), bee.batch()
    bee.put("a", "1")
    batch.put("b", "2")
    for write in (
        lambda: bee.put("c"),
        lambda: bee.delete("a"),
        lambda: other.put("c"),
        lambda: bee.sub("s").put("c"),
    ):
        with pytest.raises(InvalidOperation, match="flush or close it first"):
            write()
    batch.flush()
    other.put("c", "3")
    other.flush()
    assert pairs(bee) == [("a", "1"), ("b", "2"), ("c", "3")]


def test_a_batch_that_nobody_has_any_more_keeps_nobody_from_writing(bee):
    bee.batch().put("lost", "1")
    bee.put("a", "2")
    assert [entry.key for entry in bee] == ["a"]


@pytest.mark.parametrize("end", ["flush", "close"])
def test_a_batch_whose_core_grew_otherwise_writes_no_wrong_tree(bee, core, end):
    other = Hyperbee(core, key_encoding="utf-8", value_encoding="utf-8")
    bee.put("a", "1")
    batch = bee.batch()
    batch.put("b", "2")
    other.put("c", "3")
    if end == "flush":
        with pytest.raises(InvalidOperation):
            batch.flush()
    batch.close()
    assert pairs(bee) == pairs(other) == [("a", "1"), ("c", "3")]
    assert bee.put("d", "4")
    check_tree(read_tree(core))


def test_what_the_encoding_refuses_leaves_the_rest_of_the_batch(bee):
    with bee.batch() as batch:
        batch.put("a", "1")
        for write in (
            lambda: batch.put(7),
            lambda: batch.put("b", 7),
            lambda: batch.put(None),
            lambda: batch.delete(7),
        ):
            with pytest.raises(BadArgument):
                write()
        batch.put("c", "3")
    assert pairs(bee) == [("a", "1"), ("c", "3")]


def test_cas_sees_the_operations_of_the_batch(bee):
    bee.put("a", "1")
    asked = []
    with bee.batch() as batch:
        batch.put("a", "2")
        assert not batch.put("a", "3", cas=lambda old, new: asked.append((old, new)))
        assert not batch.delete("a", cas=lambda old, new: asked.append((old, new)))
        assert batch.put("a", "4", cas=lambda old, new: old.value == "2")
    assert asked == [(Entry(2, "a", "2"), Entry(3, "a", "3")), (Entry(2, "a", "2"), Entry(3, "a", None))]
    assert bee.get("a") == Entry(3, "a", "4")


def test_a_batch_of_refused_operations_appends_nothing(bee):
    for key in "abcdefghijkl":
        bee.put(key, "1")
    with bee.batch() as batch:
        assert not batch.put("b", "2", cas=lambda old, new: False)
        assert not batch.delete("zzz")
    assert bee.version == 13
    bee.put("b", "3")
    assert bee.get("b") == Entry(13, "b", "3")


def test_a_batch_can_leave_the_value_that_is_there_already(core):
    bee = Hyperbee(core, always_duplicate=False)
    with bee.batch() as batch:
        assert batch.put(b"a", b"1")
        assert not batch.put(b"a", b"1")
        assert batch.put(b"a", b"2")
    assert bee.version == 3


def test_a_key_may_come_and_go_within_a_batch(bee, core):
    with bee.batch() as batch:
        for _ in range(3):
            for number in range(20):
                batch.put(f"{number:02}", "1")
            for number in range(20):
                assert batch.delete(f"{number:02}")
        assert pairs(batch) == []
        batch.put("a", "1")
    assert pairs(bee) == [("a", "1")]
    check_tree(read_tree(core))


def test_a_batch_of_a_sub_writes_into_the_sub(bee):
    with bee.sub("s").batch() as batch:
        batch.put("a", "1")
        assert batch.get("a").value == "1"
        assert pairs(batch) == [("a", "1")]
    assert pairs(bee) == [("s\0a", "1")]


def test_iterating_over_a_batch_ends_with_an_error_when_it_is_written_to(bee):
    for key in "abc":
        bee.put(key, "1")
    with bee.batch() as batch:
        entries = batch.items()
        next(entries)
        batch.put("aa", "2")
        with pytest.raises(InvalidOperation, match="written to while it was iterated over"):
            next(entries)
        assert [entry.key for entry in batch.items()] == ["a", "aa", "b", "c"]


def test_iterating_over_the_bee_is_not_disturbed_by_a_batch(bee):
    for number in range(30):
        bee.put(f"{number:02}", "1")
    entries = bee.items()
    seen = [next(entries).key]
    batch = bee.batch()
    for number in range(0, 30, 2):
        batch.delete(f"{number:02}")
        seen.append(next(entries).key)
    batch.flush()
    seen += [entry.key for entry in entries]
    assert seen == [f"{number:02}" for number in range(30)]
    assert len(pairs(bee)) == 15


def test_a_snapshot_of_before_a_batch_stays(bee):
    bee.put("a", "1")
    snapshot = bee.snapshot()
    with bee.batch() as batch:
        batch.put("a", "2")
        assert pairs(snapshot) == [("a", "1")]
    assert pairs(snapshot) == [("a", "1")]


def test_there_is_no_version_in_the_middle_of_a_batch(bee):
    bee.put("a", "1")
    with bee.batch() as batch:
        batch.put("b", "2")
        batch.put("c", "3")
    assert bee.checkout(2).get("a").value == "1"
    assert bee.checkout(4).get("b").value == "2"
    with pytest.raises(DecodingError, match="block 2: no tree node; in the middle of a batch"):
        bee.checkout(3).get("a")
