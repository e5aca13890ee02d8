import pytest

from hypercore.wire import capability
from tests.data.vectors import vectors

raw = bytes.fromhex
VECTORS = [pytest.param(each, id=each["name"]) for each in vectors("wire")["noise"]]


@pytest.mark.parametrize("vector", VECTORS)
def test_a_capability_is_that_of_the_reference(vector):
    hash_ = raw(vector["messages"][-1]["hash"])
    capabilities = [
        capability(is_initiator, raw(vector["coreKey"]), hash_).hex() for is_initiator in (True, False)
    ]
    assert capabilities == vector["capabilities"]


def test_a_capability_is_of_no_use_for_another_core_another_stream_or_the_other_side():
    ours = capability(True, bytes(32), bytes(64))
    others = [
        capability(False, bytes(32), bytes(64)),
        capability(True, b"\x01" * 32, bytes(64)),
        capability(True, bytes(32), b"\x01" * 64),
    ]
    assert len({ours, *others}) == 4
