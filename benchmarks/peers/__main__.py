"""Compares this package with the JavaScript reference and prints a table: that of the README, by default.

Both sides do the same work on this machine, in child processes that take turns; each measures only its loop
of operations. What they wrote and read has to be the same, down to the hash over all blocks. The reference
is installed with npm at the first use.

`replication` compares instead how fast cores are downloaded, over TCP on this machine. `scale` measures what
has to hold for a core and a bee of a million blocks, on this package alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers import claims, comparison, environment, ours, replication, scale
from benchmarks.peers.comparison import Comparison
from benchmarks.peers.experiments import TABLE, Experiment, Size, choose
from benchmarks.peers.javascript import NodeError, install
from benchmarks.peers.running import RunError, compare, ours_command, reference_command
from benchmarks.peers.tables import Row, markdown_table, text_table
from hypercore.errors import HypercoreError

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class _Suite:
    """What makes one table: its experiments, their operations by name, and the program of each side."""

    table: Sequence[Experiment]
    operations: Mapping[str, Callable[..., object]]
    module: str
    script: str


_LOCAL = _Suite(TABLE, ours.OPERATIONS, "ours", "reference.mjs")
_REPLICATION = _Suite(replication.TABLE, replication.OPERATIONS, "replication", "replication.mjs")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, or 1 when a side failed."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "scale":
            _measure_scale(options)
        else:
            _compare(options, _REPLICATION if options.command == "replication" else _LOCAL)
    except (HypercoreError, NodeError, RunError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _compare(options: argparse.Namespace, suite: _Suite) -> None:
    install(_HERE)
    experiments = choose(options.experiments, options.blocks, options.block_size, table=suite.table)
    comparisons = [
        _compare_one(experiment, options.pairs, suite, f"[{number}/{len(experiments)}]")
        for number, experiment in enumerate(experiments, 1)
    ]
    reference = environment.reference()
    document = {"reference": reference, "comparisons": [each.as_json() for each in comparisons]}
    _write(options, document, comparison.HEADER, [each.as_row() for each in comparisons])
    if options.markdown:
        print(_legend(options.pairs, experiments, suite, reference))


def _legend(
    pairs: int, experiments: Iterable[Experiment], suite: _Suite, reference: Mapping[str, str]
) -> str:
    """Return what to know about a table, in Markdown."""
    here = environment.machine()
    versions = ", ".join(f"{name} {version}" for name, version in reference.items())
    operations = dict.fromkeys(experiment.operation for experiment in experiments)
    return "\n".join(
        [
            "",
            *(f"* `{name}`: {suite.operations[name].__doc__}" for name in operations),
            "",
            f"Medians over {pairs} pairs of runs; {here['processors']}; Python {here['python']}; {versions}.",
        ]
    )


def _compare_one(experiment: Experiment, pairs: int, suite: _Suite, progress: str) -> Comparison:
    return compare(
        experiment,
        pairs,
        reference=reference_command(suite.script),
        ours=ours_command(suite.module),
        report=lambda line: _report(f"{progress} {line}"),
    )


def _measure_scale(options: argparse.Namespace) -> None:
    size = Size(
        options.blocks or scale.DEFAULT_SIZE.blocks, options.block_size or scale.DEFAULT_SIZE.block_size
    )
    measured = scale.measure(size, _report, options.claims)
    document = {"claims": [claim.as_json() for claim in measured]}
    _write(options, document, claims.HEADER, [claim.as_row() for claim in measured])


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _write(options: argparse.Namespace, document: dict[str, Any], header: Row, rows: Sequence[Row]) -> None:
    """Print the table, and write the document to the file that was asked for."""
    if options.json:
        options.json.write_text(json.dumps({"machine": environment.machine(), **document}, indent=2) + "\n")
    print(markdown_table(header, rows) if options.markdown else text_table(header, rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_epilog(_LOCAL),
    )
    parser.set_defaults(pairs=5)
    _add_comparing_options(parser, _LOCAL)
    commands = parser.add_subparsers(dest="command", title="instead of that")
    _add_comparing_options(
        _add_command(
            commands,
            "replication",
            "compare how fast cores are downloaded",
            "Compares how fast cores are downloaded, over TCP on this machine.",
            epilog=_epilog(_REPLICATION),
        ),
        _REPLICATION,
    )
    of_scale = _add_command(
        commands,
        "scale",
        "measure what has to hold for a core and a bee of a million blocks",
        scale.__doc__ or "",
    )
    of_scale.add_argument(
        "--claims",
        type=_names(scale.CLAIMS),
        default=list(scale.CLAIMS),
        metavar="NAME,NAME",
        help=f"what to measure, of {', '.join(scale.CLAIMS)} (default: all)",
    )
    _add_common_options(of_scale, str(scale.DEFAULT_SIZE.blocks), str(scale.DEFAULT_SIZE.block_size))
    return parser


def _add_command(
    commands: Any, name: str, summary: str, description: str, epilog: str | None = None
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,  # a default would replace what stands before the command
    )
    return parser


def _add_comparing_options(parser: argparse.ArgumentParser, suite: _Suite) -> None:
    parser.add_argument(
        "--pairs",
        type=_positive,
        metavar="N",
        help="runs of each side for each experiment (default: 5)",
    )
    parser.add_argument(
        "--experiments",
        type=_names(suite.operations),
        metavar="NAME,NAME",
        help="what to compare (default: all)",
    )
    _add_common_options(parser, "those of the table", "that of the table")


def _add_common_options(parser: argparse.ArgumentParser, blocks: str, block_size: str) -> None:
    parser.add_argument(
        "--blocks",
        type=_positive,
        metavar="N",
        help=f"blocks, or entries, of every run (default: {blocks})",
    )
    parser.add_argument(
        "--block-size",
        type=_positive,
        metavar="BYTES",
        help=f"size of every block, and of the value of an entry (default: {block_size})",
    )
    parser.add_argument("--markdown", action="store_true", help="print the table as GitHub's Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures to this file")


def _epilog(suite: _Suite) -> str:
    width = max(map(len, suite.operations))
    return "\n".join(
        [
            "experiments:",
            *(f"  {name.ljust(width)}  {run.__doc__}" for name, run in suite.operations.items()),
            "",
            "reference/ours: how many times as fast this package is, the median over the pairs.",
        ]
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number of at least 1 is wanted, found {text!r}")
    return int(text)


def _names(known: Iterable[str]) -> Callable[[str], list[str]]:
    """Return the type of an argument that is some names of those that are known."""

    def parse(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"no {name!r}; there are {', '.join(known)}")
        return names

    return parse


if __name__ == "__main__":
    raise SystemExit(main())
