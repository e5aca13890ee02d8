"""The commands put together: from arguments to exit code, and errors to one line each."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from hypercore.cli import append, audit, bee, cat, clone, drive, info, serve
from hypercore.cli.commands import FAILED, FORMATTER, INTERRUPTED, OK, Commands, printable
from hypercore.errors import HypercoreError

_MODULES = (info, cat, append, audit, bee, drive, serve, clone)


def main(arguments: Sequence[str]) -> int:
    """Run a command and return the exit code.

    Raises:
        SystemExit: ``--help`` (0) or a wrong use (2).
    """
    if sys.stdout is None:
        return _fail("stdout is closed")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name or path may have characters the terminal lacks
            stream.reconfigure(errors="backslashreplace")
    exit_code = OK
    try:
        try:
            options = _parser().parse_args(arguments)
            exit_code = options.run(options)
        finally:
            sys.stdout.flush()  # what was printed comes before what went wrong
    except BrokenPipeError:
        _drop_output()  # whoever was reading has seen enough
    except KeyboardInterrupt:
        return INTERRUPTED
    except HypercoreError as error:
        return _fail(str(error))
    except OSError as error:
        _drop_output()
        return _fail(
            f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
        )
    return exit_code


def _fail(message: str) -> int:
    print(f"error: {printable(message)}", file=sys.stderr)
    return FAILED


def _drop_output() -> None:
    """Keep the interpreter from failing again when it flushes stdout at its end."""
    with suppress(io.UnsupportedOperation):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hypercore",
        formatter_class=FORMATTER,
        description="Look at a store of Hypercores, read and write its cores, and copy them from others.",
        epilog="PATH is the directory of a Corestore, or of a Hypercore by itself. Only one process\n"
        "at a time can have a store open.\n\n"
        "exit codes:\n"
        "  0  done\n"
        "  1  it did not work, or the audit found something; one line on stderr says what\n"
        "  2  a wrong option\n\n"
        "'python -m hypercore COMMAND --help' has the options of a command, with examples.",
    )
    commands = Commands(parser)
    for module in _MODULES:
        module.add_to(commands)
    return parser
