"""The command line in the process of the tests, and stores to use it on."""

import io
import sys
from dataclasses import dataclass

import pytest

from hypercore import Corestore, KeyPair
from hypercore.cli import main


@dataclass
class Outcome:
    """What a command left behind."""

    exit_code: object
    out: bytes
    err: str

    @property
    def lines(self):
        return self.out.decode().splitlines()


@pytest.fixture
def cli(monkeypatch, capsysbinary):
    """Runs a command with these arguments and this stdin, bytes or a file; stderr may be a terminal."""

    def run(*arguments, stdin=b"", terminal=False):
        raw = io.BytesIO(stdin) if isinstance(stdin, bytes) else stdin
        monkeypatch.setattr(sys, "stdin", raw and io.TextIOWrapper(raw))
        monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
        try:
            exit_code: object = main([str(argument) for argument in arguments])
        except SystemExit as end:
            exit_code = end.code
        out, err = capsysbinary.readouterr()
        return Outcome(exit_code, out, err.decode())

    return run


@pytest.fixture
def path(tmp_path):
    """A directory with a Corestore: first a core 'log' of three blocks, then one without a name of two."""
    path = tmp_path / "data"
    with Corestore(path) as store:
        store.get(name="log").append([b"a", b"bc", b"\xff\n"])
        store.get(key_pair=KeyPair.generate()).append([b"x", b"y"])
    return path


@pytest.fixture
def ids(path):
    """The ids of the cores in it, in that order."""
    with Corestore(path) as store:
        log = store.get(name="log")
        return [log.id, next(store.get(key=key).id for key in store.cores() if key != log.key)]
