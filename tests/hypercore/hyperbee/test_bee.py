import pytest

from hypercore import Corestore, Hyperbee, Hypercore
from hypercore.errors import (
    BadArgument,
    BlockNotAvailable,
    Closed,
    DecodingError,
    InvalidOperation,
    NotWritable,
)
from hypercore.hyperbee import Entry, Metadata, blocks


def pairs(bee, **arguments):
    return [(entry.key, entry.value) for entry in bee.items(**arguments)]


# --- put, get, delete ---------------------------------------------------------------------------------------


def test_a_new_bee_is_empty_and_has_written_nothing(bee, core):
    assert (bee.version, core.length, bee.get("a"), bee.peek(), pairs(bee)) == (1, 0, None, None, [])
    assert core.length == 0


def test_the_first_put_writes_the_header_and_its_block(bee, core):
    assert bee.put("a", "1")
    assert (core.length, bee.version) == (2, 2)
    assert blocks.decode_header(core.get(0)) is None


def test_the_header_carries_the_metadata(core):
    metadata = Metadata(b"\x01" * 32, b"mine")
    Hyperbee(core, metadata=metadata).put(b"a")
    assert blocks.decode_header(core.get(0)) == metadata


def test_a_value_is_got_back_with_its_seq(bee):
    bee.put("a", "1")
    bee.put("b", "2")
    assert bee.get("a") == Entry(1, "a", "1")
    assert bee.get("b") == Entry(2, "b", "2")
    assert bee.get("c") is None


def test_a_second_put_replaces_the_value(bee):
    bee.put("a", "1")
    assert bee.put("a", "2")
    assert bee.get("a") == Entry(2, "a", "2")
    assert pairs(bee) == [("a", "2")]


def test_no_value_is_not_an_empty_value(bee):
    bee.put("none")
    bee.put("empty", "")
    assert bee.get("none").value is None
    assert bee.get("empty").value == ""


def test_an_empty_key_is_a_key_and_none_is_not(bee, core):
    bee.put("", "empty")
    assert bee.get("") == Entry(1, "", "empty")
    for use in (bee.put, bee.delete, bee.get):
        with pytest.raises(BadArgument, match="a key is needed"):
            use(None)
    assert core.length == 2


@pytest.mark.parametrize(
    "use",
    [lambda bee: bee.put(7), lambda bee: bee.put("a", 7), lambda bee: bee.delete(7), lambda bee: bee.get(7)],
    ids=["key", "value", "deleted-key", "read-key"],
)
def test_what_the_encoding_refuses_writes_no_entry(bee, use):
    bee.put("a", "1")
    with pytest.raises(BadArgument):
        use(bee)
    assert bee.version == 2
    assert bee.put("b", "2")
    assert pairs(bee) == [("a", "1"), ("b", "2")]


def test_a_delete_removes_the_key_and_tells_whether_it_was_there(bee):
    bee.put("a", "1")
    assert bee.delete("a")
    assert bee.get("a") is None
    version = bee.version
    assert not bee.delete("a")
    assert not bee.delete("never")
    assert bee.version == version


@pytest.mark.parametrize(
    ("keys", "values", "key", "value", "raw"),
    [
        pytest.param("binary", "binary", b"\xff", b"\x00", (b"\xff", b"\x00"), id="binary"),
        pytest.param("utf-8", "json", "ä", {"a": [1]}, ("ä".encode(), b'{"a":[1]}'), id="text-and-json"),
        pytest.param("hex", "utf-8", "ff00", "ä", (b"\xff\x00", "ä".encode()), id="hex-and-text"),
        pytest.param("json", "ndjson", [1, "a"], False, (b'[1,"a"]', b"false\n"), id="json-keys"),
    ],
)
def test_keys_and_values_are_stored_as_their_encoding_says(core, keys, values, key, value, raw):
    bee = Hyperbee(core, key_encoding=keys, value_encoding=values)
    bee.put(key, value)
    assert pairs(bee) == [(key, value)]
    assert bee.get(key) == bee.get_by_seq(1) == Entry(1, key, value)
    assert blocks.decode_block(core.get(1))[1:] == raw


def test_an_unknown_encoding_is_refused(core):
    with pytest.raises(BadArgument, match="no encoding 'utf-9'"):
        Hyperbee(core, key_encoding="utf-9")


def test_a_bee_is_reopened_as_it_was(tmp_path):
    with Hyperbee(Hypercore(tmp_path), key_encoding="utf-8", value_encoding="json") as bee:
        for number in range(100):
            bee.put(f"{number:02}", number)
    with Hyperbee(Hypercore(tmp_path), key_encoding="utf-8", value_encoding="json") as bee:
        assert pairs(bee) == [(f"{number:02}", number) for number in range(100)]
        assert bee.version == 101
        bee.put("again", True)
        assert bee.get("again") == Entry(101, "again", True)


# --- get_by_seq ------------------------------------------------------------------------------------------


def test_an_operation_is_found_by_its_seq_whatever_became_of_its_key(bee):
    bee.put("a", "1")
    bee.put("a", "2")
    bee.delete("a")
    found = [bee.get_by_seq(seq) for seq in (1, 2, 3)]
    assert found == [Entry(1, "a", "1"), Entry(2, "a", "2"), Entry(3, "a", None)]


@pytest.mark.parametrize("seq", [0, -1], ids=["header", "negative"])
def test_operations_start_at_seq_1(bee, seq):
    bee.put("a", "1")
    with pytest.raises(BadArgument, match=f"start at seq 1, found {seq}"):
        bee.get_by_seq(seq)


def test_an_operation_behind_the_version_is_not_available(bee):
    bee.put("a", "1")
    snapshot = bee.snapshot()
    bee.put("b", "2")
    assert bee.get_by_seq(2).key == "b"
    for view, seq in ((bee, 3), (snapshot, 2)):
        with pytest.raises(BlockNotAvailable) as error:
            view.get_by_seq(seq)
        assert error.value.index == seq


# --- subs ------------------------------------------------------------------------------------------


def test_a_sub_sees_and_writes_only_its_prefix(bee):
    sub = bee.sub("s")
    bee.put("a", "outside")
    bee.put("sa", "outside")
    assert sub.put("a", "inside")
    assert pairs(sub) == [("a", "inside")]
    assert pairs(bee) == [("a", "outside"), ("s\0a", "inside"), ("sa", "outside")]
    assert sub.get("a") == Entry(3, "a", "inside")
    assert sub.delete("a")
    assert not sub.delete("a")
    assert bee.get("a").value == "outside"


def test_a_sub_of_a_sub_adds_its_prefix(bee):
    bee.sub("s").sub("t").put("a", "1")
    assert pairs(bee) == [("s\0t\0a", "1")]
    assert pairs(bee.sub("s")) == [("t\0a", "1")]


def test_a_sub_takes_prefix_separator_and_encodings_of_its_own(bee):
    sub = bee.sub(b"s", separator=b"/", key_encoding="hex", value_encoding="json")
    sub.put("61", {"a": 1})
    assert pairs(bee) == [("s/a", '{"a":1}')]
    assert pairs(sub) == [("61", {"a": 1})]


def test_closing_a_sub_a_checkout_or_a_snapshot_leaves_the_bee_open(bee):
    for view in (bee.sub("s"), bee.checkout(1), bee.snapshot()):
        view.close()
    assert bee.put("a", "1")


# --- versions ------------------------------------------------------------------------------------------


def test_every_version_can_be_checked_out(bee):
    states: dict[int, list[tuple[str, str]]] = {1: []}
    for number in range(30):
        bee.put(f"{number % 20:02}", f"{number}") if number % 4 else bee.delete(f"{number // 4 + 1:02}")
        states[bee.version] = pairs(bee)
    for version, state in states.items():
        assert pairs(bee.checkout(version)) == state
        assert bee.checkout(version).version == version


def test_version_0_is_the_empty_bee(bee):
    bee.put("a", "1")
    assert (bee.checkout(0).version, pairs(bee.checkout(0))) == (1, [])


def test_a_negative_version_is_refused(bee):
    with pytest.raises(BadArgument, match="not negative, found -1"):
        bee.checkout(-1)


def test_a_version_that_is_not_here_yet_is_not_available(bee):
    bee.put("a", "1")
    ahead = bee.checkout(4)
    with pytest.raises(BlockNotAvailable):
        ahead.get("a")


def test_a_snapshot_does_not_change(bee):
    bee.put("a", "1")
    snapshot, sub = bee.snapshot(), bee.sub("s").snapshot()
    bee.put("a", "2")
    bee.sub("s").put("a", "3")
    assert pairs(snapshot) == [("a", "1")]
    assert pairs(sub) == []
    assert (snapshot.version, sub.version, bee.version) == (2, 2, 4)


def test_a_checkout_of_a_sub_shows_the_sub(bee):
    bee.sub("s").put("a", "1")
    bee.sub("s").put("b", "2")
    bee.put("c", "3")
    assert pairs(bee.sub("s").checkout(2)) == pairs(bee.checkout(2).sub("s")) == [("a", "1")]


def test_a_sub_of_a_checkout_of_a_sub_has_each_prefix_once(bee):
    bee.sub("s").sub("t").put("a", "1")
    assert pairs(bee.sub("s").checkout(2).sub("t")) == [("a", "1")]
    assert pairs(bee.sub("s").snapshot().sub("t").sub("s")) == []


@pytest.mark.parametrize(
    "view",
    [lambda bee: bee.checkout(2), lambda bee: bee.snapshot(), lambda bee: bee.snapshot().sub("s")],
    ids=["checkout", "snapshot", "sub-of-snapshot"],
)
def test_an_older_version_cannot_be_written(bee, view):
    bee.put("a", "1")
    old = view(bee)
    assert not old.writable
    for write in (lambda: old.put("b"), lambda: old.delete("a"), lambda: old.batch().put("b")):
        with pytest.raises(NotWritable):
            write()
    assert bee.version == 2


# --- who may write ------------------------------------------------------------------------------------------


def test_a_read_only_bee_reads_but_does_not_write(bee, core):
    bee.put("a", "1")
    reader = Hyperbee(core, key_encoding="utf-8", value_encoding="utf-8", read_only=True)
    assert (bee.writable, reader.writable) == (True, False)
    assert pairs(reader) == [("a", "1")]
    for write in (lambda: reader.put("b"), lambda: reader.delete("a"), lambda: reader.batch().put("b")):
        with pytest.raises(NotWritable, match="read-only"):
            write()
    assert core.length == 2


def test_a_bee_on_a_core_of_somebody_else_cannot_be_written():
    with Hypercore(key=b"\x07" * 32) as core:
        bee = Hyperbee(core)
        assert not bee.writable
        assert list(bee.items()) == []
        for write in (lambda: bee.put(b"a"), lambda: bee.delete(b"a"), lambda: bee.batch().put(b"a")):
            with pytest.raises(NotWritable):
                write()


def test_two_bees_on_one_core_follow_each_other(bee, core):
    other = Hyperbee(core, key_encoding="utf-8", value_encoding="utf-8")
    for number in range(40):
        (bee if number % 2 else other).put(f"{number:02}", f"{number}")
    assert pairs(bee) == pairs(other) == [(f"{number:02}", f"{number}") for number in range(40)]


def test_bees_on_two_objects_of_one_core_follow_each_other():
    with Corestore() as store:
        first, second = Hyperbee(store.get(name="a")), Hyperbee(store.get(name="a"))
        for number in range(40):
            (first if number % 2 else second).put(b"%02d" % number)
        assert list(first.items()) == list(second.items())
        assert first.version == 41


# --- closing ------------------------------------------------------------------------------------------


def test_leaving_the_block_closes_the_core(core):
    with Hyperbee(core) as bee:
        assert bee.core is core
    assert core.closed


USES = {
    "put": lambda bee: bee.put("b"),
    "delete": lambda bee: bee.delete("a"),
    "get": lambda bee: bee.get("a"),
    "get-missing": lambda bee: bee.get("b"),
    "get-by-seq": lambda bee: bee.get_by_seq(1),
    "items": lambda bee: list(bee.items()),
    "peek": lambda bee: bee.peek(),
    "history": lambda bee: list(bee.history()),
    "version": lambda bee: bee.version,
    "batch": lambda bee: bee.batch().put("b"),
    "sub": lambda bee: bee.sub("s").put("b"),
    "snapshot": lambda bee: bee.snapshot(),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_closed_bee_refuses_every_use(bee, use):
    bee.put("a", "1")
    bee.get("a")
    bee.close()
    bee.close()
    with pytest.raises(Closed):
        use(bee)


def test_a_bee_on_a_log_that_is_none_gives_decoding_errors(core):
    core.append([b"one", b"two", b"three"])
    bee = Hyperbee(core)
    for use in (
        lambda: bee.get(b"a"),
        bee.peek,
        lambda: list(bee.history()),
        lambda: bee.put(b"a"),
        lambda: bee.get_by_seq(1),
    ):
        with pytest.raises(DecodingError, match=r"block [12]: "):
            use()
    assert core.length == 3


def test_a_value_that_cannot_be_decoded_is_reported_with_its_block(bee, core):
    bee.put("a", "not json")
    reader = Hyperbee(core, key_encoding="utf-8", value_encoding="json")
    for use in (
        lambda: reader.get("a"),
        reader.peek,
        lambda: reader.get_by_seq(1),
        lambda: list(reader.history()),
    ):
        with pytest.raises(DecodingError, match="block 1"):
            use()


def test_a_bee_cannot_be_put_to_from_its_own_open_batch(bee):
    with bee.batch() as batch:
        batch.put("a", "1")
        with pytest.raises(InvalidOperation):
            bee.put("b", "2")
    assert pairs(bee) == [("a", "1")]
