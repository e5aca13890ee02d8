"""Measures how fast this package is and prints three tables: those of the README, by default.

`compare` and `replication`: beside the JavaScript reference, on a store and over TCP on this machine. Both
sides do the same work here, in child processes that take turns; each measures only its loop of operations.
What they wrote and read has to be the same, down to the hash over all blocks. The reference is installed with
npm at the first use.

`scale`: what has to hold for a core and a bee of a million blocks, on this package alone.
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
_SCALE = "scale"

TOO_SLOW = 3
"""The exit code of --check when a figure is worse than it may be; argparse has 2."""


@dataclass(frozen=True, slots=True)
class _Suite:
    """What makes one table: its experiments, their operations by name, and the program of each side."""

    table: Sequence[Experiment]
    operations: Mapping[str, Callable[..., object]]
    module: str
    script: str


_SUITES = {
    "compare": _Suite(TABLE, ours.OPERATIONS, "ours", "reference.mjs"),
    "replication": _Suite(replication.TABLE, replication.OPERATIONS, "replication", "replication.mjs"),
}
_OPERATIONS = {name: run for suite in _SUITES.values() for name, run in suite.operations.items()}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0, or 1 when a side failed, or TOO_SLOW when --check finds a figure that is worse than it may be.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    document: dict[str, Any] = {"machine": environment.machine()}
    comparisons: list[Comparison] = []
    measured: list[claims.Claim] = []
    try:
        _save(options, document)  # before anything is measured for it in vain
        for position, name in enumerate(_parts(parser, options)):
            if position:
                print()
            if name == _SCALE:
                measured = _measure_scale(options)
                document["claims"] = [claim.as_json() for claim in measured]
            else:
                comparisons += _compare(options, _SUITES[name])
                document["reference"] = environment.reference()
                document["comparisons"] = [each.as_json() for each in comparisons]
            _save(options, document)
    except (HypercoreError, NodeError, RunError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    worse = _worse(comparisons, measured) if options.check else []
    for line in worse:
        print(f"error: {line}", file=sys.stderr)
    return TOO_SLOW if worse else 0


def _worse(comparisons: Iterable[Comparison], measured: Iterable[claims.Claim]) -> list[str]:
    """Return a line for each figure that is worse than it may be."""
    too_slow = [
        f"{each.experiment}: {each.ratio:.2f} times as fast as the reference, "
        f"{each.experiment.at_least:g} is the least"
        for each in comparisons
        if each.is_too_slow
    ]
    broken = [
        f"{claim.name}: {claim.measured:.2f} {claim.unit}, {claim.limit:g} {claim.unit} is the most"
        for claim in measured
        if not claim.holds
    ]
    return too_slow + broken


def _save(options: argparse.Namespace, document: Mapping[str, Any]) -> None:
    if options.json:
        options.json.write_text(json.dumps(document, indent=2) + "\n")


def _parts(parser: argparse.ArgumentParser, options: argparse.Namespace) -> list[str]:
    """Return what to do, given the part and the experiments that were asked for."""
    if options.part is not None:
        parts = [options.part]
    elif options.experiments is None:
        parts = [*_SUITES, _SCALE]
    else:
        parts = [name for name, suite in _SUITES.items() if _chosen(options, suite)]
    known = [name for part in parts if part in _SUITES for name in _SUITES[part].operations]
    for name in options.experiments or ():
        if name not in known:
            parser.error(f"no {name!r} in {options.part}; there are {', '.join(known) or 'none'}")
    return parts


def _chosen(options: argparse.Namespace, suite: _Suite) -> list[str] | None:
    """Return the chosen experiments of a suite, None if all are."""
    if options.experiments is None:
        return None
    return [name for name in options.experiments if name in suite.operations]


def _compare(options: argparse.Namespace, suite: _Suite) -> list[Comparison]:
    install(_HERE)
    experiments = choose(_chosen(options, suite), options.blocks, options.block_size, table=suite.table)
    comparisons = [
        _compare_one(experiment, options.pairs, suite, f"[{number}/{len(experiments)}]")
        for number, experiment in enumerate(experiments, 1)
    ]
    _print_table(options, comparison.HEADER, [each.as_row() for each in comparisons])
    if options.markdown:
        print(_legend(options.pairs, experiments, suite))
    return comparisons


def _legend(pairs: int, experiments: Iterable[Experiment], suite: _Suite) -> str:
    """Return what to know about a table, in Markdown."""
    here = environment.machine()
    versions = ", ".join(f"{name} {version}" for name, version in environment.reference().items())
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


def _measure_scale(options: argparse.Namespace) -> list[claims.Claim]:
    size = Size(
        options.blocks or scale.DEFAULT_SIZE.blocks, options.block_size or scale.DEFAULT_SIZE.block_size
    )
    measured = scale.measure(size, _report, options.claims)
    _print_table(options, claims.HEADER, [claim.as_row() for claim in measured])
    return measured


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print_table(options: argparse.Namespace, header: Row, rows: Sequence[Row]) -> None:
    print(markdown_table(header, rows) if options.markdown else text_table(header, rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_epilog(),
    )
    parser.add_argument(
        "part",
        nargs="?",
        choices=[*_SUITES, _SCALE],
        help="the only part to do; by default all, and with --experiments only these",
    )
    parser.add_argument(
        "--pairs",
        type=_positive,
        default=5,
        metavar="N",
        help="runs of each side for each experiment (default: 5)",
    )
    parser.add_argument(
        "--experiments", type=_names(_OPERATIONS), metavar="NAME,NAME", help="what to compare (default: all)"
    )
    parser.add_argument(
        "--claims",
        type=_names(scale.CLAIMS),
        default=list(scale.CLAIMS),
        metavar="NAME,NAME",
        help=f"what scale measures, of {', '.join(scale.CLAIMS)} (default: all)",
    )
    parser.add_argument(
        "--blocks",
        type=_positive,
        metavar="N",
        help="blocks, entries or files of every run "
        f"(default: those of the table; {scale.DEFAULT_SIZE.blocks})",
    )
    parser.add_argument(
        "--block-size",
        type=_positive,
        metavar="BYTES",
        help="size of every block or file, and of the value of an entry "
        f"(default: that of the table; {scale.DEFAULT_SIZE.block_size})",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help=f"exit with {TOO_SLOW} when a claim does not hold, or an experiment, at a size of the table, is "
        "much slower than the README says, beside the reference in the same run",
    )
    parser.add_argument("--markdown", action="store_true", help="print tables as GitHub's Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures to this file")
    return parser


def _epilog() -> str:
    width = max(map(len, _OPERATIONS))
    return "\n".join(
        [
            "experiments:",
            *(f"  {name.ljust(width)}  {run.__doc__}" for name, run in _OPERATIONS.items()),
            "",
            "reference/ours: how many times as fast this package is, the median over the pairs;",
            "us/op: microseconds per block, entry or file, the medians.",
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
