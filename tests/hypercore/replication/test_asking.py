"""The open questions of a core: their numbers, the blocks that they claim, and what is left of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from hypercore import Hypercore
from hypercore.merkle import Node
from hypercore.proofs import NodeRequest, ProofRequest, UpgradeRequest
from hypercore.replication import Peer
from hypercore.replication.asking import (
    IDS_PER_QUESTION,
    Leftovers,
    ProofQuestion,
    Purpose,
    Questions,
    SubtreeQuestion,
)
from hypercore.replication.exchange import Exchange
from hypercore.wire import Protomux

SUBTREES = st.integers(0, 6).flatmap(
    lambda depth: st.integers(0, (1 << (8 - depth)) - 1).map(lambda place: (place << depth, 1 << depth))
)


def new_peer():
    return Peer(Exchange(Hypercore().state), Protomux().open("a protocol", None))


def block_question(peer, index):
    return ProofQuestion(peer, Purpose.BLOCK, ProofRequest(block=NodeRequest(index)), fork=0, size=10)


class AgainstDict(RuleBasedStateMachine):
    """Questions for blocks that are opened and closed, beside a dict of who asked for which block."""

    def __init__(self):
        super().__init__()
        self.questions = Questions()
        self.peers = [new_peer(), new_peer()]
        self.claims = {}
        self.numbers = set()

    def open(self, question, blocks):
        self.questions.add(question)
        assert question.number not in self.numbers
        self.numbers.add(question.number)
        self.claims |= dict.fromkeys(blocks, question)

    @rule(subtree=SUBTREES, peer=st.integers(0, 1))
    def ask_for_subtree(self, subtree, peer):
        first, count = subtree
        blocks = range(first, first + count)
        if self.claims.keys().isdisjoint(blocks):
            self.open(SubtreeQuestion(self.peers[peer], first, count, count), blocks)

    @rule(index=st.integers(0, 255), peer=st.integers(0, 1))
    def ask_for_block(self, index, peer):
        if index not in self.claims:
            self.open(block_question(self.peers[peer], index), [index])

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def close(self, data):
        question = self.claims[data.draw(st.sampled_from(sorted(self.claims)))]
        assert question.is_open
        self.questions.remove(question)
        self.questions.remove(question)
        assert not question.is_open
        self.claims = {index: other for index, other in self.claims.items() if other is not question}

    @rule(index=st.integers(0, 255))
    def look_at_block(self, index):
        assert self.questions.is_claimed(index) == (index in self.claims)

    @rule(group=st.integers(0, 3))
    def look_at_group(self, group):
        expected = sum(1 << place for place in range(64) if 64 * group + place in self.claims)
        assert self.questions.claimed(group) == expected

    @rule(place=st.integers(0, IDS_PER_QUESTION - 1))
    def find(self, place):
        open_ones = set(self.claims.values())
        assert set(self.questions) == open_ones
        assert len(self.questions) == len(open_ones)
        for question in open_ones:
            assert self.questions.find(IDS_PER_QUESTION * question.number + place) is question

    @rule()
    def count(self):
        for peer in self.peers:
            open_ones = {question for question in self.claims.values() if question.peer is peer}
            assert peer.open_questions == len(open_ones)


TestAgainstDict = AgainstDict.TestCase


def test_nobody_asked_for_what_has_the_id_0():
    questions = Questions()
    questions.add(block_question(new_peer(), 0))
    assert questions.find(0) is None
    assert questions.find(IDS_PER_QUESTION - 1) is None
    assert questions.find(2**53 - 1) is None


def test_a_question_without_a_block_claims_none():
    questions = Questions()
    request = ProofRequest(upgrade=UpgradeRequest(0, 8))
    questions.add(ProofQuestion(new_peer(), Purpose.UPGRADE, request, fork=0))
    assert questions.claimed(0) == 0


def test_a_subtree_has_no_requests_before_its_root_is_known():
    question = SubtreeQuestion(new_peer(), 8, 4, 0)
    Questions().add(question)
    assert list(question.ids) == []
    question.root = Node(question.root_index, 4, bytes(32))
    first = IDS_PER_QUESTION * question.number
    assert list(question.ids) == [first, first + 1, first + 2, first + 3]
    question.values[1] = b"here"
    assert list(question.ids) == [first, first + 2, first + 3]


@given(SUBTREES)
def test_the_root_of_a_subtree_is_the_middle_of_its_leaves(subtree):
    first, count = subtree
    question = SubtreeQuestion(new_peer(), first, count, 0)
    assert question.root_index == (2 * first + 2 * (first + count - 1)) // 2


def test_room_is_counted_in_blocks_and_in_bytes():
    peer = new_peer()
    questions = Questions()
    many = [SubtreeQuestion(peer, 64 * number, 64, 0) for number in range(8)]
    for question in many:
        assert peer.has_room()
        questions.add(question)
    assert not peer.has_room()
    questions.remove(many[0])
    assert peer.has_room()
    many[1].resize(100 << 20)
    assert not peer.has_room()
    many[1].resize(0)
    assert peer.has_room()


# --- leftovers ----------------------------------------------------------------------------------------------


def left_over(first, values):
    question = SubtreeQuestion(new_peer(), first, len(values), 0)
    question.values = list(values)
    return question


def test_what_came_of_a_subtree_is_given_out_once():
    leftovers = Leftovers()
    leftovers.keep(left_over(4, [b"a", None, b"c", None]))
    assert leftovers.take(0, 4) is None
    assert leftovers.take(4, 4) == [b"a", None, b"c", None]
    assert leftovers.take(4, 4) is None


def test_what_came_of_a_subtree_is_also_given_out_for_those_in_it_and_around_it():
    leftovers = Leftovers()
    leftovers.keep(left_over(4, [b"a", None, b"c", None]))
    assert leftovers.take(4, 2) == [b"a", None]
    assert leftovers.take(0, 8) == [None, None, None, None, None, None, b"c", None]


@pytest.mark.parametrize("values", [[None, None], [b"", None]], ids=["none", "empty"])
def test_nothing_is_not_kept(values):
    leftovers = Leftovers()
    leftovers.keep(left_over(0, values))
    assert leftovers.take(0, 2) is None


def test_what_was_cleared_is_gone():
    leftovers = Leftovers()
    leftovers.keep(left_over(0, [b"a", None]))
    leftovers.clear()
    assert leftovers.take(0, 2) is None


def test_leftovers_keep_four_mebibytes_and_forget_the_oldest():
    leftovers = Leftovers()
    for number in range(10):
        leftovers.keep(left_over(2 * number, [bytes(1 << 20), None]))
    kept = [number for number in range(10) if leftovers.take(2 * number, 2) is not None]
    assert kept == [6, 7, 8, 9]


def test_leftovers_are_bounded_also_when_they_are_short():
    leftovers = Leftovers()
    for number in range(2000):
        leftovers.keep(left_over(64 * number, [b"1"] * 63 + [None]))
    kept = [number for number in range(2000) if leftovers.take(64 * number, 64) is not None]
    assert kept == list(range(2000 - 65_536 // 63 - 1, 2000))


def test_leftovers_of_one_subtree_replace_each_other():
    leftovers = Leftovers()
    for _ in range(10):
        leftovers.keep(left_over(0, [bytes(1 << 20), None]))
    leftovers.keep(left_over(2, [bytes(1 << 20), None]))
    assert leftovers.take(0, 2) is not None
    assert leftovers.take(2, 2) is not None


def test_what_is_larger_than_all_that_is_kept_is_not_kept():
    leftovers = Leftovers()
    leftovers.keep(left_over(2, [b"small", None]))
    leftovers.keep(left_over(0, [bytes(5 << 20), None]))
    assert leftovers.take(0, 2) is None
    assert leftovers.take(2, 2) is not None
