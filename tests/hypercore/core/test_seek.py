"""Byte offsets of a core: which block holds them, and reading from one on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import Hypercore
from hypercore.errors import BadArgument, BlockNotAvailable
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest
from hypercore.storage import Memory
from tests.data.vectors import vectors
from tests.hypercore.core.stored import opened, state_of

VECTORS = vectors("proofs")
BLOCKS = [bytes.fromhex(block) for block in VECTORS["blocks"][:11]]


def assert_found(seek, recorded):
    for offset, found in recorded:
        if found is None:
            with pytest.raises(BadArgument):
                seek(offset)
        else:
            assert (offset, seek(offset)) == (offset, tuple(found))


def test_bytes_are_found_where_the_reference_finds_them(core):
    core.append(BLOCKS)
    assert_found(core.seek, VECTORS["seeks"])


def test_padding_of_blocks_does_not_count():
    store, padding = Memory(), VECTORS["paddedSeeks"]["padding"]
    opened(store).append([bytes(padding) + block for block in BLOCKS])
    state = state_of(store)
    assert_found(lambda offset: state.seek(offset, padding), VECTORS["paddedSeeks"]["seeks"])


def test_an_encrypted_core_counts_the_bytes_that_are_read():
    with Hypercore(encryption_key=bytes(32)) as core:
        core.append(BLOCKS)
        assert_found(core.seek, VECTORS["seeks"])
        assert b"".join(core.byte_stream(3, 20)) == b"".join(BLOCKS)[3:23]


@pytest.mark.parametrize("offset", [-1, 2**53], ids=["negative", "large"])
def test_an_offset_outside_of_the_core_is_refused(core, offset):
    core.append(BLOCKS)
    with pytest.raises(BadArgument, match=str(offset)):
        core.seek(offset)


def fetch(copy, core, index):
    """Copy a block with its proof."""
    nodes = copy.missing_nodes(2 * index)
    copy.apply_proof(core.proof(ProofRequest(block=NodeRequest(index, nodes))))


def missing_for(copy, offset):
    """Return the block that a seek asks for, None if it finds the byte."""
    try:
        copy.seek(offset)
    except BlockNotAvailable as missing:
        return missing.index
    return None


@pytest.mark.parametrize("offset", range(sum(map(len, BLOCKS)) + 1))
def test_a_copy_that_lacks_the_tree_names_blocks_that_come_with_it(core, offset):
    core.append(BLOCKS)
    with Hypercore(key=core.key) as copy:
        copy.apply_proof(core.proof(ProofRequest(upgrade=UpgradeRequest(0, len(BLOCKS)))))
        fetched = []
        while (missing := missing_for(copy, offset)) is not None:
            fetch(copy, core, missing)
            fetched.append(missing)
        assert copy.seek(offset) == core.seek(offset)
    assert len(set(fetched)) == len(fetched) <= 4


def test_a_core_that_forgot_blocks_with_their_tree_names_one_of_them(core):
    core.append(BLOCKS)
    core.clear_ranges([(0, 4)], prune=True)
    with pytest.raises(BlockNotAvailable):
        core.seek(5)


@given(blocks=st.lists(st.binary(max_size=5), max_size=20), data=st.data())
def test_a_byte_stream_is_a_slice_of_all_bytes(blocks, data):
    whole = b"".join(blocks)
    start = data.draw(st.integers(0, len(whole)))
    length = data.draw(st.none() | st.integers(0, len(whole) - start))
    end = None if length is None else start + length
    with Hypercore() as core:
        core.append(blocks)
        pieces = list(core.byte_stream(start, length))
    assert b"".join(pieces) == whole[start:end]
    assert b"" not in pieces


@pytest.mark.parametrize(("offset", "length"), [(-1, 2), (0, 7), (7, None), (3, -1)])
def test_a_byte_stream_of_bytes_that_are_not_there_is_refused(core, offset, length):
    core.append([b"abc", b"def"])
    with pytest.raises(BadArgument, match="not in a core of 6 bytes"):
        core.byte_stream(offset, length)


def test_a_byte_stream_goes_as_far_as_the_first_missing_block(core):
    core.append([b"abc", b"def", b"ghi"])
    core.clear(1)
    stream = core.byte_stream(1)
    assert next(stream) == b"bc"
    with pytest.raises(BlockNotAvailable):
        next(stream)
