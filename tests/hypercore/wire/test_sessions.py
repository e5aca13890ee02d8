"""Whole conversations of two JavaScript peers: our machines understand them, and would have said the same."""

from itertools import count

import pytest

from hypercore.wire import Opened, OpenRequested, Protomux
from hypercore.wire.batches import pack_frames, split_frame
from tests.data.vectors import vectors
from tests.hypercore.wire.pairs import known_streams, payloads
from tests.hypercore.wire.values import DECODERS

SESSIONS = vectors("wire")["sessions"]
EACH = pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session["name"])


def frames_of(session):
    """Return the bytes that each side has written, frame by frame."""
    return [[bytes.fromhex(each) for each in session["frames"][side]] for side in "ab"]


def overhear(session):
    """Return two streams after the handshake, and the plaintexts that each side has sent."""
    streams = known_streams(session["keys"])
    by_first, by_second = frames_of(session)
    list(streams[1].receive(by_first[0]))
    from_second = [each for frame in by_second for each in streams[0].receive(frame)]
    from_first = [each for frame in by_first[1:] for each in streams[1].receive(frame)]
    return streams, (from_first, from_second)


@EACH
def test_the_same_plaintexts_make_the_same_bytes(session):
    streams, spoken = overhear(session)
    for stream, plaintexts, frames in zip(streams, spoken, frames_of(session), strict=True):
        for plaintext in plaintexts:
            stream.send(plaintext)
        assert stream.data_to_send(0) == b"".join(frames)


@EACH
def test_bytes_that_arrive_one_by_one_are_understood_too(session):
    _, spoken = overhear(session)
    streams = known_streams(session["keys"])
    by_first, by_second = map(b"".join, frames_of(session))
    list(streams[1].receive(by_first[:35]))
    heard = [
        [each for place in range(start, len(data)) for each in stream.receive(data[place : place + 1])]
        for stream, data, start in ((streams[1], by_first, 35), (streams[0], by_second, 0))
    ]
    assert heard == list(spoken)


@EACH
def test_all_messages_are_read_and_written_back(session):
    for plaintexts in overhear(session)[1]:
        for frame in plaintexts:
            for channel, entries in split_frame(frame):
                for type_, start, end in entries if channel else ():
                    assert DECODERS[type_](frame, start, end).encode() == frame[start:end]


REJECT = 2
# Which of the offers of each side the other one rejected.
REJECTED = {"several-cores": ({1}, {2})}


def hear(plaintexts, rejected):
    """Return the events of all that one side said to somebody who opens what was not rejected."""
    mux, events = Protomux(), []
    offers = count()
    for frame in plaintexts:
        for event in mux.receive(without_rejects(frame)):
            events.append(event)
            if isinstance(event, OpenRequested) and next(offers) not in rejected:
                mux.open(event.protocol, event.id, b"")
        mux.take_frames()
    return events


def without_rejects(frame):
    """Leave out what answers opens of a side that is not there."""
    messages = [
        (channel, type_, 1 + end - start, (frame[start:end],))
        for channel, entries in split_frame(frame)
        for type_, start, end in entries
        if channel or type_ != REJECT
    ]
    return b"".join(pack_frames(messages, 1 << 20))


@EACH
def test_every_message_finds_its_channel(session):
    for plaintexts, rejected in zip(
        overhear(session)[1], REJECTED.get(session["name"], (set(), set())), strict=True
    ):
        events = hear(plaintexts, rejected)
        said = [
            (type_, frame[start:end])
            for frame in plaintexts
            for channel, entries in split_frame(frame)
            for type_, start, end in entries
            if channel
        ]
        assert payloads(events) == said
        assert sum(isinstance(event, Opened) for event in events) == (2 if rejected else 1)
