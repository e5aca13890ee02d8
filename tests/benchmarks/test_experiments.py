import pytest

from benchmarks.experiments import camel_case, case_id, sizes


@pytest.mark.parametrize(
    ("snake", "camel"),
    [("write", "write"), ("nr_blocks", "nrBlocks"), ("download_read_stream", "downloadReadStream")],
)
def test_names_are_camel_case_outside_python(snake, camel):
    assert camel_case(snake) == camel


def test_the_id_of_a_case_keeps_the_order_of_the_parameters():
    assert case_id({"nr_blocks": 10, "block_byte_size": 0}) == "nrBlocks=10_blockByteSize=0"
    assert case_id({"block_byte_size": 0, "nr_blocks": 10}) == "blockByteSize=0_nrBlocks=10"


@pytest.mark.parametrize(
    "cases",
    [
        pytest.param([], id="none"),
        pytest.param([{"a": 1}, {"b": 1}], id="other-parameters"),
        pytest.param([{"a": 1, "b": 2}, {"b": 1, "a": 2}], id="other-order"),
        pytest.param([{"a": 1}, {"a": 1, "b": 2}], id="one-more"),
    ],
)
def test_sizes_need_at_least_one_case_and_the_same_parameters_in_each(cases):
    with pytest.raises(ValueError):
        sizes(*cases)
