"""Bees of strangers: whatever their entries are, reading gives what they say or an error of ours."""

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypercore import Corestore, Hyperbee, Hyperdrive, js_json
from hypercore.errors import DecodingError, HypercoreError
from hypercore.hyperbee import Metadata
from hypercore.hyperblobs import BlobId
from hypercore.hyperdrive.entries import decode_entry, encode_entry

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
)
NUMBERS = st.integers(0, 5) | st.sampled_from([-1, 2**53, 0.5, True, "1", None])
BLOBS = st.fixed_dictionaries(
    dict.fromkeys(("blockOffset", "byteOffset", "blockLength", "byteLength"), NUMBERS),
    optional={"blockMap": st.booleans() | JSON},
)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "executable": st.booleans() | JSON,
        "linkname": st.sampled_from(["/a", "..", "/x/../../y", ""]) | JSON,
        "blob": BLOBS | JSON,
        "metadata": JSON,
    },
)
VALUES = st.none() | st.binary(max_size=40) | (ENTRIES | JSON).map(lambda value: json.dumps(value).encode())
KEYS = st.sampled_from([b"/a", b"/b", b"/x/y", b"/", b"//", b"/x//", b"/\xff/a", b"/\xef\xbf\xbd/b", b"/.."])


def put_raw(drive, key, value):
    drive.db.with_encodings(key_encoding="binary", value_encoding="binary").put(b"files\0" + key, value)


READS = [
    lambda drive: list(drive.list()),
    lambda drive: list(drive.list("/x", reverse=True)),
    lambda drive: list(drive.list(recursive=False)),
    lambda drive: list(drive.readdir()),
    lambda drive: list(drive.readdir("/x")),
    lambda drive: list(drive.entries()),
    lambda drive: list(drive.diff(1)),
    lambda drive: drive.blobs_length(),
    lambda drive: drive.entry("/a"),
    lambda drive: drive.entry("/a", follow=True),
    lambda drive: drive.get("/a"),
    lambda drive: drive.get("/a", start=1, length=1),
    lambda drive: drive.get("/b", follow=True),
    lambda drive: drive.open("/a").read(),
    lambda drive: list(drive.read_stream("/x/y")),
    lambda drive: drive.has("/"),
    lambda drive: drive.clear("/a"),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=st.lists(st.tuples(KEYS, VALUES), max_size=5))
def test_every_read_of_any_entries_ends_with_a_result_or_an_error_of_ours(entries):
    with Corestore() as store, Hyperdrive(store) as drive:
        drive.put("/a", b"data")
        for key, value in entries:
            put_raw(drive, key, value)
        for read in READS:
            with suppress(HypercoreError):
                read(drive)


@given(value=VALUES)
def test_any_value_is_an_entry_or_a_decoding_error_that_names_it(value):
    try:
        entry = decode_entry(7, "/a", value)
    except DecodingError as error:
        message = str(error)
    else:
        message = "block 7: '/a' is no entry of a drive: "
        assert (entry.seq, entry.path, type(entry.executable)) == (7, "/a", bool)
    assert message.startswith("block 7: '/a' is no entry of a drive: ")


FIELDS = st.tuples(
    st.booleans(),
    st.none() | st.text(),
    st.none() | st.builds(BlobId, *[st.integers(0, 2**53 - 1)] * 4, st.booleans()),
    st.none() | JSON,
)


@given(fields=FIELDS)
def test_an_entry_is_decoded_as_it_was_encoded(fields):
    value = encode_entry(*fields)
    entry = decode_entry(1, "/a", value)
    again = encode_entry(entry.executable, entry.linkname, entry.blob, entry.metadata)
    assert again == value
    assert (entry.executable, entry.blob) == (fields[0], fields[2])


@given(executable=st.booleans(), blob=st.builds(BlobId, *[st.integers(0, 2**53 - 1)] * 4))
def test_the_short_way_to_an_entry_writes_and_reads_what_the_long_one_does(executable, blob):
    fields = {"executable": executable, "linkname": None, "blob": blob.as_json(), "metadata": None}
    value = encode_entry(executable, None, blob, None)
    assert value == js_json.dumps(fields).encode()
    assert decode_entry(1, "/a", value) == decode_entry(1, "/a", value.replace(b":", b": "))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "an object wanted, found list"),
        (b"null", "an object wanted, found NoneType"),
        (b'{"executable":1}', "executable is true or false, found int"),
        (b'{"linkname":[]}', "linkname is text, found list"),
        (b'{"blob":[]}', "the id of a blob is an object, found list"),
        (b'{"blob":{}}', "blockOffset of a blob is a whole number"),
        (b'{"blob":{"blockOffset":01}}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"metadata":' + b"9" * 5000 + b"}", "not JSON"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_wrong_with_an_entry_is_told(value, message):
    with pytest.raises(DecodingError, match=message):
        decode_entry(1, "/a", value)


def test_what_an_entry_leaves_out_is_none():
    entry = decode_entry(1, "/a", b'{"size":3}')
    assert (entry.executable, entry.linkname, entry.blob, entry.metadata) == (False, None, None, None)


@pytest.mark.parametrize("feed", [b"", b"short", bytes(31)])
def test_a_header_that_names_no_core_is_refused(store, feed):
    core = store.get(name="db")
    Hyperbee(core, metadata=Metadata(content_feed=feed)).put(b"key", b"value")
    with pytest.raises(DecodingError, match="names a core of blobs by less than a key"):
        Hyperdrive(store)


def test_the_core_of_the_blobs_may_be_the_bee_itself(store):
    core = store.get(name="db")
    Hyperbee(core, metadata=Metadata(content_feed=core.key)).put(b"key", b"value")
    with Hyperdrive(store) as drive:
        drive.symlink("/a", "/b")
        put_raw(drive, b"/a", encode_entry(False, None, BlobId(0, 0, 1, core.seek(0)[1] + 1), None))
        with pytest.raises(HypercoreError):
            drive.put("/x", b"data")
        assert [entry.path for entry in drive] == ["/a"]
