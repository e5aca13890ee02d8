from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypercore import KeyPair
from hypercore.errors import BadArgument, InvalidOperation, RemoteProtocolError
from hypercore.wire import NoiseHandshake
from tests.data.vectors import vectors
from tests.hypercore.damage import cuts, flips
from tests.hypercore.wire.pairs import ends, key_pair

raw = bytes.fromhex
VECTORS = [pytest.param(each, id=each["name"]) for each in vectors("wire")["noise"]]
PATTERNS = pytest.mark.parametrize("pattern", ["XX", "IK"])
STATIC = [key_pair(1), key_pair(2)]


def sides(pattern, prologue=b"", static=(1, 2), ephemeral=(3, 4)):
    """Return the initiator and the responder of a handshake with known keys."""
    return [
        NoiseHandshake(
            pattern,
            is_initiator=side == 0,
            key_pair=key_pair(static[side]),
            ephemeral=key_pair(ephemeral[side]),
            remote_public_key=key_pair(static[1]).public_key if pattern == "IK" and side == 0 else None,
            prologue=prologue,
        )
        for side in (0, 1)
    ]


def shake_hands(pattern, replaced=None):
    """Exchange all messages, some replaced on their way, and return both sides."""
    pair = sides(pattern)
    turn = 0
    while not all(side.is_complete for side in pair):
        sender, receiver = pair[turn % 2], pair[1 - turn % 2]
        message = sender.send()
        receiver.receive((replaced or {}).get(turn, message))
        turn += 1
    return pair


def messages_of(pattern):
    """Return what is sent in a handshake without payloads."""
    (vector,) = (each for each in vectors("wire")["noise"] if each["name"] == pattern)
    return [raw(each["message"]) for each in vector["messages"]]


@pytest.mark.parametrize("vector", VECTORS)
def test_messages_and_hashes_are_those_of_the_reference(vector):
    pair = sides(vector["pattern"], raw(vector["prologue"]), **vector["seeds"])
    assert pair[0].hash.hex() == pair[1].hash.hex() == vector["initialHash"]
    for turn, each in enumerate(vector["messages"]):
        sender, receiver = pair[turn % 2], pair[1 - turn % 2]
        assert (sender.is_our_turn, receiver.is_our_turn) == (True, False)
        assert sender.send(raw(each["payload"])).hex() == each["message"]
        assert receiver.receive(raw(each["message"])).hex() == each["payload"]
        assert sender.hash.hex() == receiver.hash.hex() == each["hash"]
    assert [(side.is_complete, side.is_our_turn) for side in pair] == [(True, False)] * 2
    assert [(side.tx.hex(), side.rx.hex()) for side in pair] == [
        (vector["tx"], vector["rx"]),
        (vector["rx"], vector["tx"]),
    ]


@PATTERNS
def test_both_sides_know_the_static_key_of_the_other(pattern):
    first, second = shake_hands(pattern)
    assert first.remote_public_key == STATIC[1].public_key
    assert second.remote_public_key == STATIC[0].public_key


def test_keys_are_not_known_before_the_handshake_is_complete():
    first, _ = sides("XX")
    first.send()
    assert (first.tx, first.rx, first.remote_public_key, first.is_complete) == (b"", b"", None, False)


def test_every_handshake_has_other_keys_of_its_own():
    first, second = (NoiseHandshake("XX", is_initiator=True, key_pair=STATIC[0]) for _ in range(2))
    assert first.send() != second.send()


@PATTERNS
def test_another_prologue_ends_the_handshake(pattern):
    first, second = sides(pattern, b"one")[0], sides(pattern, b"two")[1]

    def talk():
        second.receive(first.send())
        first.receive(second.send())

    assert ends(talk)


DAMAGES = {
    "cut": cuts,
    "one-byte-changed": lambda message: list(flips(message))[::7],
    "one-byte-more": lambda message: [message + b"x"],
}


@pytest.mark.parametrize("damages", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize(("pattern", "turn"), [("XX", 0), ("XX", 1), ("XX", 2), ("IK", 0), ("IK", 1)])
def test_a_message_that_was_damaged_on_its_way_ends_the_handshake(pattern, turn, damages):
    for damaged in damages(messages_of(pattern)[turn]):
        assert ends(shake_hands, pattern, {turn: damaged})


UNUSABLE_POINTS = {
    "zero": bytes(32),
    "the-neutral-element": b"\x01" + bytes(31),
    "of-small-order": raw("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    "above-the-field": b"\xff" * 32,
    "not-on-the-curve": b"\x02" + bytes(31),
}


@pytest.mark.parametrize("point", UNUSABLE_POINTS.values(), ids=UNUSABLE_POINTS)
def test_a_key_that_is_no_point_to_work_with_ends_the_handshake(point):
    second = sides("XX")[1]
    second.receive(point)
    with pytest.raises(RemoteProtocolError, match="not a point"):
        second.send()


@given(message=st.binary(max_size=200), pattern=st.sampled_from(["XX", "IK"]), side=st.sampled_from([0, 1]))
def test_random_bytes_give_a_protocol_error_or_are_taken_as_a_key(message, pattern, side):
    machine = sides(pattern)[side]
    if machine.is_our_turn:
        machine.send()
    ends(machine.receive, message)


@PATTERNS
def test_a_message_out_of_turn_ends_the_handshake(pattern):
    first, second = sides(pattern)
    with pytest.raises(RemoteProtocolError, match="out of turn"):
        first.receive(second.hash[:32])


@PATTERNS
def test_a_message_behind_the_last_one_is_refused(pattern):
    for side in shake_hands(pattern):
        with pytest.raises(RemoteProtocolError, match="out of turn"):
            side.receive(bytes(64))
        with pytest.raises(InvalidOperation):
            side.send()


def test_nobody_sends_when_it_is_the_turn_of_the_other_side():
    first, second = sides("XX")
    first.send()
    for side in (first, second):
        with pytest.raises(InvalidOperation):
            side.send()


@pytest.mark.parametrize(
    ("pattern", "is_initiator", "key"),
    [("XX", True, STATIC[1]), ("IK", False, STATIC[1]), ("IK", True, None)],
    ids=["XX-needs-none", "IK-responder-needs-none", "IK-initiator-needs-it"],
)
def test_the_remote_key_is_for_the_initiator_of_ik_alone(pattern, is_initiator, key):
    with pytest.raises(BadArgument, match="remote public key"):
        NoiseHandshake(
            pattern,
            is_initiator=is_initiator,
            key_pair=STATIC[0],
            remote_public_key=key and key.public_key,
        )


def test_a_remote_key_of_another_size_is_refused():
    with pytest.raises(BadArgument, match="32 bytes"):
        NoiseHandshake("IK", is_initiator=True, key_pair=STATIC[0], remote_public_key=b"short")


def test_an_unknown_pattern_is_refused():
    unknown: Any = "NN"
    with pytest.raises(BadArgument, match="XX or IK"):
        NoiseHandshake(unknown, is_initiator=True, key_pair=STATIC[0])


def test_key_pairs_need_their_secret_halves():
    public = KeyPair(STATIC[0].public_key)
    with pytest.raises(BadArgument, match="secret"):
        NoiseHandshake("XX", is_initiator=True, key_pair=public)
    with pytest.raises(BadArgument, match="secret"):
        NoiseHandshake("XX", is_initiator=True, key_pair=STATIC[0], ephemeral=public)
