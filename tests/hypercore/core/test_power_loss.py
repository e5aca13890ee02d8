"""A machine that dies: what is found is a state that existed, with all of what was synced."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from hypercore import Hypercore, KeyPair
from hypercore.core import Commit, open_core
from hypercore.storage import Database
from tests.hypercore.forgetful import ForgetfulStore
from tests.hypercore.plain_core import PlainCore, do

PAIRS = [KeyPair.from_seed(bytes((number,)) * 32) for number in (1, 2)]
SHARES = st.floats(0, 1)
CORES = st.sampled_from([0, 1])
BLOCKS = st.lists(st.binary(max_size=20), min_size=1, max_size=9)


def open_cores(store):
    database = Database(store)
    return [Hypercore.attached(open_core(database, key_pair=key_pair), lambda: None) for key_pair in PAIRS]


class TwoCoresOnAMachineThatDies(RuleBasedStateMachine):
    """Knows what the cores were after each batch that was written, and so after any crash."""

    @initialize(sync=st.booleans())
    def begin(self, sync):
        self.plain: list[PlainCore] = [PlainCore(), PlainCore()]
        self.notes: list[dict[str, bytes]] = [{}, {}]
        self.restart(ForgetfulStore(sync=sync))

    def restart(self, store):
        self.store = store
        self.states = [self.state()]
        self.cores = open_cores(store)
        self.remember()

    def state(self):
        return [*self.plain, *map(dict, self.notes)]

    def remember(self):
        """Note that the state is that after the newest batch; of each change there is at most one."""
        missing = self.store.written + 1 - len(self.states)
        self.states += [self.state() for _ in range(missing)]

    def change(self, which, change):
        do(self.cores[which], change)
        self.plain[which] = self.plain[which].after(change)
        self.remember()

    def place(self, which, share):
        return round(share * len(self.plain[which].blocks))

    @rule(which=CORES, blocks=BLOCKS)
    def append(self, which, blocks):
        self.change(which, ("append", blocks))

    @rule(which=CORES, share=SHARES)
    def truncate(self, which, share):
        self.change(which, ("truncate", self.place(which, share)))

    @rule(which=CORES, first=SHARES, second=SHARES)
    def clear(self, which, first, second):
        start, end = sorted((self.place(which, first), self.place(which, second)))
        self.change(which, ("clear", start, end))

    @rule(which=CORES, value=st.binary(max_size=9))
    def put_user_data(self, which, value):
        self.cores[which].user_data["note"] = value
        self.notes[which]["note"] = value
        self.remember()

    @rule(first=BLOCKS, second=BLOCKS, note=st.binary(max_size=9))
    def commit_to_both(self, first, second, note):
        with Commit(self.cores[0]._main.database) as commit:
            for core, blocks in zip(self.cores, (first, second), strict=True):
                core.append(blocks, commit=commit)
            commit.put_user_data(self.cores[0]._main, "note", note)
        self.plain = [
            plain.after(("append", blocks)) for plain, blocks in zip(self.plain, (first, second), strict=True)
        ]
        self.notes[0]["note"] = note
        self.remember()

    @rule()
    def the_system_flushes_its_files(self):
        self.store.flush()

    @rule(share=SHARES)
    def crash(self, share):
        survivors = round(share * len(self.store.unsynced))
        *self.plain, first, second = self.check_crash(survivors)
        self.notes = [dict(first), dict(second)]
        self.restart(self.store.crash(survivors))

    @precondition(lambda self: self.store.sync)
    @rule()
    def crash_of_what_is_synced(self):
        assert self.check_crash(0) == self.state()

    def check_crash(self, survivors):
        """Fail unless the state after the last surviving batch is found; return it."""
        cores = open_cores(self.store.crash(survivors))
        expected = self.states[self.store.written - len(self.store.unsynced) + survivors]
        assert [*map(PlainCore.of, cores), *(dict(core.user_data) for core in cores)] == expected
        for core in cores:
            assert core.verify()
            assert core.audit() == []
            core.append(b"it goes on")
            assert core.verify()
        return expected

    def teardown(self):
        for survivors in range(len(self.store.unsynced) + 1):
            self.check_crash(survivors)


TestTwoCoresOnAMachineThatDies = TwoCoresOnAMachineThatDies.TestCase
TestTwoCoresOnAMachineThatDies.settings = settings(max_examples=80, stateful_step_count=20)


def put(store, key):
    batch = store.batch()
    batch.put(key, b"")
    batch.write()


def found(store, survivors=0):
    return list(store.crash(survivors).keys(b"", b"\xff"))


def test_the_double_loses_whole_batches_from_the_end():
    store = ForgetfulStore()
    for key in (b"a", b"b", b"c"):
        put(store, key)
    assert [found(store, survivors) for survivors in range(4)] == [
        [],
        [b"a"],
        [b"a", b"b"],
        [b"a", b"b", b"c"],
    ]


@pytest.mark.parametrize("last", ["sync", "flush"])
def test_the_double_keeps_what_was_written_before_a_sync(last):
    store = ForgetfulStore()
    put(store, b"a")
    if last == "flush":
        store.flush()
    else:
        store.sync = True
        put(store, b"b")
        store.sync = False
    put(store, b"lost")
    assert found(store) == ([b"a"] if last == "flush" else [b"a", b"b"])
