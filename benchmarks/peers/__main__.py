"""Measures how fast this package is and prints two tables: those of the README, by default.

`compare`: beside the JavaScript reference. Both sides do the same work on this machine, in child processes
that take turns; each measures only its loop of operations. What they wrote and read has to be the same, down
to the hash over all blocks. The reference is installed with npm at the first use.

`scale`: what has to hold for a core and a bee of a million blocks, on this package alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers import comparison, environment, scale
from benchmarks.peers.comparison import Comparison
from benchmarks.peers.experiments import Experiment, Size, choose
from benchmarks.peers.javascript import NodeError, install
from benchmarks.peers.ours import OPERATIONS
from benchmarks.peers.running import RunError, compare, ours_command, reference_command
from benchmarks.peers.tables import Row, markdown_table, text_table
from hypercore.errors import HypercoreError

_HERE = Path(__file__).parent


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, or 1 when a side failed."""
    options = _parser().parse_args(arguments)
    do_compare = options.part != "scale"
    do_scale = options.part == "scale" or (options.part is None and options.experiments is None)
    document: dict[str, Any] = {"machine": environment.machine()}
    try:
        if do_compare:
            document |= _compare(options)
        if do_compare and do_scale:
            print()
        if do_scale:
            document |= _measure_scale(options)
        if options.json:
            options.json.write_text(json.dumps(document, indent=2) + "\n")
    except (HypercoreError, NodeError, RunError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _compare(options: argparse.Namespace) -> dict[str, Any]:
    install(_HERE)
    experiments = choose(options.experiments, options.blocks, options.block_size)
    comparisons = [
        _compare_one(experiment, options.pairs, f"[{number}/{len(experiments)}]")
        for number, experiment in enumerate(experiments, 1)
    ]
    reference = environment.reference()
    _print_table(options, comparison.HEADER, [each.as_row() for each in comparisons])
    if options.markdown:
        print(_legend(options.pairs, experiments, reference))
    return {"reference": reference, "comparisons": [each.as_json() for each in comparisons]}


def _legend(pairs: int, experiments: Sequence[Experiment], reference: dict[str, str]) -> str:
    """Return what to know about a table, in Markdown."""
    here = environment.machine()
    versions = ", ".join(f"{name} {version}" for name, version in reference.items())
    operations = dict.fromkeys(experiment.operation for experiment in experiments)
    return "\n".join(
        [
            "",
            *(f"* `{name}`: {OPERATIONS[name].__doc__}" for name in operations),
            "",
            f"Medians over {pairs} pairs of runs; {here['processors']}; Python {here['python']}; {versions}.",
        ]
    )


def _compare_one(experiment: Experiment, pairs: int, progress: str) -> Comparison:
    return compare(
        experiment,
        pairs,
        reference=reference_command(),
        ours=ours_command(),
        report=lambda line: _report(f"{progress} {line}"),
    )


def _measure_scale(options: argparse.Namespace) -> dict[str, Any]:
    size = Size(
        options.blocks or scale.DEFAULT_SIZE.blocks, options.block_size or scale.DEFAULT_SIZE.block_size
    )
    claims = scale.measure(size, _report)
    _print_table(options, scale.HEADER, [claim.as_row() for claim in claims])
    return {"claims": [claim.as_json() for claim in claims]}


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print_table(options: argparse.Namespace, header: Row, rows: Sequence[Row]) -> None:
    print(markdown_table(header, rows) if options.markdown else text_table(header, rows), flush=True)


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
        choices=("compare", "scale"),
        help="the only part to do; by default both, and with --experiments only these",
    )
    parser.add_argument(
        "--pairs",
        type=_positive,
        default=5,
        metavar="N",
        help="runs of each side for each experiment (default: 5)",
    )
    parser.add_argument(
        "--experiments", type=_experiments, metavar="NAME,NAME", help="what to compare (default: all)"
    )
    parser.add_argument(
        "--blocks",
        type=_positive,
        metavar="N",
        help=f"blocks, or entries, of every run (default: those of the table; {scale.DEFAULT_SIZE.blocks:,})",
    )
    parser.add_argument(
        "--block-size",
        type=_positive,
        metavar="BYTES",
        help="size of every block, and of the value of an entry "
        f"(default: that of the table; {scale.DEFAULT_SIZE.block_size})",
    )
    parser.add_argument("--markdown", action="store_true", help="print tables as GitHub's Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures to this file")
    return parser


def _epilog() -> str:
    width = max(map(len, OPERATIONS))
    return "\n".join(
        [
            "experiments:",
            *(f"  {name.ljust(width)}  {run.__doc__}" for name, run in OPERATIONS.items()),
            "",
            "reference/ours: how many times as fast this package is, the median over the pairs;",
            "us/op: microseconds per block, entry or file, the medians.",
        ]
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number of at least 1 is wanted, found {text!r}")
    return int(text)


def _experiments(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in OPERATIONS:
            raise argparse.ArgumentTypeError(f"no experiment {name!r}; there are {', '.join(OPERATIONS)}")
    return names


if __name__ == "__main__":
    raise SystemExit(main())
