"""What the commands have in common on the command line: how one is added, exit codes, options, counts."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from hypercore.errors import BadArgument
from hypercore.ids import decode_id

OK, FAILED = 0, 1
INTERRUPTED = 130
"""What a shell reports for a process that Ctrl-C ended."""

Run = Callable[[argparse.Namespace], int]
"""A command: takes its options, returns the exit code."""

FORMATTER = argparse.RawDescriptionHelpFormatter
"""How help looks: descriptions and examples keep their lines."""


class _CommandParser(argparse.ArgumentParser):
    """Lets options stand between PATH and TEXT; argparse by itself would then not take the TEXT any more."""

    _is_parsing = False

    # The annotations would be those of argparse, in three overloads.
    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        # A parser of commands calls this for the rest of the line, and intermixed parsing for parts of that.
        if self._is_parsing or self._subparsers is not None:
            return super().parse_known_args(args, namespace)
        self._is_parsing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_parsing = False


class Commands:
    """The commands that a parser has; a group of commands is a command whose parser has some itself."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parsers = parser.add_subparsers(
            title="commands", metavar="COMMAND", required=True, parser_class=_CommandParser
        )

    def add(
        self, name: str, run: Run, *, summary: str, description: str, epilog: str
    ) -> argparse.ArgumentParser:
        """Add a command and return its parser, which still needs the arguments.

        ``options.usage_error(message)`` ends the program when options do not go together.
        """
        parser = self._parsers.add_parser(
            name, help=summary, description=description, epilog=epilog, formatter_class=FORMATTER
        )
        parser.set_defaults(run=run, usage_error=parser.error)
        return parser

    def add_group(self, name: str, *, summary: str, description: str, epilog: str) -> Commands:
        """Add a command that has commands itself."""
        return Commands(
            self._parsers.add_parser(
                name, help=summary, description=description, epilog=epilog, formatter_class=FORMATTER
            )
        )


def add_path(parser: argparse.ArgumentParser) -> None:
    """Add the argument PATH."""
    parser.add_argument(
        "path", type=disk_path, metavar="PATH", help="directory of a Corestore or of a Hypercore by itself"
    )


def add_core_choice(parser: argparse.ArgumentParser, default: str = "the oldest core") -> None:
    """Add the options --core and --name; ``default`` says what it is without them."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--core", type=core_id, metavar="ID", help="the core with that id")
    choice.add_argument(
        "--name", type=_name, help=f"the core that a Corestore knows by that name (default: {default})"
    )


def some(what: str) -> Callable[[str], str]:
    """Return the type of an argument that must not be empty, as a variable is that is not set."""

    def check(text: str) -> str:
        if not text:
            raise argparse.ArgumentTypeError(f"{what} has at least one character")
        return text

    return check


def disk_path(text: str) -> Path:
    """Return a path on disk, as the type of an argument.

    An empty one would be the working directory: to write to, or to prune.
    """
    return Path(some("a path")(text))


def core_id(text: str) -> bytes:
    """Return the key of an id, as the type of an argument."""
    try:
        return decode_id(text)
    except BadArgument as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def whole_number(smallest: int, largest: int | None = None) -> Callable[[str], int]:
    """Return the type of an argument that is a whole number."""
    wanted = f"from {smallest} on" if largest is None else f"from {smallest} to {largest}"

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = smallest - 1
        if number < smallest or (largest is not None and number > largest):
            raise argparse.ArgumentTypeError(f"expected a whole number {wanted}, found {text!r}")
        return number

    return parse


def _name(text: str) -> str:
    return utf8(some("a name")(text))


def utf8(text: str) -> str:
    """Return a text that can be stored, as the type of an argument: the shell passes on any bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"expected text in UTF-8, found {text!r}") from None
    return text


def counted(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def byte_size(count: int) -> str:
    """Return a number of bytes as people read it."""
    if count < 1000:
        return f"{count} B"
    size, units = count / 1000, ["TB", "GB", "MB", "kB"]
    while size >= 999.95 and len(units) > 1:
        size /= 1000
        units.pop()
    return f"{size:.1f} {units[-1]}"


def printable(text: str) -> str:
    """Return a text on one line, without anything that a terminal would obey."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
