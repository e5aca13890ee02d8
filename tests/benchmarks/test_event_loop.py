"""The event loop of an experiment: whatever is raised in it ends the run, and nothing is left behind."""

import asyncio
import gc
import signal
import socket

import pytest

from benchmarks.event_loop import event_loop


class Cut(BaseException):
    """What a timeout raises: no Exception, so that nobody takes it for an error of the experiment."""


def cut(*_: object) -> None:
    raise Cut


def by_callback() -> None:
    asyncio.get_running_loop().call_soon(cut)


def by_protocol() -> None:
    """Raise where a connection is told that something has arrived."""
    ours, theirs = socket.socketpair()
    protocol = type("Protocol", (asyncio.Protocol,), {"data_received": cut})
    loop = asyncio.get_running_loop()
    connecting = loop.create_task(loop.create_connection(protocol, sock=ours))
    connecting.add_done_callback(lambda _: theirs.close())
    theirs.send(b"x")


def by_forgotten_task() -> None:
    async def fail() -> None:
        cut()

    asyncio.get_running_loop().create_task(fail())


def by_signal() -> None:
    """Raise while the loop waits for something to happen."""
    signal.setitimer(signal.ITIMER_REAL, 0.01)


@pytest.fixture(autouse=True)
def _alarm():
    before = signal.signal(signal.SIGALRM, cut)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


async def nothing() -> None:
    """A run that ends at once."""


def test_a_run_returns_what_its_coroutine_returns():
    async def answer() -> int:
        return 7

    with event_loop() as loop:
        assert loop.run(answer()) == 7


def test_runs_share_their_tasks():
    async def begin() -> asyncio.Task[str]:
        return asyncio.get_running_loop().create_task(asyncio.sleep(0, "done"))

    async def finish(task: asyncio.Task[str]) -> str:
        return await task

    with event_loop() as loop:
        assert loop.run(finish(loop.run(begin()))) == "done"


@pytest.mark.parametrize("raise_soon", [cut, by_callback, by_protocol, by_forgotten_task, by_signal])
def test_whatever_is_raised_in_the_loop_ends_the_run(raise_soon):
    ended = []

    async def wait_for_ever() -> None:
        try:
            raise_soon()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # closing may take a while
            ended.append(True)

    with event_loop() as loop:
        with pytest.raises(Cut):
            loop.run(wait_for_ever())
        assert ended == [True]
        loop.run(nothing())


def test_an_error_without_an_exception_ends_the_run_with_its_message():
    async def complain() -> None:
        asyncio.get_running_loop().call_exception_handler({"message": "a message"})
        await asyncio.Event().wait()

    with event_loop() as loop, pytest.raises(RuntimeError, match="a message"):
        loop.run(complain())


def test_the_end_cancels_all_that_still_runs():
    ended = []

    async def stream():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            ended.append("stream")

    async def task() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("task")

    async def begin() -> object:
        tasks.append(asyncio.get_running_loop().create_task(task()))
        numbers = stream()
        await anext(numbers)
        return numbers

    tasks: list[object] = []
    with event_loop() as loop:
        begun = loop.run(begin())
    gc.collect()
    assert begun is not None
    assert sorted(ended) == ["stream", "task"]
