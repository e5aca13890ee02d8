"""Replays recorded histories of the JavaScript Hyperbee: its blocks and what is read have to be the same."""

from hashlib import sha256
from itertools import product

import pytest

from hypercore import Hypercore
from tests.data.bee_operations import ANSWERS, answer, apply, bee_of_blocks, blocks_of, open_bee
from tests.data.lcg import generate
from tests.data.vectors import vectors

CASES = vectors("bee")["cases"]
WRITTEN_OUT = [case for case in CASES if "ops" in case]
GENERATED = [case for case in CASES if "generator" in case]


def by_name(cases):
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases])


def by_case_and_kind(*, differs):
    params = []
    for case, kind in product(WRITTEN_OUT, ANSWERS):
        queries = [
            query for query in case["queries"] if query["q"] == kind and ("differs" in query) is differs
        ]
        if queries:
            params.append(pytest.param(case["blocks"], queries, id=f"{case['name']}-{kind}"))
    return pytest.mark.parametrize(("blocks", "queries"), params)


@by_name(WRITTEN_OUT)
def test_operations_make_the_blocks_of_the_reference(case):
    core = Hypercore()
    bee = open_bee(core, case["bee"])
    lengths = []
    for operation in case["ops"]:
        apply(bee, operation)
        lengths.append(core.length)
    assert blocks_of(core) == case["blocks"]
    assert lengths == case["lengths"]


@by_name(GENERATED)
def test_a_long_history_makes_the_blocks_of_the_reference(case):
    core = Hypercore()
    bee = open_bee(core)
    for operation in generate(case["generator"]):
        apply(bee, operation)
    digest = sha256()
    for block in core.read_stream():
        digest.update(len(block).to_bytes(4, "little") + block)
    assert core.length == case["blockCount"]
    assert digest.hexdigest() == case["blocksSha256"]


@by_case_and_kind(differs=False)
def test_reading_the_blocks_of_the_reference_gives_its_answers(blocks, queries):
    bee = bee_of_blocks(blocks)
    assert [answer(bee, query) for query in queries] == [query["result"] for query in queries]


@by_case_and_kind(differs=True)
def test_the_answers_that_are_better_than_those_of_the_reference_still_differ(blocks, queries):
    bee = bee_of_blocks(blocks)
    for query in queries:
        assert answer(bee, query) != query["result"], query["differs"]
