"""``bee``: what is in a Hyperbee, and what was.

One line for each entry, its parts with tabs between them. Which encodings a bee has is not stored: keys and
values are shown as the text they mostly are, with escapes for all else, or in hex.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hypercore.cli.commands import (
    FAILED,
    OK,
    Commands,
    add_core_choice,
    add_path,
    counted,
    printable,
    whole_number,
)
from hypercore.cli.stores import open_core, open_first
from hypercore.core import Hypercore
from hypercore.errors import BadArgument, BlockNotAvailable
from hypercore.hyperbee import Entry, Hyperbee

_BOUNDS = {"gt": "above KEY", "gte": "from KEY on", "lt": "below KEY", "lte": "up to KEY"}


def add_to(commands: Commands) -> None:
    """Add the commands."""
    group = commands.add_group(
        "bee",
        summary="look into a Hyperbee",
        description="Look into a Hyperbee: its entries as they are or were, and how they came to be.\n"
        "Version N is the bee after its block N - 1; in the middle of a batch there is no version.",
        epilog="examples:\n  python -m hypercore bee ls ./data\n  python -m hypercore bee diff ./data 7 12",
    )
    _add_ls(group)
    _add_get(group)
    _add_history(group)
    _add_diff(group)


def _add_ls(group: Commands) -> None:
    parser = group.add(
        "ls",
        _run_ls,
        summary="print entries in the order of their keys",
        description="Print entries in the order of their keys: seq, key and value.",
        epilog="examples:\n"
        "  python -m hypercore bee ls ./data --name res-bee --limit 10\n"
        "  python -m hypercore bee ls ./data --gte user/ --lt user0 --reverse --json",
    )
    _add_common(parser)
    _add_version(parser)
    _add_bounds(parser)
    parser.add_argument("--reverse", action="store_true", help="from the last key to the first")
    _add_limit(parser, "entries")


def _add_get(group: Commands) -> None:
    parser = group.add(
        "get",
        _run_get,
        summary="print the value of a key",
        description="Print the value of a key. It ends with exit code 1 when the bee does not have the key.",
        epilog="examples:\n"
        "  python -m hypercore bee get ./data user/7\n"
        "  python -m hypercore bee get ./data user/7 --version 12 --json",
    )
    _add_common(parser)
    parser.add_argument("key", metavar="KEY", help="text, or hex with --hex")
    _add_version(parser)


def _add_history(group: Commands) -> None:
    parser = group.add(
        "history",
        _run_history,
        summary="print all operations in the order they were done",
        description="Print puts and deletes in the order they were done: put or del, seq, key and value.\n"
        "Those whose blocks are not here, cleared or never downloaded, are counted at the end.",
        epilog="examples:\n"
        "  python -m hypercore bee history ./data --reverse --limit 10\n"
        "  python -m hypercore bee history ./data --start 100",
    )
    _add_common(parser)
    parser.add_argument("--start", type=whole_number(1), default=1, metavar="SEQ", help="first (default: 1)")
    parser.add_argument("--end", type=whole_number(1), metavar="SEQ", help="to stop in front of")
    parser.add_argument("--reverse", action="store_true", help="from the latest to the first")
    _add_limit(parser, "operations")


def _add_diff(group: Commands) -> None:
    parser = group.add(
        "diff",
        _run_diff,
        summary="print what changed between two versions",
        description="Print what changed from a version to a later or earlier one, in the order of the keys:\n"
        "- with the entry that went or was replaced, + with the one that came; seq, key and value.",
        epilog="examples:\n"
        "  python -m hypercore bee diff ./data 7\n"
        "  python -m hypercore bee diff ./data 7 12",
    )
    _add_common(parser)
    parser.add_argument("left", type=whole_number(1), metavar="FROM", help="a version")
    parser.add_argument(
        "right", type=whole_number(1), nargs="?", metavar="TO", help="a version (default: the newest)"
    )
    _add_bounds(parser)
    _add_limit(parser, "keys")


def _add_common(parser: argparse.ArgumentParser) -> None:
    add_path(parser)
    add_core_choice(parser, "the oldest core that is a Hyperbee")
    parser.add_argument(
        "--sub",
        action="append",
        default=[],
        metavar="PREFIX",
        help="only the sub with that prefix; again for a sub of it",
    )
    parser.add_argument("--hex", action="store_true", help="keys and values in hex, also those of options")
    parser.add_argument("--json", action="store_true", help="one JSON object for each line")


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--version", type=whole_number(1), metavar="N", help="the bee as it was then (default: as it is)"
    )


def _add_bounds(parser: argparse.ArgumentParser) -> None:
    for name, which in _BOUNDS.items():
        parser.add_argument(f"--{name}", metavar="KEY", help=f"only keys {which}")


def _add_limit(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--limit", type=whole_number(0), metavar="N", help=f"at most so many {what}")


# --- running ------------------------------------------------------------------------------------------------


def _run_ls(options: argparse.Namespace) -> int:
    show = _shower(options)
    with _opened(options) as bee:
        at = _checkout(options, bee, options.version)
        for entry in at.items(**_bounds(options), reverse=options.reverse, limit=options.limit):
            show({}, entry)
    return OK


def _run_get(options: argparse.Namespace) -> int:
    with _opened(options) as bee:
        entry = _checkout(options, bee, options.version).get(_raw(options, options.key))
    if entry is None:
        print(f"error: there is no key {printable(options.key)}", file=sys.stderr)
        return FAILED
    if options.json:
        _shower(options)({}, entry)
    else:
        print(_text(options, entry.value))
    return OK


def _run_history(options: argparse.Namespace) -> int:
    show = _shower(options)
    missing = 0
    with _opened(options) as bee:
        end = bee.version if options.end is None else min(options.end, bee.version)
        seqs = range(options.start, end)
        left = len(seqs) if options.limit is None else options.limit
        for seq in reversed(seqs) if options.reverse else seqs:
            if left == 0:
                break
            if not bee.core.has(seq):
                missing += 1
                continue
            for operation in bee.history(gte=seq, lte=seq):  # none when it is outside of the sub
                show({"type": operation.type}, Entry(operation.seq, operation.key, operation.value))
                left -= 1
    if missing:
        print(f"{counted(missing, 'block')} not stored here, cleared or never downloaded", file=sys.stderr)
    return OK


def _run_diff(options: argparse.Namespace) -> int:
    show = _shower(options)
    with _opened(options) as bee:
        left = _checkout(options, bee, options.left)
        right = _checkout(options, bee, options.right)
        for difference in left.diff(right, **_bounds(options), limit=options.limit):
            for sign, entry in (("-", difference.left), ("+", difference.right)):
                if entry is not None:
                    show({"sign": sign}, entry)
    return OK


@contextmanager
def _opened(options: argparse.Namespace) -> Iterator[Hyperbee]:
    """Open the bee, or its sub, that the options choose."""
    if options.core is None and options.name is None:
        core = open_first(options.path, _is_bee, "Hyperbee")
    else:
        core = open_core(options.path, key=options.core, name=options.name)
    with Hyperbee(core, read_only=True) as bee:
        if core.has(0) and not _is_bee(core):
            raise BadArgument(f"{options.path}: core {core.id} is not a Hyperbee")
        part = bee
        for prefix in options.sub:
            part = part.sub(_raw(options, prefix))
        yield part


def _is_bee(core: Hypercore) -> bool:
    try:
        return Hyperbee.is_hyperbee(core)
    except BlockNotAvailable:
        return False


def _checkout(options: argparse.Namespace, bee: Hyperbee, version: int | None) -> Hyperbee:
    if version is None:
        return bee.snapshot()
    if version > bee.version:
        options.usage_error(f"the newest version of the bee is {bee.version}, not {version}")
    return bee.checkout(version)


def _bounds(options: argparse.Namespace) -> dict[str, bytes | None]:
    texts = {name: getattr(options, name) for name in _BOUNDS}
    return {name: None if text is None else _raw(options, text) for name, text in texts.items()}


def _raw(options: argparse.Namespace, text: str) -> bytes:
    """Return the bytes that an argument means."""
    if not options.hex:
        return text.encode(errors="surrogateescape")  # whatever bytes the shell passed on
    try:
        return bytes.fromhex(text)
    except ValueError:
        options.usage_error(f"expected hex, found {printable(text)!r}")
        raise


def _text(options: argparse.Namespace, raw: bytes | None) -> str:
    """Return what stands for bytes on a line."""
    if raw is None:
        return ""
    return raw.hex() if options.hex else printable(raw.decode(errors="backslashreplace"))


def _shower(options: argparse.Namespace) -> Callable[[dict[str, str], Entry], None]:
    """Return what prints an entry, with what is to stand before it."""

    def show_json(before: dict[str, str], entry: Entry) -> None:
        fields = {
            name: None if raw is None else raw.hex() if options.hex else raw.decode(errors="backslashreplace")
            for name, raw in (("key", entry.key), ("value", entry.value))
        }
        print(json.dumps({**before, "seq": entry.seq, **fields}))

    def show_line(before: dict[str, str], entry: Entry) -> None:
        print(*before.values(), entry.seq, _text(options, entry.key), _text(options, entry.value), sep="\t")

    return show_json if options.json else show_line
