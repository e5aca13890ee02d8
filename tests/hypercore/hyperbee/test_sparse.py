"""Reading a bee of which blocks are missing: what the error says is enough to fetch them and try again."""

from itertools import count

import pytest

from hypercore import Hyperbee, Hypercore
from hypercore.errors import BlockNotAvailable
from hypercore.hyperbee import extension
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest

KEYS = [f"{number:03}" for number in range(200)]
READS = {
    "get": lambda bee: bee.get("123"),
    "get-nothing": lambda bee: bee.get("123+"),
    "items": lambda bee: list(bee.items()),
    "items-reverse": lambda bee: list(bee.items(reverse=True)),
    "range": lambda bee: list(bee.items(gt="050", lte="071")),
    "limited": lambda bee: list(bee.items(gte="100", limit=30)),
    "peek": lambda bee: bee.peek(lt="100", reverse=True),
    "sub": lambda bee: list(bee.sub("s").items()),
    "checkout": lambda bee: list(bee.checkout(150).items(gte="120")),
    "diff": lambda bee: list(bee.diff(100)),
    "history": lambda bee: list(bee.history(gte=90, lt=110)),
    "get-by-seq": lambda bee: bee.get_by_seq(77),
}
ASKED = [name for name in READS if name not in ("diff", "history", "get-by-seq")]


class Copy:
    """A copy of a bee, at first without any block, and what was fetched for it."""

    def __init__(self, full):
        self.core = Hypercore(key=full.core.key)
        self.bee = Hyperbee(self.core, key_encoding="utf-8", value_encoding="utf-8")
        self.fetched: list[int] = []
        self._full = full.core
        upgrade = UpgradeRequest(0, full.core.length)
        self.core.apply_proof(full.core.proof(ProofRequest(upgrade=upgrade)))

    def fetch(self, blocks):
        for index in blocks:
            if not self.core.has(index):
                self.fetched.append(index)
                request = ProofRequest(block=NodeRequest(index, self.core.missing_nodes(2 * index)))
                self.core.apply_proof(self._full.proof(request))

    def read(self, read, blocks_of):
        """Read, and fetch blocks and read again as long as some are missing; the result, and how often."""
        for tries in count(1):
            result, missing = attempt(read, self.bee)
            if missing is None:
                return result, tries
            assert missing.index not in self.fetched
            self.fetch(blocks_of(missing))


def attempt(read, bee):
    try:
        return read(bee), None
    except BlockNotAvailable as missing:
        return None, missing


def by_name(names):
    return pytest.mark.parametrize("read", [READS[name] for name in names], ids=names)


@pytest.fixture
def full(bee):
    for key in KEYS:
        bee.put(key, "old")
    for key in KEYS[::9]:
        bee.sub("s").put(key, "new")
    return bee


@pytest.fixture
def copy(full):
    copy = Copy(full)
    with copy.core:
        yield copy


@by_name(READS)
def test_fetching_the_block_that_is_missing_leads_to_the_same_result(full, copy, read):
    assert copy.read(read, lambda missing: [missing.index])[0] == read(full)


@by_name([name for name in READS if name != "limited"])
def test_the_hints_are_blocks_that_the_read_needs(full, copy, read):
    copy.read(read, lambda missing: [missing.index])
    hinted = Copy(full)
    hinted.read(read, lambda missing: [missing.index, *missing.hints])
    assert set(hinted.fetched) == set(copy.fetched)


def test_the_hints_of_a_limited_iteration_go_at_most_one_node_too_far(full, copy):
    copy.read(READS["limited"], lambda missing: [missing.index])
    hinted = Copy(full)
    hinted.read(READS["limited"], lambda missing: [missing.index, *missing.hints])
    assert 0 <= len(set(hinted.fetched) - set(copy.fetched)) <= 9
    assert set(copy.fetched) <= set(hinted.fetched)


def test_the_hints_of_a_walk_name_the_nodes_beside_and_the_keys_of_a_node(full, copy):
    _, tries = copy.read(READS["items"], lambda missing: [missing.index, *missing.hints])
    single = Copy(full)
    _, one_by_one = single.read(READS["items"], lambda missing: [missing.index])
    assert one_by_one == len(single.fetched) + 1 > 200
    assert tries < one_by_one / 3


def blocks_in(answer):
    cache = extension.decode(answer)
    assert isinstance(cache, extension.Cache)
    assert cache.start <= min(cache.blocks)
    assert max(cache.blocks) < cache.end
    return cache.blocks


@by_name(ASKED)
def test_a_peer_answers_the_request_with_all_blocks_that_the_read_needs(full, copy, read):
    def ask(missing):
        name, message = missing.request
        assert name == "hyperbee"
        return [block for answer in full.answer(message) for block in blocks_in(answer)]

    assert copy.read(read, ask) == (read(full), 2)
    # Nothing else was asked for.
    single = Copy(full)
    single.read(read, lambda missing: [missing.index])
    assert set(single.fetched) == set(copy.fetched)


def test_the_request_of_an_iteration_asks_for_what_is_left_of_it(full, copy):
    copy.read(lambda bee: list(bee.items(lte="050")), lambda missing: [missing.index])
    seen: list[str] = []
    with pytest.raises(BlockNotAvailable) as error:
        seen.extend(entry.key for entry in copy.bee.items(limit=60))
    assert error.value.request is not None
    message = extension.decode(error.value.request[1])
    assert isinstance(message, extension.Iterate)
    assert (message.range.lower, message.range.lower_included) == (seen[-1].encode(), False)
    assert message.limit == 60 - len(seen)
