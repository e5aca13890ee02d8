"""Compares this package with the JavaScript reference and prints a table.

Both sides do the same work on this machine, in child processes that take turns; each measures only its loop
of operations. What they wrote and read has to be the same, down to the hash over all blocks. The reference
is installed with npm at the first use.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.peers.comparison import Comparison, table
from benchmarks.peers.javascript import NodeError, find_node, install
from benchmarks.peers.ours import OPERATIONS
from benchmarks.peers.running import RunError, Size, compare, ours_command, reference_command

_HERE = Path(__file__).parent


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, or 1 when a side failed."""
    options = _parser().parse_args(arguments)
    size = Size(options.blocks, options.block_size)
    try:
        install(_HERE)
        comparisons = [
            compare(
                operation,
                size,
                options.pairs,
                reference=reference_command(),
                ours=ours_command(),
                report=lambda line: print(line, file=sys.stderr),
            )
            for operation in options.experiments
        ]
        if options.json:
            _write_json(options.json, size, comparisons)
    except (NodeError, RunError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(comparisons))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="reference/ours: how many times as fast this package is, the median over the pairs.",
    )
    parser.add_argument(
        "--pairs",
        type=_positive,
        default=5,
        metavar="N",
        help="runs of each side for each experiment (default: 5)",
    )
    parser.add_argument(
        "--blocks",
        type=_positive,
        default=10_000,
        metavar="N",
        help="blocks, or entries, of a run (default: 10000)",
    )
    parser.add_argument(
        "--block-size",
        type=_positive,
        default=1_000,
        metavar="BYTES",
        help="size of a block, and of the value of an entry (default: 1000)",
    )
    parser.add_argument(
        "--experiments",
        type=_experiments,
        default=list(OPERATIONS),
        metavar="NAME,NAME",
        help=f"what to compare (default: all): {', '.join(OPERATIONS)}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every run to this file")
    return parser


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


def _write_json(path: Path, size: Size, comparisons: list[Comparison]) -> None:
    document = {
        "blocks": size.blocks,
        "block_size": size.block_size,
        "environment": _environment(),
        "comparisons": [comparison.as_json() for comparison in comparisons],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")


def _environment() -> dict[str, Any]:
    node = subprocess.run([*find_node(), "--version"], capture_output=True, text=True, check=True)
    return {
        "python": platform.python_version(),
        "node": node.stdout.strip(),
        "reference": json.loads((_HERE / "package.json").read_text())["dependencies"],
        "system": platform.platform(),
    }


if __name__ == "__main__":
    raise SystemExit(main())
