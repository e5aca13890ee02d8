"""``audit``: everything that is wrong with what is stored."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing, suppress

from hypercore.cli.commands import FAILED, OK, Commands, add_path, core_id, counted, printable
from hypercore.cli.progress import progress
from hypercore.cli.stores import StoredCore, open_database, stored_cores
from hypercore.core.audit import audit_core, blocks_to_audit
from hypercore.core.audit_store import audit_store
from hypercore.core.audit_walk import Progress
from hypercore.errors import HypercoreError


def add_to(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "audit",
        run,
        summary="check everything that is stored",
        description="Check every block against the tree, the tree against its signature, what is said to be\n"
        "stored against what is, and names against cores. What is wrong is printed, one line each\n"
        "with the core, or the store, that it is about; nothing is changed.",
        epilog="exit codes:\n"
        "  0  nothing is wrong\n"
        "  1  something is, or the store cannot be opened\n\n"
        "example:\n"
        "  python -m hypercore audit ./data && cp -r ./data ./backup",
    )
    add_path(parser)
    parser.add_argument("--core", type=core_id, metavar="ID", help="only that core, not the store")


def run(options: argparse.Namespace) -> int:
    """Print what is wrong; FAILED when anything is."""
    blocks = wrong = 0
    with closing(open_database(options.path)) as database:
        cores = stored_cores(database, options.core)
        with progress("block", lambda: sum(map(_blocks, cores))) as bar:

            def checked(count: int) -> None:
                nonlocal blocks
                blocks += count
                bar.advance(count)

            parts = [(core.label, _audit(core, checked)) for core in cores]
            if options.core is None:
                parts.insert(0, ("store", audit_store(database)))
            for label, findings in parts:
                for finding in findings:
                    wrong += 1
                    try:
                        bar.say(printable(f"{label}: {finding}"))
                    except BrokenPipeError:
                        return FAILED  # whoever was reading has seen enough; what was found counts
    verdict = f"{counted(wrong, 'thing')} wrong" if wrong else "nothing wrong"
    print(f"{counted(len(cores), 'core')}, {counted(blocks, 'block')}: {verdict}")
    return FAILED if wrong else OK


def _audit(core: StoredCore, checked: Progress) -> Iterator[str]:
    try:
        yield from audit_core(core.open(), checked)
    except HypercoreError as error:
        yield f"cannot be read: {error}"


def _blocks(core: StoredCore) -> int:
    with suppress(HypercoreError):  # the audit is going to say it
        return blocks_to_audit(core.open())
    return 0
