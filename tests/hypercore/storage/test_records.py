import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore.crypto import KeyPair
from hypercore.encoding import encode_buffer
from hypercore.errors import DecodingError
from hypercore.manifest import Manifest, Signer
from hypercore.storage import records
from hypercore.storage.records import Auth, CoreHead, CoreKeys, CoreRecord, Hints, StoreHead

UINTS = st.integers(0, 2**53 - 1)
BYTES32 = st.binary(min_size=32, max_size=32)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MANIFESTS = st.builds(
    lambda key, version: Manifest((Signer(key),), version, 1), BYTES32, st.sampled_from([0, 1, 2])
)
SEEDED = BYTES32.map(KeyPair.from_seed)
KEY_PAIRS = SEEDED | SEEDED.map(lambda pair: KeyPair(pair.public_key))

RECORDS = {
    "store-head": st.builds(StoreHead, UINTS, UINTS, UINTS, st.none() | BYTES32, st.none() | BYTES32),
    "core-record": st.builds(CoreRecord, UINTS, UINTS),
    "named-core-record": st.builds(CoreRecord, UINTS, UINTS, TEXT, BYTES32),
    "auth": st.builds(Auth, BYTES32, BYTES32, st.none() | MANIFESTS, st.none() | KEY_PAIRS),
    "core-head": st.builds(
        CoreHead,
        UINTS,
        UINTS,
        BYTES32,
        st.none() | st.binary(min_size=1),
        st.none() | st.integers(0, 2**64 - 1),
    ),
    "hints": st.builds(Hints, UINTS, UINTS, UINTS),
}


@pytest.mark.parametrize("strategy", RECORDS.values(), ids=RECORDS)
@given(data=st.data())
def test_a_record_is_read_back(strategy, data):
    record = data.draw(strategy)
    assert type(record).decode(record.encode()) == record


def test_a_core_head_without_flags_is_read_as_an_older_record():
    head = CoreHead(1, 2, bytes(32), b"signature")
    assert CoreHead.decode(head.encode()[:-1]) == head


@pytest.mark.parametrize(
    ("public_key", "secret_key"),
    [(bytes(31), bytes(64)), (bytes(32), bytes(63)), (b"", b"")],
    ids=["short-public-key", "short-secret-key", "no-public-key"],
)
def test_an_auth_record_with_half_a_key_is_refused(public_key, secret_key):
    pair = encode_buffer(public_key) + encode_buffer(secret_key)
    with pytest.raises(DecodingError, match="not an auth record"):
        Auth.decode(bytes(64) + b"\x02" + pair)


def test_an_empty_record_of_hints_is_one_byte():
    assert Hints().encode() == b"\x00"


@pytest.mark.parametrize(
    "number", [0, 251, 252, 65536, 2**40], ids=["first", "short", "longer", "long", "longest"]
)
def test_the_records_of_one_core_lie_together_in_their_order(number):
    keys = CoreKeys(number)
    mine = [keys.head, keys.hints, keys.block, keys.node, keys.user_data]
    assert mine == sorted(mine)
    assert max(mine) < CoreKeys(number + 1).head


def test_the_keys_of_all_kinds_of_records_differ():
    kinds = [
        records.STORE_HEAD_KEY,
        records.core_key(bytes(32)),
        records.alias_key(bytes(32), ""),
        records.auth_key(0),
        CoreKeys(0).head,
    ]
    assert kinds == sorted(kinds)
    assert len({key[0] for key in kinds}) == 5


@given(first=TEXT, second=TEXT)
def test_every_name_has_another_key(first, second):
    same = records.alias_key(bytes(32), first) == records.alias_key(bytes(32), second)
    assert same == (first == second)


def test_the_first_core_of_a_store_stays_its_default():
    head = StoreHead().with_core(b"\x01" * 32).with_core(b"\x02" * 32)
    assert head == StoreHead(2, 2, 0, None, b"\x01" * 32)
