"""``append``: arguments and stdin become blocks, in batches that do not wait."""

import io

import pytest

from hypercore import Corestore, Hypercore, KeyPair
from hypercore.core import MAX_BLOCK_BYTES


def blocks_of(path, **which):
    with Corestore(path) as store:
        return list(store.get(**which).read_stream())


@pytest.fixture
def batches(monkeypatch):
    """The lists of blocks that are appended, each in one commit."""
    seen = []
    append = Hypercore.append

    def spy(core, blocks):
        seen.append(blocks)
        return append(core, blocks)

    monkeypatch.setattr(Hypercore, "append", spy)
    return seen


class Pipe(io.RawIOBase):
    """A stdin from which each read gets what was written at once."""

    def __init__(self, *writes):
        self.writes = [*writes]

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self.writes.pop(0) if self.writes else b""
        if data is None:
            raise KeyboardInterrupt
        count = min(len(data), len(buffer))
        buffer[:count] = data[:count]
        self.writes[:0] = [data[count:]] if data[count:] else []
        return count


def pipe(*writes):
    return io.BufferedReader(Pipe(*writes))


# --- which core ---------------------------------------------------------------------------------------------


def test_each_text_is_a_block(cli, path, ids):
    outcome = cli("append", path, "--name", "log", "hello", "", "wörld")
    assert (outcome.exit_code, outcome.lines, outcome.err) == (0, [f"{ids[0]} 6"], "")
    assert blocks_of(path, name="log")[3:] == [b"hello", b"", "wörld".encode()]


@pytest.mark.parametrize(
    "arguments",
    [
        ["PATH", "one", "two", "--name", "log"],
        ["--name", "log", "PATH", "one", "two"],
        ["PATH", "one", "--name", "log", "two"],
    ],
    ids=["behind", "in-front", "between"],
)
def test_options_may_stand_anywhere(cli, path, arguments):
    assert cli("append", *(path if each == "PATH" else each for each in arguments)).exit_code == 0
    assert blocks_of(path, name="log")[3:] == [b"one", b"two"]


def test_a_text_with_dashes_stands_behind_two_of_them(cli, path):
    assert cli("append", path, "--name", "log", "--", "-x", "--binary").exit_code == 0
    assert blocks_of(path, name="log")[3:] == [b"-x", b"--binary"]


def test_bytes_that_are_no_text_arrive_as_they_were_typed(cli, path):
    cli("append", path, "--name", "log", "\udcff\udcfe")
    assert blocks_of(path, name="log")[3:] == [b"\xff\xfe"]


def test_the_oldest_core_is_the_default(cli, path, ids):
    assert cli("append", path, "text").lines == [f"{ids[0]} 4"]


def test_a_core_is_chosen_by_its_id(cli, path, ids):
    assert cli("append", path, "text", "--core", ids[1]).lines == [f"{ids[1]} 3"]


def test_a_name_that_is_new_makes_a_core(cli, tmp_path):
    outcome = cli("append", tmp_path / "new", "--name", "log", "first")
    with Corestore(tmp_path / "new") as store:
        core = store.get(name="log")
        assert outcome.lines == [f"{core.id} 1"]
        assert core.get(0) == b"first"


@pytest.mark.parametrize(
    "make", [lambda path: None, lambda path: Corestore(path).close()], ids=["no-store", "empty-store"]
)
def test_where_there_is_no_core_a_hypercore_by_itself_is_made(cli, tmp_path, make):
    make(tmp_path)
    outcome = cli("append", tmp_path, "first")
    with Hypercore(tmp_path) as core:
        assert outcome.lines == [f"{core.id} 1"]


def test_a_core_of_somebody_else_is_refused_before_stdin_is_read(cli, tmp_path):
    with Corestore(tmp_path) as store:
        core_id = store.get(key=KeyPair.generate().public_key).id
    stdin = io.BytesIO(b"line\n")
    outcome = cli("append", tmp_path, stdin=stdin)
    assert (outcome.exit_code, outcome.out) == (1, b"")
    assert outcome.err == f"error: core {core_id} cannot be written: its secret key is not here\n"


# --- stdin --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stdin", "expected"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\nb", [b"a", b"b"]),
        (b"a\n\nb\n", [b"a", b"", b"b"]),
        (b"a\r\n\xff\x00\n", [b"a\r", b"\xff\x00"]),
    ],
    ids=["nothing", "empty-line", "two", "last-without-newline", "empty-between", "binary"],
)
def test_each_line_of_stdin_is_a_block(cli, path, stdin, expected):
    outcome = cli("append", path, "--name", "new", stdin=stdin)
    assert (outcome.exit_code, outcome.err) == (0, "")
    assert blocks_of(path, name="new") == expected


@pytest.mark.parametrize("stdin", [b"", b"\n\xff\r\n"], ids=["nothing", "lines"])
def test_all_of_stdin_is_one_block_when_it_is_binary(cli, path, stdin):
    cli("append", path, "--name", "new", "--binary", stdin=stdin)
    assert blocks_of(path, name="new") == [stdin]


@pytest.mark.parametrize(
    ("stdin", "expected"),
    [(b"", []), (b"abc", [b"abc"]), (b"abcd", [b"abc", b"d"]), (b"abc\n\n\n", [b"abc", b"\n\n\n"])],
    ids=["nothing", "one", "rest", "newlines"],
)
def test_stdin_is_cut_into_blocks_of_a_size(cli, path, stdin, expected):
    cli("append", path, "--name", "new", "--block-size", 3, stdin=stdin)
    assert blocks_of(path, name="new") == expected


def test_what_cat_writes_as_lines_append_reads(cli, path):
    cli("append", path, "--name", "new", stdin=b"".join(b"line %d\n" % number for number in range(100)))
    copied = cli("cat", path, "--name", "new", "--lines").out
    cli("append", path, "--name", "copy", stdin=copied)
    assert blocks_of(path, name="copy") == blocks_of(path, name="new")


def test_lines_of_a_slow_pipe_do_not_wait_for_more(cli, path, batches):
    stdin = pipe(b"a\nb", b"c", b"d\n\ne\n", b"f")
    assert cli("append", path, "--name", "new", stdin=stdin).exit_code == 0
    assert [batch for batch in batches if batch] == [[b"a"], [b"bcd", b"", b"e"], [b"f"]]


@pytest.mark.parametrize(
    ("options", "stdin"),
    [
        ([], b"a line of thirty characters ..\n" * 100_000),
        (["--block-size", 1], bytes(20_000)),
        (["--block-size", 100_000], bytes(5_000_000)),
    ],
    ids=["lines", "small-blocks", "large-blocks"],
)
def test_large_input_is_appended_in_batches(cli, path, batches, options, stdin):
    cli("append", path, "--name", "new", *options, stdin=stdin)
    assert len(batches) > 2
    assert max(sum(map(len, batch)) for batch in batches) <= 1 << 20
    assert max(map(len, batches)) <= 1 << 16


def test_ctrl_c_keeps_and_counts_what_was_appended(cli, path):
    outcome = cli("append", path, "--name", "log", stdin=pipe(b"a\nb\nc", None))
    assert (outcome.exit_code, outcome.err) == (130, "")
    assert outcome.lines[0].endswith(" 5")
    assert blocks_of(path, name="log")[3:] == [b"a", b"b"]


def test_a_line_that_no_block_can_hold_is_named_by_its_number(cli, path):
    stdin = pipe(b"a\nb\n", b"c\n", *[bytes(MAX_BLOCK_BYTES // 16)] * 17)
    outcome = cli("append", path, "--name", "log", stdin=stdin)
    assert outcome.exit_code == 1
    assert outcome.err == f"error: line 4 is too large for a block: at most {MAX_BLOCK_BYTES} bytes\n"
    assert outcome.lines[0].endswith(" 6")


def test_too_much_for_one_block_is_refused_with_a_way_out(cli, path):
    outcome = cli("append", path, "--name", "log", "--binary", stdin=bytes(MAX_BLOCK_BYTES + 1))
    assert outcome.exit_code == 1
    assert "--block-size" in outcome.err
    assert outcome.lines[0].endswith(" 3")
    assert cli("append", path, "--binary", stdin=bytes(MAX_BLOCK_BYTES)).lines[0].endswith(" 4")


def test_a_closed_stdin_is_one_line(cli, path):
    outcome = cli("append", path, stdin=None)
    assert (outcome.exit_code, outcome.err) == (1, "error: there is nothing to append: stdin is closed\n")


# --- progress -----------------------------------------------------------------------------------------------


def test_a_terminal_shows_how_much_of_a_file_was_appended(cli, path, tmp_path):
    (tmp_path / "file").write_bytes(b"a line\n" * 1000)
    with (tmp_path / "file").open("rb") as stdin:
        outcome = cli("append", path, stdin=stdin, terminal=True)
    assert outcome.lines[0].endswith(" 1003")
    assert "/7.00k" in outcome.err


def test_a_terminal_shows_how_much_came_through_a_pipe(cli, path):
    outcome = cli("append", path, stdin=pipe(b"a line\n" * 1000), terminal=True)
    assert outcome.lines[0].endswith(" 1003")
    assert "B/s" in outcome.err
    assert "%" not in outcome.err


def test_typed_lines_are_asked_for_without_a_bar(cli, path, monkeypatch):
    monkeypatch.setattr(Pipe, "isatty", lambda self: True)
    outcome = cli("append", path, stdin=pipe(b"typed\n"), terminal=True)
    assert outcome.lines[0].endswith(" 4")
    assert outcome.err == "reading stdin until Ctrl-D\n"
