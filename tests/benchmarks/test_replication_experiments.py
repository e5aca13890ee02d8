"""The experiments with replication: what they check, and that nothing is left of one that is cut short."""

import asyncio
import gc
import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.test_replication import (
    complete_exchange_of,
    downloading,
    equal_blocks,
    exchange_of,
    random_blocks,
)
from hypercore import Corestore, aio
from hypercore.errors import ConnectionLost

NR_BLOCKS = 300


class Cut(BaseException):
    """What a timeout raises."""


def cut(*_: object) -> None:
    raise Cut


def open_files() -> set[str]:
    """What this process has open: files, sockets, locks."""
    gc.collect()
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one by which they are listed
            found.add(os.readlink(descriptor))
    return found


async def download_too_much(copies, progress=None):
    """Download one block more than there is: it never ends by itself."""
    await aio.download(copies[0], 0, NR_BLOCKS + 1, progress=progress)


def cut_when_half_is_there(progress: aio.Progress) -> None:
    if progress.blocks > NR_BLOCKS // 2:
        cut()


def check_nothing_is_left(directory, port):
    """Fail unless the server is gone and the stores can be opened by somebody else."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with Corestore(directory / "creator") as creator, Corestore(directory / "downloader") as downloader:
        original = creator.get(name="core 0")
        copy = downloader.get(key=original.key)
        assert copy.audit() == []
        assert 0 <= copy.length <= original.length == NR_BLOCKS


def run_until_cut(directory, fetch):
    """Fetch until it is cut short, and fail if anything is left of it."""
    before = open_files()
    ports = []

    def run():
        with exchange_of(directory, [equal_blocks(NR_BLOCKS, 1000)]) as exchange:
            ports.append(exchange.server.port)
            exchange.run(fetch)

    with pytest.raises(Cut):
        run()
    assert open_files() == before
    check_nothing_is_left(directory, *ports)


def test_nothing_is_left_of_a_download_that_is_cut_short_where_blocks_arrive(tmp_path):
    run_until_cut(tmp_path, lambda copies: download_too_much(copies, cut_when_half_is_there))


@pytest.mark.parametrize("milliseconds", range(1, 21))
def test_nothing_is_left_of_a_download_that_is_cut_short_at_any_time(tmp_path, milliseconds):
    async def download(copies):
        # Not by a signal: what that raises in the middle of asyncio's own work, asyncio may swallow.
        asyncio.get_running_loop().call_later(milliseconds / 1000, cut)
        await download_too_much(copies)

    run_until_cut(tmp_path, download)


def test_a_download_whose_connection_ends_fails_at_once(tmp_path):
    async def lose_connection(copies):
        for connection in exchange.server.connections:
            connection.abort()
        await download_too_much(copies)

    with exchange_of(tmp_path, [equal_blocks(NR_BLOCKS, 10)]) as exchange, pytest.raises(ConnectionLost):
        exchange.run(lose_connection)


def run_complete(directory, run):
    """Run something on an exchange that has to be complete at its end."""
    with complete_exchange_of(directory, [equal_blocks(NR_BLOCKS, 10)]) as exchange:
        run(exchange)


def damage_a_block(exchange):
    downloading(NR_BLOCKS)(exchange)
    (copy,) = exchange.copies()
    batch = copy.state.store.batch()
    batch.put(copy.state.keys.block + bytes([7]), b"b" * 10)
    batch.write()


def test_a_complete_copy_passes_the_checks(tmp_path):
    run_complete(tmp_path, downloading(NR_BLOCKS))


@pytest.mark.parametrize(
    "run",
    [downloading(0), downloading(NR_BLOCKS - 1), damage_a_block],
    ids=["nothing-came", "one-missing", "another-block"],
)
def test_a_copy_that_is_not_complete_and_right_fails_the_experiment(tmp_path, run):
    with pytest.raises(AssertionError):
        run_complete(tmp_path, run)


def test_random_blocks_are_the_same_every_time_and_all_different():
    blocks = list(random_blocks(10, 100))
    assert blocks == list(random_blocks(10, 100))
    assert len(set(blocks)) == 10
    assert {len(block) for block in blocks} == {100}
