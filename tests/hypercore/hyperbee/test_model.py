"""Random operations on a bee and on a plain dict; after each, another reader checks the stored tree."""

import tempfile

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hypercore import Hyperbee, Hypercore, KeyPair
from hypercore.core import open_core
from hypercore.hyperbee import HistoryEntry
from hypercore.storage import Database, Memory
from tests.hypercore.hyperbee.stored_tree import check_tree, entries_of, read_tree

PAIR = KeyPair.from_seed(b"\x01" * 32)
SUB = b"k\x00"
KEYS = st.integers(0, 99).map(b"k\x00%02d".__mod__) | st.binary(max_size=2)
VALUES = st.none() | st.binary(max_size=3)
STORED_VALUES = st.binary(max_size=3)  # not None: in a batch such a put may look like a delete in the history
OPERATIONS = st.lists(st.tuples(KEYS, st.just("del") | STORED_VALUES), max_size=30)
BOUNDS = st.fixed_dictionaries({}, optional=dict.fromkeys(["gt", "gte", "lt", "lte"], st.none() | KEYS))


def between(model, bounds):
    """Return the entries that items must give, as pairs."""
    checks = []
    for strict, loose in (("gt", "gte"), ("lt", "lte")):
        name = strict if bounds.get(strict) is not None else loose
        if bounds.get(name) is not None:
            checks.append((name, bounds[name]))
    compare = {"gt": bytes.__gt__, "gte": bytes.__ge__, "lt": bytes.__lt__, "lte": bytes.__le__}
    return [
        item for item in sorted(model.items()) if all(compare[name](item[0], bound) for name, bound in checks)
    ]


def pairs(entries):
    return [(entry.key, entry.value) for entry in entries]


class BeeInMemory(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.store = Memory()
        self.core = self.open_core()
        self.bee = Hyperbee(self.core)
        self.model: dict[bytes, bytes | None] = {}
        self.versions: dict[int, dict[bytes, bytes | None]] = {1: {}}
        self.history: list[HistoryEntry] = []

    def open_core(self):
        return Hypercore.attached(open_core(Database(self.store), key_pair=PAIR), lambda: None)

    def note(self, kind, key, value=None):
        """Do an operation on the model."""
        self.history.append(HistoryEntry(kind, len(self.history) + 1, key, value))
        if kind == "put":
            self.model[key] = value
        else:
            del self.model[key]

    @initialize(count=st.sampled_from([0, 0, 9, 60]))
    def fill(self, count):
        with self.bee.batch() as batch:
            for number in range(count):
                key = b"k\x00%02d" % (number * 37 % 100)
                batch.put(key, b"")
                self.note("put", key, b"")

    @rule(key=KEYS, value=VALUES)
    def put(self, key, value):
        assert self.bee.put(key, value)
        self.note("put", key, value)

    @rule(key=KEYS)
    def delete(self, key):
        assert self.bee.delete(key) == (key in self.model)
        if key in self.model:
            self.note("del", key)

    @rule(start=st.integers(0, 99), count=st.integers(1, 40))
    def delete_a_run(self, start, count):
        for key in sorted(self.model)[start : start + count]:
            assert self.bee.delete(key)
            self.note("del", key)

    @rule(key=KEYS, value=STORED_VALUES, accept=st.booleans(), delete=st.booleans())
    def compare_and_swap(self, key, value, accept, delete):
        def cas(old, new):
            assert (old.key, old.value) == (key, self.model[key])
            assert (new.seq, new.key, new.value) == (len(self.history) + 1, key, None if delete else value)
            return accept

        there = key in self.model
        written = self.bee.delete(key, cas=cas) if delete else self.bee.put(key, value, cas=cas)
        assert written == ((there and accept) if delete else (accept or not there))
        if written:
            self.note(*(("del", key) if delete else ("put", key, value)))

    @rule(operations=OPERATIONS, flush=st.booleans())
    def batch(self, operations, flush):
        before = dict(self.model), list(self.history)
        batch = self.bee.batch()
        for key, value in operations:
            self.apply(batch, key, value)
        assert pairs(batch.items()) == sorted(self.model.items())
        if flush:
            batch.flush()
        else:
            batch.close()
            self.model, self.history = before

    def apply(self, target, key, value):
        """Do an operation of a batch; "del" as value deletes."""
        if value != "del":
            assert target.put(key, value)
            self.note("put", key, value)
        else:
            assert target.delete(key) == (key in self.model)
            if key in self.model:
                self.note("del", key)
        entry = target.get(key)
        assert (entry is not None) == (key in self.model)
        assert entry is None or entry.value == self.model[key]

    @rule(key=st.integers(0, 99).map(b"%02d".__mod__), value=VALUES, delete=st.booleans())
    def write_in_the_sub(self, key, value, delete):
        sub = self.bee.sub("k")
        if not delete:
            assert sub.put(key, value)
            self.note("put", SUB + key, value)
        elif sub.delete(key):
            self.note("del", SUB + key)

    @rule(bounds=BOUNDS, reverse=st.booleans(), limit=st.none() | st.integers(0, 5))
    def items(self, bounds, reverse, limit):
        expected = between(self.model, bounds)
        expected = (expected[::-1] if reverse else expected)[:limit]
        assert pairs(self.bee.items(**bounds, reverse=reverse, limit=limit)) == expected
        first = None if limit == 0 else self.bee.peek(**bounds, reverse=reverse)
        assert first is None or pairs([first]) == expected[:1]

    @rule(reverse=st.booleans())
    def items_of_the_sub(self, reverse):
        mine = [(key[len(SUB) :], value) for key, value in sorted(self.model.items()) if key.startswith(SUB)]
        assert pairs(self.bee.sub("k").items(reverse=reverse)) == (mine[::-1] if reverse else mine)

    @rule(bounds=BOUNDS, reverse=st.booleans(), key=KEYS, place=st.integers(0, 10))
    def write_while_iterating(self, bounds, reverse, key, place):
        expected = between(self.model, bounds)
        seen = []
        for number, entry in enumerate(self.bee.items(**bounds, reverse=reverse)):
            seen.append(entry)
            if number == place:
                self.put(key, b"new")
                self.delete(entry.key)
        assert pairs(seen) == (expected[::-1] if reverse else expected)

    @rule(choice=st.randoms(use_true_random=False), bounds=BOUNDS)
    def checkout(self, choice, bounds):
        version = choice.choice(sorted(self.versions))
        state = self.versions[version]
        view = self.bee.checkout(version)
        assert pairs(view.items(**bounds)) == between(state, bounds)
        assert entries_of(self.core, version) == state
        assert all(view.get(entry.key) == entry for entry in view.items(limit=3))

    @rule(choice=st.randoms(use_true_random=False), bounds=BOUNDS, limit=st.none() | st.integers(0, 5))
    def diff(self, choice, bounds, limit):
        left, right = (choice.choice(sorted(self.versions)) for _ in range(2))
        expected = [
            (key, *(self.versions[version].get(key, "no key") for version in (left, right)))
            for key in sorted(self.versions[left].keys() | self.versions[right].keys())
            if self.put_at(key, left) != self.put_at(key, right)
        ]
        expected = [each for each in expected if between({each[0]: None}, bounds)]
        found = self.bee.checkout(left).diff(right, **bounds, limit=limit)
        assert [
            (
                *{entry.key for entry in (each.left, each.right) if entry is not None},
                *("no key" if entry is None else entry.value for entry in (each.left, each.right)),
            )
            for each in found
        ] == expected[:limit]

    def put_at(self, key, version):
        """Return the seq at which a version has a key; None if it does not have it."""
        last = next((entry for entry in reversed(self.history[: version - 1]) if entry.key == key), None)
        return None if last is None or last.type == "del" else last.seq

    @rule(choice=st.randoms(use_true_random=False), prune=st.booleans())
    def clear_a_copy(self, choice, prune):
        """A copy that forgets what a version does not link still has this and all later versions."""
        copy = Hyperbee(Hypercore(key_pair=PAIR))
        copy.core.append(list(self.core.read_stream()))
        version = choice.choice(sorted(self.versions))
        copy.clear_unlinked(version, prune=prune)
        for later in [each for each in self.versions if each >= version][-5:]:
            assert pairs(copy.checkout(later)) == sorted(self.versions[later].items())
        assert all(copy.core.has(seq) for seq in range(version, copy.version))
        assert copy.core.audit() == []

    @rule(first=st.integers(-9, 99), last=st.integers(-9, 99), reverse=st.booleans())
    def read_history(self, first, last, reverse):
        version = self.bee.version
        low, high = (seq + version if seq < 0 else seq for seq in (first, last))
        expected = [entry for entry in self.history if low <= entry.seq <= high]
        found = list(self.bee.history(gte=first, lte=last, reverse=reverse))
        assert found == (expected[::-1] if reverse else expected)

    @rule()
    def reopen(self):
        self.core.close()
        self.core = self.open_core()
        self.bee = Hyperbee(self.core)

    @invariant()
    def agree(self):
        self.versions[self.bee.version] = dict(self.model)
        assert self.bee.version == len(self.history) + 1
        check_tree(read_tree(self.core))
        assert entries_of(self.core) == self.model
        assert pairs(self.bee) == sorted(self.model.items())
        assert self.core.verify()


class BeeInLevelDB(BeeInMemory):
    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        super().__init__()

    def open_core(self):
        return Hypercore(self.directory.name, key_pair=PAIR)

    def teardown(self):
        self.core.close()
        self.directory.cleanup()


TestBeeInMemory = BeeInMemory.TestCase
TestBeeInMemory.settings = settings(max_examples=100, stateful_step_count=25)
TestBeeInLevelDB = BeeInLevelDB.TestCase
TestBeeInLevelDB.settings = settings(max_examples=30, stateful_step_count=25)
