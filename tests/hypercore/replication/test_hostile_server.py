"""A peer that is truthful most of the time, beside an honest one: everything comes, and only it is blamed."""

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from hypercore import Corestore
from hypercore.errors import BadArgument
from hypercore.replication import Seek, SingleCore
from hypercore.wire import Data, NoData, Range
from tests.hypercore.proofs.strategies import damaged
from tests.hypercore.replication.copying import assert_equal, begin, begin_download, begin_get, writer_of
from tests.hypercore.replication.network import Network
from tests.hypercore.replication.played import PlayedServer

CORE = writer_of([b"%d" % index * (index % 5) for index in range(300)])

WAYS = st.sampled_from(["true"] * 6 + ["silent", "refuse", "twice", "late", "damaged", "damaged", "drop"])


class Moody(PlayedServer):
    """A server that takes how to answer from a hypothesis strategy."""

    def __init__(self, draw):
        super().__init__(CORE, self.respond)
        self.draw = draw
        self.late = []

    def respond(self, request, true):
        way = self.draw(WAYS)
        late, self.late = self.late, []
        self.say(*late)
        if way == "silent":
            return None
        if way == "refuse":
            return NoData(request.id, self.draw(st.integers(0, 2)))
        if way == "twice":
            self.say(deepcopy(true))
        elif way == "late":
            self.late.append(true)
            return None
        elif way == "damaged" and isinstance(true, Data):
            return self.damage(true)
        elif way == "drop":
            first = self.draw(st.integers(0, CORE.length - 1))
            self.say(Range(True, first, self.draw(st.integers(1, 64))))
        return true

    def damage(self, true):
        changed = Data(true.request, self.draw(damaged(true.proof)))
        try:
            changed.encode()
        except BadArgument:
            return true  # what cannot be sent is no danger
        return changed


@given(st.data(), st.booleans(), st.lists(st.integers(0, CORE.length - 1), max_size=3))
def test_whatever_one_peer_does_an_honest_one_is_not_blamed_and_gives_all(data, is_first, wanted):
    network, store = Network(), Corestore()
    copy = store.get(key=CORE.key)
    moody = Moody(data.draw)
    if is_first:
        network.connect_to(store, moody)
        network.run()
    honest = network.connect(store, SingleCore(CORE))
    if not is_first:
        network.connect_to(store, moody)
    wants = [begin_get(copy, index) for index in wanted]
    wants += [begin_download(copy, 0, CORE.length), begin(copy, Seek(100, 0))]
    network.wait(200)
    assert all(want.is_done for want in wants)
    assert [want.error for want in wants] == [None] * len(wants)
    assert honest.error is honest.other.error is None
    assert_equal(copy, CORE)
    network.close()
