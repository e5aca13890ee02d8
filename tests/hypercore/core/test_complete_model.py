"""Random appends, truncations, holes, snapshots, branches and reopenings of a core, and a plain list."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hypercore import Hypercore, KeyPair
from hypercore.core import open_core
from hypercore.errors import BlockNotAvailable
from hypercore.storage import Database, Memory

PAIR = KeyPair.from_seed(b"\x01" * 32)
BLOCKS = st.lists(st.binary(max_size=9), min_size=1, max_size=6)
# Positions as shares of the length, so that they stay in range whatever it is.
SHARES = st.floats(0, 1)


class CompleteCore(RuleBasedStateMachine):
    """The model: a block, or None where it was cleared."""

    encryption_key: bytes | None = None

    def __init__(self):
        super().__init__()
        self.store = Memory()
        self.core = self.open()
        self.model: list[bytes | None] = []
        self.fork = 0
        self.snapshots: list[tuple[Hypercore, list[bytes | None]]] = []

    def open(self):
        state = open_core(Database(self.store), key_pair=PAIR)
        return Hypercore.attached(state, lambda: None, self.encryption_key)

    def place(self, share):
        return round(share * len(self.model))

    @rule(blocks=BLOCKS)
    def append(self, blocks):
        self.model += blocks
        assert self.core.append(blocks) == len(self.model)

    @rule(share=SHARES, jump=st.integers(1, 3))
    def truncate(self, share, jump):
        self.fork += jump
        self.model = self.model[: self.place(share)]
        self.core.truncate(len(self.model), fork=self.fork)

    @rule(first=SHARES, second=SHARES)
    def clear(self, first, second):
        start, end = self.place(first), self.place(second)
        self.core.clear(start, end)
        self.model[start:end] = [None] * max(end - start, 0)

    @rule(blocks=BLOCKS)
    def append_in_a_batch(self, blocks):
        with self.core.batch() as batch:
            for block in blocks:
                batch.append(block)
        self.model += blocks

    @rule(blocks=BLOCKS, share=SHARES, commit=st.booleans())
    def branch(self, blocks, share, commit):
        branch = self.core.session("branch", overwrite=True)
        kept = self.place(share)
        branch.truncate(kept)
        branch.append(blocks)
        expected = self.model[:kept] + blocks
        assert contents(branch) == expected
        if commit and kept == len(self.model):
            assert self.core.commit(branch) == len(expected)
            self.model = expected

    @precondition(lambda self: len(self.snapshots) < 3)
    @rule()
    def snapshot(self):
        self.snapshots.append((self.core.snapshot(), list(self.model)))

    @rule()
    def reopen(self):
        self.core.close()
        self.snapshots = []
        self.core = self.open()

    @invariant()
    def the_core_is_the_list(self):
        core, model = self.core, self.model
        assert (core.length, core.fork) == (len(model), self.fork)
        assert contents(core) == model
        assert [core.has(index) for index in range(len(model))] == [block is not None for block in model]
        assert core.contiguous_length == next((i for i, b in enumerate(model) if b is None), len(model))

    @invariant()
    def everything_stored_is_right(self):
        assert self.core.audit() == []

    @invariant()
    def snapshots_stay(self):
        for snapshot, model in self.snapshots:
            assert contents(snapshot) == model


class EncryptedCore(CompleteCore):
    encryption_key = b"k" * 32


def contents(core):
    return [block_or_none(core, index) for index in range(core.length)]


def block_or_none(core, index):
    try:
        return core.get(index)
    except BlockNotAvailable:
        return None


TestCompleteCore = CompleteCore.TestCase
TestCompleteCore.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestEncryptedCore = EncryptedCore.TestCase
TestEncryptedCore.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
