import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.experiments import Experiment
from benchmarks.experiments_file import LARGEST_NUMBER, ExperimentsFileError, parse, read

WRITE = Experiment("write", "Write experiment", "Write.", [{"nr_blocks": 1, "block_byte_size": 1}])
GOOD_CASE = {"nrBlocks": 10, "blockByteSize": 100}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: (
        st.lists(values) | st.dictionaries(st.text() | st.sampled_from(["write", *GOOD_CASE]), values)
    ),
)


def problem(content: object) -> str:
    """What is wrong with a file of that JSON, for the experiment ``write``."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(ExperimentsFileError) as caught:
        parse(data, "bad.json").cases(WRITE)
    return str(caught.value)


def test_cases_have_the_names_and_the_order_of_the_experiment():
    file = parse(b'{"write": [{"blockByteSize": 0, "nrBlocks": 7}]}', "good.json")
    assert [list(case.items()) for case in file.cases(WRITE)] == [[("nr_blocks", 7), ("block_byte_size", 0)]]


@pytest.mark.parametrize(
    "content", [b"{}", b'{"write": []}', b'{"read": [{"x": 1}]}'], ids=["missing", "empty", "other"]
)
def test_an_experiment_the_file_does_not_list_has_no_cases(content):
    assert parse(content, "good.json").cases(WRITE) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param([], "expected an object with a list for each experiment, found a list", id="list"),
        pytest.param("x", 'expected an object with a list for each experiment, found "x"', id="text"),
        pytest.param({"write": 1}, "write: expected a list, found 1", id="number-for-list"),
        pytest.param({"write": {}}, "write: expected a list, found an object", id="object-for-list"),
        pytest.param(
            {"write": [7]}, "write[0]: expected an object with a number each, found 7", id="number-for-case"
        ),
        pytest.param({"odd key": 1}, '["odd key"]: expected a list, found 1', id="key-that-is-no-word"),
        pytest.param(
            {"a\nb\ud800": 1}, '["a\\nb\\ud800"]: expected a list, found 1', id="key-with-line-break"
        ),
        pytest.param({"write": [GOOD_CASE, GOOD_CASE]}, "write[1]: the same as write[0]", id="case-twice"),
        pytest.param({"write": [{"nrBlocks": 1}]}, "write[0].blockByteSize: missing", id="missing-parameter"),
        pytest.param(
            {"write": [{**GOOD_CASE, "size": 1}]},
            "write[0].size: unknown, expected nrBlocks, blockByteSize",
            id="unknown-parameter",
        ),
        pytest.param(b'{"write": [], "write": []}', "write: there twice", id="experiment-twice"),
        pytest.param(b'{"write": [{"a": 1, "a": 1}]}', "write[0].a: there twice", id="parameter-twice"),
        pytest.param(b"", "line 1 column 1: not JSON: Expecting value", id="empty"),
        pytest.param(
            b'{\n  "write" []}', "line 2 column 11: not JSON: Expecting ':' delimiter", id="no-colon"
        ),
        pytest.param(b'{"write\xff": []}', "not UTF-8: byte 0xff at offset 7", id="not-utf8"),
        pytest.param(b"[" * 100_000, "not JSON that can be read: nested too deeply", id="deep"),
        pytest.param(b"[" + b"9" * 5_000 + b"]", "a number has too many digits", id="many-digits"),
    ],
)
def test_a_wrong_file_is_one_line_with_the_place(content, message):
    assert problem(content) == f"bad.json: {message}"


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("-1", "expected a whole number >= 0, found -1"),
        ("true", "expected a whole number >= 0, found true"),
        ("null", "expected a whole number >= 0, found null"),
        ('"ten"', 'expected a whole number >= 0, found "ten"'),
        ("1.0", "expected a whole number >= 0, found 1.0"),
        ("1e3", "expected a whole number >= 0, found 1000.0"),
        ("NaN", "expected a whole number >= 0, found NaN"),
        ("Infinity", "expected a whole number >= 0, found Infinity"),
        ("[1]", "expected a whole number >= 0, found a list"),
        (str(LARGEST_NUMBER + 1), "expected at most 1000000000, found 1000000001"),
        ('"%s"' % ("x" * 99), f'expected a whole number >= 0, found "{"x" * 39}...'),
    ],
)
def test_a_parameter_is_a_whole_number_within_bounds(number, message):
    content = b'{"write": [{"blockByteSize": 1, "nrBlocks": %s}]}' % number.encode()
    assert problem(content) == f"bad.json: write[0].nrBlocks: {message}"


def test_zero_and_the_largest_number_are_allowed():
    case = {"nrBlocks": 0, "blockByteSize": LARGEST_NUMBER}
    file = parse(json.dumps({"write": [case]}).encode(), "good.json")
    assert file.cases(WRITE) == [{"nr_blocks": 0, "block_byte_size": LARGEST_NUMBER}]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.json", "missing.json: No such file or directory"),
        (".", ".: Is a directory"),
        ("a\0b", '"a\\u0000b": embedded null byte'),
    ],
    ids=["missing", "directory", "no-name"],
)
def test_a_file_that_cannot_be_read_is_named_as_the_user_does(tmp_path, name, message):
    with pytest.raises(ExperimentsFileError) as caught:
        read(tmp_path / name, name)
    assert str(caught.value) == message


def cases_or_problem(data: bytes) -> list | str:
    """The cases of a file for the experiment ``write``, or what is wrong with it."""
    try:
        return parse(data, "any.json").cases(WRITE)
    except ExperimentsFileError as error:
        return str(error)


@given(json_values.map(json.dumps).map(str.encode) | st.binary())
def test_any_content_is_accepted_or_refused_in_one_line(content):
    result = cases_or_problem(content)
    if isinstance(result, str):
        assert result.startswith("any.json: ")
        assert result.isprintable()
    else:
        assert all(list(case) == ["nr_blocks", "block_byte_size"] for case in result)
