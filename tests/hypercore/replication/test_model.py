"""A writer and two readers that do anything in any order: in the end all have the same, and it is proven."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hypercore import Corestore
from hypercore.replication import Replicator, SingleCore
from tests.hypercore.replication.copying import assert_equal, begin_download, begin_get, writer_of
from tests.hypercore.replication.network import Network

READERS = st.integers(0, 1)
PLACES = st.floats(0, 1)
SIDES = ("writer", 0, 1)
PAIRS = st.sampled_from([("writer", 0), ("writer", 1), (0, 1)])
BLOCKS = st.lists(st.binary(max_size=30), min_size=1, max_size=90)


SEED = b"\x09" * 32


class Exchange(RuleBasedStateMachine):
    """Three stores, and which blocks the writer has ever had under which fork.

    A second writer does the same but for clearing, and is connected to nobody before the end.
    """

    @initialize(blocks=BLOCKS)
    def begin(self, blocks):
        self.network = Network()
        self.stores = {side: Corestore(primary_key=SEED if side == "writer" else None) for side in SIDES}
        self.core = writer_of(blocks, self.stores["writer"])
        self.complete = writer_of(blocks, Corestore(primary_key=SEED))
        self.copies = [self.stores[side].get(key=self.core.key) for side in (0, 1)]
        self.ends: dict = {}
        self.wants: list = []
        self.history = {0: list(blocks)}

    # --- the writer -------------------------------------------------------------------------------

    @rule(blocks=BLOCKS)
    def append(self, blocks):
        for core in (self.core, self.complete):
            core.append(blocks)
        self.history[self.core.fork] += blocks

    @rule(place=PLACES)
    def truncate(self, place):
        length = int(place * self.core.length)
        for core in (self.core, self.complete):
            core.truncate(length)
        self.history[self.core.fork] = self.history[self.core.fork - 1][:length]

    @rule(place=PLACES, other=PLACES)
    def clear(self, place, other):
        first, last = sorted(int(each * self.core.length) for each in (place, other))
        self.core.clear(first, last)

    # --- the readers ------------------------------------------------------------------------------

    @rule(reader=READERS, place=PLACES, other=PLACES, linear=st.booleans())
    def download(self, reader, place, other, linear):
        copy = self.copies[reader]
        first, last = sorted(int(each * copy.length) for each in (place, other))
        self.wants.append((copy, begin_download(copy, first, last, linear=linear)))

    @rule(reader=READERS, index=st.integers(0, 200))
    def get(self, reader, index):
        copy = self.copies[reader]
        self.wants.append((copy, begin_get(copy, index)))

    @rule(reader=READERS, place=PLACES, other=PLACES)
    def forget(self, reader, place, other):
        copy = self.copies[reader]
        first, last = sorted(int(each * copy.length) for each in (place, other))
        copy.clear(first, last)

    @precondition(lambda self: self.wants)
    @rule()
    def give_up(self):
        copy, want = self.wants.pop()
        Replicator.of(copy.state).give_up(want)

    # --- the network ------------------------------------------------------------------------------

    @rule(pair=PAIRS, piece=st.sampled_from([None, 50]))
    def connect(self, pair, piece):
        if pair not in self.ends:
            one, other = (self.stores[side] for side in pair)
            self.ends[pair] = self.network.connect(one, other, piece=piece)

    @rule(pair=PAIRS)
    def disconnect(self, pair):
        if pair in self.ends:
            self.ends.pop(pair).close()

    @rule()
    def run(self):
        self.network.run()

    @rule(seconds=st.integers(1, 30))
    def wait(self, seconds):
        self.network.wait(seconds)

    @rule(steps=st.integers(1, 20))
    def step(self, steps):
        for _ in range(steps):
            for end in self.network.ends:
                end.step()

    # --- what always holds ------------------------------------------------------------------------

    @invariant()
    def nobody_is_blamed(self):
        assert all(end.error is None for end in getattr(self, "network", Network()).ends)

    @invariant()
    def readers_have_only_what_was_written(self):
        for copy in getattr(self, "copies", ()):
            blocks = self.history[copy.fork][: copy.length]
            for first, last in copy.stored_ranges():
                assert copy.get_many(range(first, last)) == blocks[first:last]

    def teardown(self):
        if not hasattr(self, "core"):
            return
        self.append([b"the last"])
        for end in self.ends.values():
            end.close()
        for reader in (0, 1):
            self.network.connect(self.stores[reader], SingleCore(self.complete))
        self.network.run()
        wants = [begin_download(copy, 0, self.core.length) for copy in self.copies]
        self.network.wait(30)
        assert all(want.is_done for want in wants)
        for copy in self.copies:
            assert_equal(copy, self.complete)
        self.network.close()


TestExchange = Exchange.TestCase
TestExchange.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
