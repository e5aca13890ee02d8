import pytest

from hypercore import Corestore, Hypercore, KeyPair
from hypercore.errors import BadArgument, Closed, StorageConflict, StorageCorrupt, StorageError
from hypercore.storage import LevelDB, Memory, records
from tests.hypercore.faults import FaultyStore

PAIR = KeyPair.from_seed(b"\x01" * 32)
PRIMARY_KEY = b"\x07" * 32


@pytest.fixture
def corestore():
    with Corestore(primary_key=PRIMARY_KEY) as store:
        yield store


@pytest.fixture
def faulty_corestore(monkeypatch):
    """A Corestore, and the faulty store that it is on."""
    faulty = FaultyStore(Memory())
    monkeypatch.setattr("hypercore.storage.database.Memory", lambda: faulty)
    with Corestore() as store:
        yield store, faulty


def test_the_same_name_gives_the_same_core_in_every_store_of_the_primary_key(tmp_path):
    with Corestore(tmp_path, primary_key=PRIMARY_KEY) as first, Corestore(primary_key=PRIMARY_KEY) as second:
        assert first.get(name="a").key == second.get(name="a").key


def test_names_namespaces_and_primary_keys_give_different_cores(corestore):
    with Corestore(primary_key=b"\x08" * 32) as other:
        views = [
            corestore,
            corestore.namespace("a"),
            corestore.namespace("a").namespace("a"),
            corestore.namespace("b"),
            other,
        ]
        keys = {view.get(name=name).key for view in views for name in ("a", "b", "ab", "a\0b")}
    assert len(keys) == 20


def test_a_namespace_is_text_or_bytes(corestore):
    assert corestore.namespace("ä").get(name="a").key == corestore.namespace("ä".encode()).get(name="a").key


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda store, name: store.get(name=name), id="core"),
        pytest.param(lambda store, name: store.create_key_pair(name), id="key-pair"),
        pytest.param(lambda store, name: store.namespace(name), id="namespace"),
        pytest.param(lambda store, name: store.get(name="a").session(name), id="session"),
        pytest.param(lambda store, name: store.get(name="a").user_data.update({name: b""}), id="user-data"),
        pytest.param(lambda store, name: store.get(name="a").user_data.get(name), id="user-data-read"),
    ],
)
@pytest.mark.parametrize("name", ["a\ud800", 5], ids=["lone-surrogate", "number"])
def test_what_cannot_be_a_name_is_refused(corestore, use, name):
    with pytest.raises(BadArgument, match="a name is text"):
        use(corestore, name)


def test_two_objects_on_a_core_see_each_others_appends(corestore):
    first, second = corestore.get(name="a"), corestore.get(name="a")
    first.append(b"1")
    assert second.append(b"2") == 2
    first.close()
    assert second.get_many(range(2)) == [b"1", b"2"]
    assert second.verify()


def test_a_core_is_found_again_by_name_key_and_id_after_all_its_objects_were_closed(corestore):
    with corestore.get(name="a") as core:
        core.append(b"1")
        known = [{"name": "a"}, {"key": core.key}, {"key": core.id}, {"key_pair": core.key_pair}]
    for way in known:
        with corestore.get(**way) as again:
            assert again.append(b"more") == again.length > 1
            assert again.verify()


def test_everything_is_there_after_reopening(tmp_path):
    with Corestore(tmp_path) as store:
        primary_key = store.primary_key
        keys = {}
        for name in ("a", "b", "c"):
            keys[name] = store.get(name=name).key
            store.get(name=name).append([name.encode()] * 3)
    with Corestore(tmp_path) as store:
        assert store.primary_key == primary_key
        for name, key in keys.items():
            with store.get(name=name) as core:
                assert (core.key, core.length, core.get(2), core.verify()) == (key, 3, name.encode(), True)


def test_cores_of_one_store_do_not_mix(corestore):
    cores = [corestore.get(name=f"{number}") for number in range(20)]
    for count, core in enumerate(cores):
        core.append([core.key] * count)
    for count, core in enumerate(cores):
        assert list(core.read_stream()) == [core.key] * count
        assert core.verify()


def test_every_store_gets_a_random_primary_key():
    with Corestore() as first, Corestore() as second:
        assert first.primary_key != second.primary_key
        assert len(first.primary_key) == 32


def test_another_primary_key_than_the_stored_one_is_refused(tmp_path):
    Corestore(tmp_path, primary_key=PRIMARY_KEY).close()
    with pytest.raises(StorageConflict, match=str(tmp_path)):
        Corestore(tmp_path, primary_key=b"\x08" * 32)
    with Corestore(tmp_path) as store:
        assert store.primary_key == PRIMARY_KEY


@pytest.mark.parametrize("size", [0, 31, 33], ids=["empty", "short", "long"])
def test_a_primary_key_has_32_bytes(tmp_path, size):
    with pytest.raises(BadArgument, match=f"32 bytes, found {size}"):
        Corestore(tmp_path / "a", primary_key=bytes(size))
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"name": ""}, id="empty-name"),
        pytest.param({"name": "a", "key": bytes(32)}, id="name-and-key"),
        pytest.param({"name": "a", "key_pair": PAIR}, id="name-and-key-pair"),
        pytest.param({"key": bytes(32), "key_pair": PAIR}, id="key-pair-of-another-core"),
        pytest.param({"key": bytes(31)}, id="short-key"),
        pytest.param({"key": "no id"}, id="no-id"),
    ],
)
def test_what_does_not_name_one_core_is_refused(corestore, arguments):
    with pytest.raises(BadArgument):
        corestore.get(**arguments)


def test_a_key_pair_is_derived_without_storing_anything(corestore):
    pair = corestore.create_key_pair("a")
    assert pair == corestore.create_key_pair("a")
    assert pair != corestore.namespace("n").create_key_pair("a")
    assert corestore.get(name="a").key_pair == pair


def test_a_core_of_somebody_else_can_be_opened_but_not_written(corestore):
    core = corestore.get(key=b"\x09" * 32)
    assert (core.key, core.length, core.writable) == (b"\x09" * 32, 0, False)


def test_the_key_of_a_core_whose_key_pair_is_stored_gives_a_writable_core(corestore):
    key = corestore.get(key_pair=PAIR).key
    assert corestore.get(key=key).writable


@pytest.mark.parametrize("keep_open", [True, False], ids=["while-open", "after-closing"])
@pytest.mark.parametrize("way", ["name", "key_pair"])
def test_a_core_first_opened_by_its_key_becomes_writable_by_name_or_key_pair(corestore, way, keep_open):
    pair = corestore.create_key_pair("a")
    with Corestore(primary_key=PRIMARY_KEY) as other:
        reader = corestore.get(key=other.get(name="a").key)
    if not keep_open:
        reader.close()
    core = corestore.get(**{way: "a" if way == "name" else pair})
    assert core.append(b"1") == 1
    assert core.verify()


# --- closing ------------------------------------------------------------------------------------------


def test_closing_the_store_closes_every_core_that_was_opened_through_it():
    with Corestore() as store:
        cores = [
            store.get(name="a"),
            store.get(name="a"),
            store.namespace("n").get(name="a"),
            store.get(key_pair=PAIR),
        ]
    assert store.closed
    assert [core.closed for core in cores] == [True] * 4
    for core in cores:
        with pytest.raises(Closed):
            core.append(b"1")


def test_closing_a_namespace_closes_its_own_cores_only(corestore):
    view = corestore.namespace("n")
    mine, others = view.get(name="a"), [corestore.get(name="a"), corestore.namespace("n").get(name="a")]
    view.close()
    assert view.closed
    assert not corestore.closed
    assert mine.closed
    assert [core.closed for core in others] == [False, False]
    assert others[1].append(b"1") == 1


def test_a_closed_store_opens_nothing_more(corestore):
    view = corestore.namespace("n")
    corestore.close()
    corestore.close()
    assert view.closed
    for use in (
        lambda: corestore.get(name="a"),
        lambda: corestore.namespace("m"),
        lambda: corestore.commit(),
        lambda: list(corestore.cores()),
        lambda: view.get(name="a"),
    ):
        with pytest.raises(Closed, match="the Corestore is closed"):
            use()


def test_a_closed_namespace_opens_nothing_more(corestore):
    view = corestore.namespace("n")
    view.close()
    with pytest.raises(Closed):
        view.get(name="a")
    assert corestore.get(name="a").length == 0


def test_a_core_may_be_closed_before_or_after_its_store():
    with Corestore() as store:
        before, after = store.get(name="a"), store.namespace("n").get(name="a")
        before.close()
    after.close()
    assert before.closed
    assert after.closed


def test_closing_gives_the_lock_back_also_after_a_conflict(tmp_path):
    Corestore(tmp_path, primary_key=PRIMARY_KEY).close()
    with pytest.raises(StorageConflict) as error:
        Corestore(tmp_path, primary_key=bytes(32))
    Corestore(tmp_path).close()
    assert error.value.__traceback__ is not None  # kept, so that nothing was closed by being forgotten


def test_a_damaged_store_does_not_keep_the_lock(tmp_path):
    store = LevelDB(tmp_path / "db")
    batch = store.batch()
    batch.put(records.STORE_HEAD_KEY, b"\x09")
    batch.write()
    store.close()
    with pytest.raises(StorageCorrupt) as error:
        Corestore(tmp_path)
    LevelDB(tmp_path / "db").close()
    assert error.value.__traceback__ is not None  # kept, so that nothing was closed by being forgotten


def test_a_store_shows_its_path_and_whether_it_is_closed(tmp_path):
    store = Corestore(tmp_path)
    assert repr(store) == f"<Corestore {tmp_path / 'db'}>"
    store.close()
    assert repr(store) == f"<Corestore {tmp_path / 'db'} closed>"


def test_the_core_that_was_made_first_is_the_one_of_the_directory(tmp_path):
    with Corestore(tmp_path) as store:
        first = store.get(name="a").key
        store.get(name="b")
    with Hypercore(tmp_path) as core:
        assert core.key == first


# --- faults ------------------------------------------------------------------------------------------


def test_a_core_whose_making_failed_is_made_at_the_next_try(faulty_corestore):
    store, faulty = faulty_corestore
    with faulty.failing(StorageError("disk full")), pytest.raises(StorageError, match="disk full"):
        store.get(name="a")
    with store.get(name="a") as core:
        assert core.append(b"1") == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupt_while_a_core_is_made_mixes_no_cores(faulty_corestore, when):
    store, faulty = faulty_corestore
    with faulty.failing(KeyboardInterrupt(), when=when), pytest.raises(KeyboardInterrupt):
        store.get(name="a")
    for name in ("b", "a"):
        store.get(name=name).append(name.encode())
    for name in ("a", "b"):
        core = store.get(name=name)
        assert core.key_pair == store.create_key_pair(name)
        assert (list(core.read_stream()), core.verify()) == ([name.encode()], True)
