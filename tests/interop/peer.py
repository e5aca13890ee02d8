"""Talks to a Node process that runs the JavaScript packages."""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from types import TracebackType
from typing import Any

from benchmarks.peers.javascript import find_node, install
from tests.loops import HANG_S

HERE = Path(__file__).parent


class PeerError(Exception):
    """The JavaScript side failed; the message holds its stack or what it printed."""


class Peer:
    """A running peer.mjs. Packages are installed first where that is needed."""

    def __init__(self) -> None:
        install(HERE)
        self._errors = TemporaryFile()  # noqa: SIM115 (closed in __exit__)
        self._process = subprocess.Popen(
            [*find_node(), str(HERE / "peer.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
        )

    def __call__(self, command: str, **parameters: Any) -> Any:
        """Send a command and return its result."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"command": command, **parameters}) + "\n")
        stdin.flush()
        watchdog = Timer(HANG_S, self._process.kill)
        watchdog.start()
        line = stdout.readline()
        watchdog.cancel()
        if not line:
            self._errors.seek(0)
            raise PeerError(f"node ended during {command}:\n{self._errors.read().decode(errors='replace')}")
        reply = json.loads(line)
        if "error" in reply:
            raise PeerError(f"{command} failed in node:\n{reply['error']}")
        return reply["result"]

    def __enter__(self) -> "Peer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process, self._errors:
            if self._process.stdin is not None:
                self._process.stdin.close()
