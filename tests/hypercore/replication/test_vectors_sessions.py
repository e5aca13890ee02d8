"""Conversations of two JavaScript peers: in the place of the one that has the blocks, we answer the same."""

import pytest

from hypercore import Corestore
from hypercore.replication import Connection
from hypercore.wire import DATA, NO_DATA, Request
from hypercore.wire.batches import split_frame
from tests.data.vectors import vectors
from tests.hypercore.replication.network import LoggingStream, messages_in
from tests.hypercore.wire.pairs import key_pair, known_streams

SESSIONS = {session["name"]: session for session in vectors("wire")["sessions"]}


def texts(first, end):
    return [b"block %d" % index for index in range(first, end)]


# What the application does to the core: first, and then each as soon as the other side speaks of it.
DEEDS = {
    "blocks-then-a-live-append": [
        lambda core: core.append(texts(0, 5)),
        lambda core: core.append(texts(5, 7)),
    ],
    "a-core-with-holes": [lambda core: (core.append(texts(0, 12)), core.clear(1, 3))],
    "a-seek": [lambda core: core.append(texts(0, 16))],
    "a-truncation": [
        lambda core: core.append(texts(0, 4)),
        lambda core: core.truncate(2),
        lambda core: core.append([b"other", b"blocks"]),
    ],
    "an-extension": [lambda core: core.append(texts(0, 1))],
    "several-cores": [lambda core: core.append(texts(0, 2))],
}


def answers_in(frames):
    """Return the answers in plaintext frames as they are, in an order of their own."""
    return sorted(
        frame[start:end].hex()
        for frame in frames
        for channel, entries in split_frame(frame)
        for type_, start, end in entries
        if channel and type_ in (DATA, NO_DATA)
    )


def overhear(session):
    """Return the plaintexts that each side sent; none for the frames of the handshake."""
    streams = known_streams(session["keys"])
    first, second = ([bytes.fromhex(each) for each in session["frames"][side]] for side in "ab")
    heard_first = [list(streams[1].receive(first[0]))]
    heard_second = [list(streams[0].receive(frame)) for frame in second]
    heard_first += [list(streams[1].receive(frame)) for frame in first[1:]]
    return heard_first, heard_second


def speaks_of_more(message, core):
    """Return whether a request is about something that the core does not have yet."""
    if not isinstance(message, Request):
        return False
    upgrade, block = message.proof.upgrade, message.proof.block
    return (
        message.fork > core.fork
        or (upgrade is not None and upgrade.start + upgrade.length > core.length)
        or (block is not None and block.index >= core.length)
    )


@pytest.mark.parametrize("name", SESSIONS)
def test_our_answers_are_those_of_the_reference(name):
    session, deeds = SESSIONS[name], iter(DEEDS[name])
    said, heard = overhear(session)
    keys = session["keys"]
    stream = LoggingStream(
        is_initiator=True,
        key_pair=key_pair(keys["static"][0]),
        ephemeral=key_pair(keys["ephemeral"][0]),
        header=bytes((keys["header"][0],)) * 24,
    )
    with Corestore(None, primary_key=b"\x01" * 32) as store:
        core = store.get(name="core")
        next(deeds)(core)
        connection = Connection(store, is_initiator=True, stream=stream)
        connection.ask_for(core.state)
        if name == "several-cores":
            second = store.get(name="second")
            second.append(texts(0, 1))
            connection.ask_for(second.state)
        connection.data_to_send(0.0)
        for frame, plaintexts in zip(session["frames"]["b"], heard, strict=True):
            while any(speaks_of_more(message, core) for message in messages_in(plaintexts)):
                next(deeds)(core)
            connection.receive(bytes.fromhex(frame), 0.0)
            connection.data_to_send(0.0)
        connection.close()
    assert next(deeds, None) is None
    expected = answers_in(plaintext for plaintexts in said for plaintext in plaintexts)
    assert answers_in(stream.log) == expected != []
