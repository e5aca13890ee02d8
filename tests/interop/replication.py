"""Replicates with a Node process whose stores, cores and connections live on between commands."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from hashlib import sha256
from tempfile import TemporaryFile
from threading import Thread
from typing import Any

from benchmarks.peers.javascript import find_node, install
from hypercore import Corestore, Hypercore, aio
from tests.interop.peer import HERE, PeerError


class Node:
    """A running replication_peer.mjs. It can be asked for several things at once, from any thread."""

    def __init__(self) -> None:
        install(HERE)
        self._errors = TemporaryFile()  # noqa: SIM115 (closed in __exit__)
        self.process = subprocess.Popen(
            [*find_node(), str(HERE / "replication_peer.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            start_new_session=True,  # what is called node may be a program that runs it
        )
        self._waiting: dict[int, tuple[str, Future[Any]]] = {}
        self._last = 0
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, command: str, **parameters: Any) -> "Future[Any]":
        """Begin a command and return what its result will be."""
        assert self.process.stdin is not None
        self._last += 1
        answer: Future[Any] = Future()
        answer.set_running_or_notify_cancel()  # it comes, even if a test that failed no longer waits for it
        self._waiting[self._last] = command, answer
        self.process.stdin.write(json.dumps({"id": self._last, "command": command, **parameters}) + "\n")
        self.process.stdin.flush()
        return answer

    async def __call__(self, command: str, **parameters: Any) -> Any:
        """Do a command and return its result; something that lives on is a Remote."""
        result = await asyncio.wrap_future(self.ask(command, **parameters))
        if isinstance(result, dict) and "handle" in result:
            return Remote(self, result.pop("handle"), result)
        return result

    def signal(self, number: int) -> None:
        """Send a signal to Node, and to whatever runs it."""
        os.killpg(self.process.pid, number)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            reply = json.loads(line)
            command, answer = self._waiting.pop(reply["id"])
            if "error" in reply:
                answer.set_exception(PeerError(f"{command} failed in node:\n{reply['error']}"))
            else:
                answer.set_result(reply["result"])
        self._errors.seek(0)
        printed = self._errors.read().decode(errors="replace")
        for command, answer in self._waiting.values():
            answer.set_exception(PeerError(f"node ended during {command}:\n{printed}"))

    def __enter__(self) -> "Node":
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:
            assert self.process.stdin is not None
            self.process.stdin.close()
        self._reader.join()
        self._errors.close()


class Remote:
    """Something in the Node process: a store, a core, a server, a connection; called with a command to it."""

    def __init__(self, node: Node, handle: int, about: dict[str, Any]) -> None:
        self._node = node
        self._handle = handle
        self.about = about

    async def __call__(self, command: str, **parameters: Any) -> Any:
        return await self._node(command, on=self._handle, **parameters)

    @property
    def handle(self) -> int:
        """What it is called by in the parameters of other commands."""
        return self._handle

    @property
    def key(self) -> bytes:
        """The key of a core."""
        return bytes.fromhex(self.about["key"])


@asynccontextmanager
async def linked(
    ours: Corestore | Hypercore, theirs: Remote, *, we_dial: bool = True, we_initiate: bool = True
) -> AsyncIterator[aio.PeerConnection]:
    """Connect a source here with one in Node, and see to it that neither side complains."""
    errors: list[Exception] = []
    if we_dial:
        server = await theirs("serve", isInitiator=not we_initiate)
        port = server.about["port"]
        connecting = aio.connect(ours, "127.0.0.1", port, is_initiator=we_initiate, report=errors.append)
        async with await connecting as connection:
            yield connection
    else:
        async with await aio.serve(ours, is_initiator=we_initiate, report=errors.append) as listening:
            await theirs("connect", port=listening.port, isInitiator=not we_initiate)
            (connection,) = listening.connections
            await connection.opened()
            yield connection
    assert connection.error is None
    assert not errors


async def until(condition: Callable[[], bool], core: Hypercore) -> None:
    """Wait until a condition holds that can change with the core."""
    changed = asyncio.Event()
    end = core.on_change(changed.set)
    try:
        while not condition():
            changed.clear()
            await changed.wait()
    finally:
        end()


async def reached(core: Hypercore, fork: int, length: int) -> None:
    """Wait until a core has a fork and a length."""
    await until(lambda: (core.fork, core.length) == (fork, length), core)


def block(index: int, size: int) -> bytes:
    """Return the block that Node appends as number ``index`` where only a size is given."""
    pattern = b"%d:" % index
    return (pattern * (size // len(pattern) + 1))[:size]


def digest(blocks: Iterable[bytes]) -> str:
    """Return what the command ``digest`` tells of blocks."""
    sha = sha256()
    for each in blocks:
        sha.update(b"%d:" % len(each))
        sha.update(each)
    return sha.hexdigest()


def complete(core: Hypercore) -> bool:
    """Return whether a core has all its blocks and they verify."""
    return core.contiguous_length == core.length and core.verify() and not core.audit()
