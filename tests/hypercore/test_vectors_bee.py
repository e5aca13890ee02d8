"""Replays recorded histories of the JavaScript Hyperbee: its blocks and what is read have to be the same."""

from hashlib import sha256
from itertools import product

import pytest

from hypercore import Hyperbee, Hypercore
from hypercore.encoding import encode_buffer
from hypercore.hyperbee import SubEncoder, extension
from hypercore.hyperbee.ranges import Range
from tests.data.bee_operations import ANSWERS, answer, apply, bee_of_blocks, blocks_of, open_bee, raw
from tests.data.lcg import generate
from tests.data.vectors import vectors

VECTORS = vectors("bee")
CASES = VECTORS["cases"]
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


def test_clearing_what_is_not_linked_leaves_the_blocks_that_the_reference_leaves():
    [case] = VECTORS["clearUnlinked"]
    bee = Hyperbee(Hypercore(), key_encoding="utf-8", value_encoding="utf-8")
    for i in range(40):
        bee.put(f"k{i % 13:02}", f"v{i}")
    for i in range(6):
        bee.delete(f"k{i:02}")
    bee.clear_unlinked()
    assert bee.core.length == case["length"]
    assert [index for index in range(bee.core.length) if bee.core.has(index)] == case["localBlocks"]


def message_of(recorded):
    """Return a recorded message of the extension as ours."""
    [(kind, fields)] = recorded.items()
    if kind == "get":
        return extension.Get(fields["version"], bytes.fromhex(fields["key"]))
    if kind == "cache":
        return extension.Cache(tuple(fields["blocks"]), fields["start"], fields["end"])
    gt, gte, lt, lte = (raw(fields[name]) for name in ("gt", "gte", "lt", "lte"))
    range_ = Range(gte if gt is None else gt, gt is None, lte if lt is None else lt, lte is not None)
    checkpoint = tuple(fields["checkpoint"])
    return extension.Iterate(fields["version"], range_, fields["limit"], fields["reverse"], checkpoint)


@pytest.mark.parametrize("case", VECTORS["extension"], ids=lambda case: next(iter(case["message"])))
def test_messages_of_the_extension_are_those_of_the_reference(case):
    message = message_of(case["message"])
    payload = encode_buffer(bytes.fromhex(case["hex"]))
    assert message.encode() == payload
    decoded = extension.decode(payload)
    assert decoded.encode() == message.encode()
    assert type(decoded) is type(message)


ENCODERS = {
    "new SubEncoder(undefined, 'utf-8')": SubEncoder(None, "utf-8"),
    "new SubEncoder('files', 'utf-8')": SubEncoder("files", "utf-8"),
    "new SubEncoder().sub('a', 'utf-8')": SubEncoder().sub("a", "utf-8"),
    "new SubEncoder().sub('a').sub('b', 'utf-8')": SubEncoder().sub("a").sub("b", "utf-8"),
    "new SubEncoder('a', 'utf-8').sub('', 'utf-8')": SubEncoder("a", "utf-8").sub("", "utf-8"),
}


@pytest.mark.parametrize("case", VECTORS["subEncoder"], ids=lambda case: case["desc"])
def test_a_sub_encoder_makes_the_keys_and_bounds_of_the_reference(case):
    encoder = ENCODERS[case["desc"]]
    assert encoder.prefix.hex() == (case["prefix"] or "")
    for text, key in case["encode"].items():
        assert encoder.encode(text).hex() == key
        assert encoder.decode(bytes.fromhex(key)) == text
    for each in case["ranges"]:
        bounds = {name: bound.hex() for name, bound in encoder.encode_range(each["range"]).items()}
        if "gte" in each["range"] and "gt" in each["range"]:
            # The reference leaves this bound as it is, without prefix; it has no effect beside the other.
            assert bounds.pop("gte") == encoder.encode("b").hex()
            each["encoded"].pop("gte")
        assert bounds == each["encoded"]
