"""A short run of the fuzzers: the corpus, changes of it, and random bytes. A long one: tests/fuzz/run.py."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import read_corpus
from tests.fuzz.wire_targets import TARGETS

CORPUS = read_corpus()
EACH = pytest.mark.parametrize("target", TARGETS)


def test_every_target_has_a_corpus():
    assert CORPUS.keys() == TARGETS.keys()
    assert all(CORPUS.values())


@EACH
def test_the_corpus_shows_no_defect(target):
    for data in CORPUS[target]:
        TARGETS[target](data)


@EACH
@settings(deadline=None, max_examples=100)
@given(data=st.binary(max_size=120))
def test_random_bytes_show_no_defect(target, data):
    TARGETS[target](data)


@EACH
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_changes_of_the_corpus_show_no_defect(target, data):
    known = st.sampled_from(CORPUS[target])
    changed = bytearray(data.draw(known))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed)))
        changed[place : place + data.draw(st.integers(0, 8))] = data.draw(known | st.binary(max_size=9))
    TARGETS[target](bytes(changed))
