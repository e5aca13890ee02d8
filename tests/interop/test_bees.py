"""A Hyperbee written here is read in JavaScript and the other way round, and both write the same blocks."""

from random import Random
from typing import Any

import pytest

from hypercore import Hyperbee, Hypercore
from tests.data.bee_operations import answer, apply, bee_of_blocks, blocks_of, open_bee
from tests.interop.histories import random_history, random_json, random_questions
from tests.interop.seeds import MANY_FRESH_SEEDS, SEEDS

OPTIONS: tuple[dict[str, Any], ...] = ({}, {"alwaysDuplicate": False}, {"metadata": {}})


def write(operations, options=None):
    """Do operations to a new bee and return its blocks and its length after each."""
    core = Hypercore()
    bee = open_bee(core, options)
    lengths = []
    for operation in operations:
        apply(bee, operation)
        lengths.append(core.length)
    return {"lengths": lengths, "blocks": blocks_of(core)}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_options_of_a_bee_have_the_same_effect(peer, random):
    options = random.choice(OPTIONS)
    operations = random_history(random)
    assert write(operations, options) == peer("writeBee", options=options, operations=operations)


@pytest.mark.parametrize("seed", MANY_FRESH_SEEDS)
def test_random_histories_make_the_same_blocks_and_clear_the_same(peer, random):
    operations = random_history(random)
    ours = write(operations)
    assert ours == peer("writeBee", options={}, operations=operations)
    bee = bee_of_blocks(ours["blocks"])
    bee.clear_unlinked()
    left = [bee.core.has(index) for index in range(bee.core.length)]
    assert left == peer("clearBee", blocks=ours["blocks"])


@pytest.mark.parametrize("seed", SEEDS)
def test_javascript_reads_our_blocks_as_we_do(peer, random):
    operations = random_history(random)
    ours = write(operations)
    queries = random_questions(random, operations, ours["lengths"])
    answers = peer("readBee", blocks=ours["blocks"], queries=queries, options={})
    bee = bee_of_blocks(ours["blocks"])
    for query, theirs in zip(queries, answers, strict=True):
        assert answer(bee, query) == theirs, query


@pytest.mark.parametrize("seed", SEEDS)
def test_we_read_the_blocks_of_javascript_as_it_does(peer, random):
    operations = random_history(random)
    theirs = peer("writeBee", options={}, operations=operations)
    queries = random_questions(random, operations, theirs["lengths"])
    answers = peer("readBee", blocks=theirs["blocks"], queries=queries, options={})
    bee = bee_of_blocks(theirs["blocks"])
    for query, expected in zip(queries, answers, strict=True):
        assert answer(bee, query) == expected, query


@pytest.mark.parametrize("seed", SEEDS)
def test_random_json_values_make_the_same_blocks(peer, random):
    options = {"keyEncoding": "utf-8", "valueEncoding": "json"}
    operations = [{"op": "put", "k": f"key{i}", "v": random_json(random)} for i in range(150)]
    assert write(operations, options) == peer("writeBee", options=options, operations=operations)


def test_javascript_decodes_our_json_values(peer):
    core = Hypercore()
    bee = Hyperbee(core, key_encoding="utf-8", value_encoding="json")
    values = {
        f"key{i}": {"success": True, "runTimeS": i / 7, "name": "blåbær", "params": [i, None]}
        for i in range(40)
    }
    for key, value in values.items():
        bee.put(key, value)
    options = {"keyEncoding": "utf-8", "valueEncoding": "json"}
    entries = peer("decodeBee", blocks=blocks_of(core), options=options)
    assert {entry["key"]: entry["value"] for entry in entries} == values


def test_a_bee_that_javascript_began_grows_on_here_as_there(peer):
    operations = random_history(Random(0))
    theirs = peer("writeBee", options={}, operations=operations)["blocks"]
    begun = peer("writeBee", options={}, operations=operations[:75])["blocks"]
    bee = bee_of_blocks(begun)
    for operation in operations[75:]:
        apply(bee, operation)
    assert blocks_of(bee.core) == theirs
