"""Random histories of a core, of a copy of it and of their sessions: an audit finds nothing wrong in any."""

from contextlib import suppress
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hypercore import Hypercore
from hypercore.errors import HypercoreError, InvalidOperation
from hypercore.proofs import NodeRequest, ProofRequest, SeekRequest, UpgradeRequest
from hypercore.storage import Memory
from tests.hypercore.core.stored import audit, opened, opened_copy

# Positions as shares of the length, so that they stay in range whatever it is.
SHARES = st.floats(0, 1)
COUNTS = st.integers(1, 9)


class AuditedHistory(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.stores = [Memory(), Memory()]
        self.source, self.copy = opened(self.stores[0]), opened_copy(self.stores[1])
        self.numbers = count()
        self.sessions: dict[int, Hypercore] = {}

    def blocks(self, number):
        """Return blocks of several sizes, each another one."""
        return [b"%d" % next(self.numbers) for _ in range(number)]

    @rule(number=COUNTS)
    def append(self, number):
        self.source.append(self.blocks(number))

    @rule(share=SHARES)
    def truncate(self, share):
        with suppress(InvalidOperation):  # where the tree was pruned
            self.source.truncate(round(share * self.source.length))

    @rule(first=SHARES, second=SHARES, of_copy=st.booleans(), prune=st.booleans())
    def clear(self, first, second, of_copy, prune):
        core = self.copy if of_copy else self.source
        start, end = sorted((round(first * core.length), round(second * core.length)))
        core.clear_ranges([(start, end)], prune=prune)

    def receive(self, **parts):
        with suppress(HypercoreError):  # of another fork, or without what was cleared or pruned
            self.copy.apply_proof(self.source.proof(ProofRequest(**parts)))

    @precondition(lambda self: self.source.length > self.copy.length)
    @rule(share=SHARES)
    def upgrade(self, share):
        more = round(share * (self.source.length - self.copy.length - 1)) + 1
        self.receive(upgrade=UpgradeRequest(self.copy.length, more))

    @precondition(lambda self: self.source.length)
    @rule(share=SHARES, offset=st.none() | st.integers(0, 20))
    def receive_a_block(self, share, offset):
        block = round(share * (self.source.length - 1))
        seek = None if offset is None else SeekRequest(offset)
        self.receive(block=NodeRequest(block, self.copy.missing_nodes(2 * block)), seek=seek)

    @precondition(lambda self: self.source.length)
    @rule(share=SHARES)
    def receive_a_hash(self, share):
        node = round(share * (2 * self.source.length - 2))
        self.receive(hash=NodeRequest(node, self.copy.missing_nodes(node)))

    @precondition(lambda self: self.source.length and self.source.fork > self.copy.fork)
    @rule()
    def go_over_to_the_fork(self):
        with suppress(HypercoreError):  # what it takes was pruned
            proof = self.source.proof(ProofRequest(upgrade=UpgradeRequest(0, self.source.length)))
            reorg = self.copy.begin_reorg(proof)
            while reorg.wanted is not None:
                reorg.update(self.source.proof(ProofRequest(hash=reorg.wanted)))
            self.copy.apply_reorg(reorg)

    @rule(of_copy=st.booleans())
    def begin_a_session(self, of_copy):
        with suppress(InvalidOperation):  # a root of it was pruned
            core = self.copy if of_copy else self.source
            self.sessions[of_copy] = core.session("work", overwrite=True)

    @precondition(lambda self: self.sessions)
    @rule(number=COUNTS, share=SHARES, data=st.data())
    def change_a_session(self, number, share, data):
        session = self.sessions[data.draw(st.sampled_from(sorted(self.sessions)))]
        with suppress(InvalidOperation):
            session.truncate(round(share * session.length))
        session.append(self.blocks(number))

    @rule(number=COUNTS, more=st.integers(0, 3))
    def commit_a_session(self, number, more):
        with suppress(InvalidOperation):
            session = self.sessions[False] = self.source.session("work", overwrite=True)
            session.append(self.blocks(number + more))
            self.source.commit(session, length=self.source.length + number)

    @invariant()
    def nothing_is_wrong(self):
        assert [audit(store) for store in self.stores] == [[], []]


TestAuditedHistory = AuditedHistory.TestCase
TestAuditedHistory.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
