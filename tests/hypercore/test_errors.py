import inspect

import pytest

from hypercore import errors

ALL = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, Exception)]


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_is_a_hypercore_error(error):
    assert issubclass(error, errors.HypercoreError)


@pytest.mark.parametrize(
    "error", [errors.BadArgument, errors.DecodingError], ids=["bad-argument", "decoding"]
)
def test_wrong_values_are_value_errors_too(error):
    assert issubclass(error, ValueError)


@pytest.mark.parametrize(
    "error",
    [errors.StorageLocked, errors.StorageCorrupt, errors.StorageConflict, errors.StorageEmpty],
    ids=["locked", "corrupt", "conflict", "empty"],
)
def test_trouble_with_the_storage_is_a_storage_error(error):
    assert issubclass(error, errors.StorageError)


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_the_tree_in_the_docstring_names_every_error(error):
    assert error.__name__ in errors.__doc__


def test_a_missing_block_tells_its_index_and_what_will_be_needed_next():
    error = errors.BlockNotAvailable(7, [8, 9])
    assert (error.index, error.hints) == (7, (8, 9))
    assert str(error) == "block 7 is not available here"


def test_a_missing_block_can_tell_the_length_of_the_core():
    assert (
        str(errors.BlockNotAvailable(7, length=3)) == "block 7 is not available here (the core has 3 blocks)"
    )


def test_a_conflict_tells_how_long_the_two_trees_are():
    error = errors.CoreConflict("two trees", 7)
    assert (str(error), error.length) == ("two trees", 7)


@pytest.mark.parametrize(
    "error",
    [errors.RemoteProtocolError, errors.ConnectionLost, errors.RequestTimeout, errors.CoreConflict],
    ids=["protocol", "lost", "timeout", "conflict"],
)
def test_trouble_with_peers_is_neither_a_wrong_value_nor_the_storages(error):
    assert not issubclass(error, (ValueError, errors.StorageError, errors.InvalidProof))
