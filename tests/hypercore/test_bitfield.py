import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hypercore.bitfield import PAGE_BITS, PAGE_BYTES, Bitfield
from hypercore.encoding import MAX_UINT

MODEL_PAGES = 4
SIZE = MODEL_PAGES * PAGE_BITS
LAST_PAGE = MAX_UINT // PAGE_BITS

# Small numbers, and those around the ends of pages.
PLACES = st.one_of(
    st.integers(0, 100),
    st.integers(0, SIZE),
    st.builds(
        lambda page, step: min(max(page * PAGE_BITS + step, 0), SIZE),
        st.integers(0, MODEL_PAGES),
        st.integers(-9, 9),
    ),
)
PAGES = st.one_of(
    st.just(bytes(PAGE_BYTES)),
    st.just(b"\xff" * PAGE_BYTES),
    st.binary(max_size=20).map(lambda start: start.ljust(PAGE_BYTES, b"\x00")),
    st.binary(max_size=20).map(lambda end: end.rjust(PAGE_BYTES, b"\xff")),
)


def bits_of(page):
    return [bool(byte >> bit & 1) for byte in page for bit in range(8)]


def runs_of(bits, start):
    """Return the ranges of bits that are set, each as first bit and bit behind."""
    changes = [i for i in range(len(bits) + 1) if (i < len(bits) and bits[i]) != (i > 0 and bits[i - 1])]
    return [(start + first, start + last) for first, last in zip(changes[::2], changes[1::2], strict=True)]


class AgainstList(RuleBasedStateMachine):
    """A bitfield over stored pages, beside a list of bools that stands for the same bits."""

    @initialize(
        pages=st.dictionaries(st.integers(0, MODEL_PAGES - 1), PAGES),
        base=st.sampled_from([0, 7, LAST_PAGE - 4]),
    )
    def store(self, pages, base):
        self.start = base * PAGE_BITS
        self.stored = {base + number: page for number, page in pages.items()}
        self.model = [bit for n in range(MODEL_PAGES) for bit in bits_of(pages.get(n, bytes(PAGE_BYTES)))]
        self.bitfield = Bitfield(sorted(self.stored), self.stored.get)

    @rule(first=PLACES, last=PLACES, value=st.booleans())
    def set_range(self, first, last, value):
        self.bitfield.set_range(self.start + first, self.start + last, value)
        if first < last:
            self.model[first:last] = [value] * (last - first)

    @rule(place=PLACES.filter(lambda place: place < SIZE))
    def get(self, place):
        assert self.bitfield.get(self.start + place) is self.model[place]

    @rule(first=PLACES, last=PLACES)
    def find(self, first, last):
        for find, value in ((self.bitfield.find_set, True), (self.bitfield.find_unset, False)):
            expected = last
            if first < last and value in self.model[first:last]:
                expected = self.model.index(value, first)
            assert find(self.start + first, self.start + last) == self.start + expected

    @rule(first=PLACES, last=PLACES)
    def runs(self, first, last):
        found = [False] * SIZE
        behind = -1
        for start, stop in self.bitfield.runs(self.start + first, self.start + last):
            assert behind < start < stop
            behind = stop
            found[start - self.start : stop - self.start] = [True] * (stop - start)
        inside = self.model[first : max(first, last)]
        assert found == [False] * first + inside + [False] * (SIZE - first - len(inside))

    @rule(byte=st.integers(0, SIZE // 64 - 1), count=st.sampled_from([8, 16, 64]))
    def bits(self, byte, count):
        first = 64 * byte
        expected = sum(1 << place for place, bit in enumerate(self.model[first : first + count]) if bit)
        assert self.bitfield.bits(self.start + first, count) == expected

    @rule(first=PLACES.map(lambda place: place // 8 * 8), data=st.one_of(st.binary(max_size=20), PAGES))
    def replace(self, first, data):
        data = data[: (SIZE - first) // 8]
        self.bitfield.replace(self.start + first, data)
        self.model[first : first + 8 * len(data)] = bits_of(data)

    @rule(first=st.integers(0, MODEL_PAGES), last=st.integers(0, MODEL_PAGES))
    def forget_pages(self, first, last):
        """They are forgotten here and not where they are stored: whoever opens again finds them there."""
        number = self.start // PAGE_BITS
        forgotten = self.bitfield.forget_pages(number + first, number + last)
        assert forgotten == sorted(set(forgotten) & set(range(number + first, number + last)))
        for each in forgotten:
            self.stored.pop(each, None)
        if first < last:
            self.model[first * PAGE_BITS : last * PAGE_BITS] = [False] * ((last - first) * PAGE_BITS)
        assert list(self.bitfield.runs(self.start, self.start + SIZE)) == runs_of(self.model, self.start)

    @rule()
    def save_and_open_again(self):
        changed = self.bitfield.take_changed()
        assert {len(page) for _, page in changed} <= {PAGE_BYTES}
        self.stored.update(changed)
        self.bitfield = Bitfield(sorted(self.stored), self.stored.get)


TestAgainstList = AgainstList.TestCase


def test_a_new_bitfield_is_empty():
    bitfield = Bitfield()
    assert not bitfield.get(0)
    assert not bitfield.get(MAX_UINT)
    assert bitfield.find_set(0, MAX_UINT) == MAX_UINT
    assert bitfield.find_unset(0, MAX_UINT) == 0
    assert list(bitfield.runs(0, MAX_UINT)) == []


@pytest.mark.parametrize("index", [0, 7, 8, 32767, 32768, 2**31, 2**32 + 1, MAX_UINT])
def test_a_bit_is_kept_where_the_format_says(index):
    bitfield = Bitfield()
    bitfield.set_range(index, index + 1, True)
    [(number, page)] = bitfield.take_changed()
    assert number == index // 32768
    place = index % 32768
    assert page == (1 << place).to_bytes(4096, "little")
    assert page[place >> 3] == 1 << (place & 7)


def test_looking_changes_nothing():
    bitfield = Bitfield([2], lambda number: b"\x01")
    bitfield.get(5)
    bitfield.find_set(0, MAX_UINT)
    bitfield.find_unset(2 * PAGE_BITS, MAX_UINT)
    list(bitfield.runs(0, MAX_UINT))
    assert bitfield.take_changed() == []


def test_changed_pages_are_taken_once():
    bitfield = Bitfield()
    bitfield.set_range(PAGE_BITS - 1, PAGE_BITS + 1, True)
    assert [number for number, _ in bitfield.take_changed()] == [0, 1]
    assert bitfield.take_changed() == []
    bitfield.set_range(PAGE_BITS, PAGE_BITS + 1, False)
    assert bitfield.take_changed() == [(1, bytes(PAGE_BYTES))]


def test_a_taken_page_stays_as_it_was():
    bitfield = Bitfield()
    bitfield.set_range(0, 1, True)
    [(_, page)] = bitfield.take_changed()
    bitfield.set_range(0, 9, True)
    assert page == b"\x01".ljust(PAGE_BYTES, b"\x00")


def test_clearing_what_was_never_set_makes_no_pages():
    bitfield = Bitfield()
    bitfield.set_range(0, MAX_UINT, False)
    assert bitfield.take_changed() == []


def test_bits_that_are_replaced_by_zeros_make_no_pages():
    bitfield = Bitfield()
    bitfield.replace(0, bytes(3 * PAGE_BYTES))
    assert bitfield.take_changed() == []
    assert not bitfield.has_pages


def test_bits_are_replaced_across_pages():
    bitfield = Bitfield()
    bitfield.replace(PAGE_BITS - 8, b"\x01\x80\xff")
    assert list(bitfield.runs(0, 2 * PAGE_BITS)) == [
        (PAGE_BITS - 8, PAGE_BITS - 7),
        (PAGE_BITS + 7, PAGE_BITS + 16),
    ]


def test_a_page_that_is_forgotten_is_not_stored_any_more():
    bitfield = Bitfield()
    for number in (1, 2, 5):
        bitfield.set_range(number * PAGE_BITS, number * PAGE_BITS + 1, True)
    assert bitfield.forget_pages(2, 5) == [2]
    assert [number for number, _ in bitfield.take_changed()] == [1, 5]
    assert bitfield.forget_pages(0, MAX_UINT) == [1, 5]
    assert not bitfield.has_pages


def test_each_stored_page_is_read_once_and_only_when_it_is_needed():
    reads = []

    def read(number):
        reads.append(number)
        return b"\xff" * PAGE_BYTES

    bitfield = Bitfield([0, 1, LAST_PAGE], read)
    assert reads == []
    assert bitfield.find_unset(PAGE_BITS, MAX_UINT) == 2 * PAGE_BITS
    assert bitfield.find_set(2 * PAGE_BITS, MAX_UINT) == LAST_PAGE * PAGE_BITS
    bitfield.get(LAST_PAGE * PAGE_BITS)
    assert reads == [1, LAST_PAGE]


@pytest.mark.parametrize(
    "page", [None, b"", b"\x01", b"\x01" * 2 * PAGE_BYTES], ids=["lost", "empty", "short", "long"]
)
def test_a_stored_page_of_another_size_becomes_a_whole_one(page):
    bitfield = Bitfield([0], lambda number: page)
    bitfield.set_range(9, 10, True)
    [(_, changed)] = bitfield.take_changed()
    assert len(changed) == PAGE_BYTES
    assert changed[0] == (page or b"\x00")[0]


@given(bits=st.sets(st.integers(0, MAX_UINT), max_size=12))
def test_scattered_bits_are_found_in_order(bits):
    bitfield = Bitfield()
    for bit in bits:
        bitfield.set_range(bit, bit + 1, True)
    found = [index for start, stop in bitfield.runs(0, MAX_UINT + 1) for index in range(start, stop)]
    assert found == sorted(bits)
