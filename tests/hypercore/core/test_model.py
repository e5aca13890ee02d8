"""Random operations on a core and on a plain list."""

import tempfile

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hypercore import Hypercore, KeyPair
from hypercore.core import open_core
from hypercore.merkle import MerkleTree
from hypercore.storage import Database, Memory

PAIR = KeyPair.from_seed(b"\x01" * 32)
BLOCKS = st.binary(max_size=20)
# Positions as shares of the length, so that they stay in range while the core grows.
SHARES = st.floats(0, 1)


class CoreInMemory(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.store = Memory()
        self.core = self.open()
        self.model: list[bytes] = []
        self.hashes = [MerkleTree().tree_hash()]

    def open(self):
        return Hypercore.attached(open_core(Database(self.store), key_pair=PAIR), lambda: None)

    def place(self, share):
        return round(share * len(self.model))

    @rule(block=BLOCKS)
    def append_one(self, block):
        self.model.append(block)
        assert self.core.append(block) == len(self.model)
        self.hashes.append(self.core.tree_hash())

    @rule(blocks=st.lists(BLOCKS, max_size=20))
    def append_many(self, blocks):
        tree, _ = self.tree().append_blocks(blocks) if blocks else (self.tree(), [])
        for block in blocks:
            self.model.append(block)
            self.hashes.append(self.tree().tree_hash())
        assert self.core.append(blocks) == len(self.model)
        assert self.core.tree_hash() == tree.tree_hash()

    def tree(self):
        return MerkleTree().append_blocks(self.model)[0]

    @rule(share=SHARES)
    def get(self, share):
        index = self.place(share)
        assert self.core.has(index) == (index < len(self.model))
        if index < len(self.model):
            assert self.core.get(index) == self.model[index]

    @rule(first=SHARES, second=SHARES, reverse=st.booleans())
    def read_stream(self, first, second, reverse):
        start, end = self.place(first), self.place(second)
        expected = self.model[start:end]
        assert self.core.has(start, end)
        assert self.core.get_many(range(start, end)) == expected
        assert list(self.core.read_stream(start, end, reverse=reverse)) == (
            expected[::-1] if reverse else expected
        )

    @rule(shares=st.lists(SHARES, max_size=5))
    def get_many(self, shares):
        indexes = [index for index in map(self.place, shares) if index < len(self.model)]
        assert self.core.get_many(indexes) == [self.model[index] for index in indexes]

    @rule(share=SHARES)
    def tree_hash(self, share):
        length = self.place(share)
        assert self.core.tree_hash(length) == self.hashes[length]

    @rule()
    def reopen(self):
        self.core.close()
        self.core = self.open()

    @invariant()
    def agree(self):
        assert self.core.length == self.core.contiguous_length == len(self.model)
        assert self.core.byte_length == sum(map(len, self.model))
        assert self.core.verify()


class CoreInLevelDB(CoreInMemory):
    def open(self):
        return Hypercore(self.directory.name, key_pair=PAIR)

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        super().__init__()

    def teardown(self):
        self.core.close()
        self.directory.cleanup()


TestCoreInMemory = CoreInMemory.TestCase
TestCoreInMemory.settings = settings(max_examples=60, stateful_step_count=25)
TestCoreInLevelDB = CoreInLevelDB.TestCase
TestCoreInLevelDB.settings = settings(max_examples=40, stateful_step_count=25)
