"""What replication needs of a store: which cores are in use, and cores that the application does not use."""

import pytest

from hypercore import Corestore, crypto
from hypercore.errors import Closed


class Log:
    """A StoreObserver that remembers what it is told, in words."""

    def __init__(self):
        self.said = []

    def core_opened(self, core):
        self.said.append(("opened", core.key))

    def core_closed(self, core):
        self.said.append(("closed", core.key))

    def store_closed(self):
        self.said.append(("store closed", None))


@pytest.fixture
def store():
    with Corestore() as store:
        yield store


@pytest.fixture
def log(store):
    log = Log()
    store.observe(log)
    return log


def in_use(store):
    return [core.key for core in store.cores_in_use()]


def test_the_first_object_opens_a_core_and_the_last_one_closes_it(store, log):
    first = store.get(name="core")
    key = first.key
    second = store.get(key=key)
    session = first.session()
    assert log.said == [("opened", key)]
    assert in_use(store) == [key]
    first.close()
    session.close()
    assert in_use(store) == [key]
    second.close()
    assert log.said == [("opened", key), ("closed", key)]
    assert in_use(store) == []


def test_cores_of_all_views_of_a_store_are_in_use(store, log):
    one, other = store.namespace("one").get(name="core"), store.get(name="core")
    assert set(in_use(store)) == {one.key, other.key}
    assert in_use(store.namespace("another")) == in_use(store)
    assert log.said == [("opened", one.key), ("opened", other.key)]


def test_a_core_that_is_opened_quietly_is_not_in_use(store, log):
    core = store.get(name="core")
    key = core.key
    core.append(b"block")
    core.close()
    log.said.clear()
    quiet = store.open_quietly(crypto.discovery_key(key))
    assert quiet.get(0) == b"block"
    assert in_use(store) == []
    quiet.close()
    assert log.said == []


def test_an_object_of_the_application_beside_a_quiet_one_is_told(store, log):
    core = store.get(name="core")
    discovery_key = core.discovery_key
    core.close()
    quiet = store.open_quietly(discovery_key)
    log.said.clear()
    core = store.get(name="core")
    assert core.state is quiet.state
    core.append(b"block")
    assert quiet.length == 1
    core.close()
    assert log.said == [("opened", quiet.key), ("closed", quiet.key)]
    assert quiet.get(0) == b"block"
    quiet.close()


def test_a_quiet_object_keeps_the_core_that_the_application_closes(store):
    core = store.get(name="core")
    quiet = store.open_quietly(core.discovery_key)
    state = core.state
    core.close()
    again = store.get(name="core")
    assert again.state is state
    quiet.close()
    assert again.length == 0


def test_what_is_not_stored_cannot_be_opened_quietly(store):
    assert store.open_quietly(bytes(32)) is None
    assert store.open_quietly(b"") is None


def test_an_observer_hears_nothing_after_it_has_ended(store):
    log, other = Log(), Log()
    end = store.observe(log)
    store.observe(other)
    end()
    core = store.get(name="core")
    assert log.said == []
    assert other.said == [("opened", core.key)]


def test_an_observer_may_end_while_it_is_told(store):
    log = Log()

    class Once(Log):
        def core_opened(self, core):
            end()

    end = store.observe(Once())
    store.observe(log)
    store.get(name="one")
    store.get(name="two")
    assert len(log.said) == 2


@pytest.mark.parametrize("view", ["store", "namespace"])
def test_closing_a_store_tells_of_its_cores_first(store, log, view):
    core = (store if view == "store" else store.namespace("name")).get(name="core")
    key = core.key
    store.close()
    store.close()
    assert log.said == [("opened", key), ("closed", key), ("store closed", None)]


def test_closing_a_view_closes_no_store(store, log):
    view = store.namespace("name")
    core = view.get(name="core")
    key = core.key
    view.close()
    assert log.said == [("opened", key), ("closed", key)]
    assert store.open_quietly(crypto.discovery_key(key)) is not None


def test_a_closed_store_is_neither_observed_nor_opened_quietly(store):
    store.close()
    with pytest.raises(Closed):
        store.observe(Log())
    with pytest.raises(Closed):
        store.open_quietly(bytes(32))
