"""Runs the two sides as child processes, in turns, each with its data in a fresh directory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.peers.comparison import Comparison
from benchmarks.peers.experiments import Experiment
from benchmarks.peers.javascript import find_node

_HERE = Path(__file__).parent
_PROJECT = _HERE.parent.parent


class RunError(Exception):
    """A side failed, or the two did not do the same."""


def ours_command(module: str) -> list[str]:
    """Return the command of the Python side."""
    return [sys.executable, "-m", f"benchmarks.peers.{module}"]


def reference_command(script: str) -> list[str]:
    """Return the command of the JavaScript side.

    Raises:
        NodeError: there is no node.
    """
    return [*find_node(), str(_HERE / script)]


def compare(
    experiment: Experiment,
    pairs: int,
    *,
    reference: Sequence[str],
    ours: Sequence[str],
    report: Callable[[str], None],
) -> Comparison:
    """Run both sides ``pairs`` times; who begins changes from pair to pair.

    Raises:
        RunError: a run failed, or the sides disagree about the outcome.
    """
    comparison = Comparison(experiment)
    for pair in range(pairs):
        sides = [("reference", reference, comparison.reference_us), ("ours", ours, comparison.ours_us)]
        outcomes = {}
        for name, command, figures in sides if pair % 2 == 0 else reversed(sides):
            seconds, outcomes[name] = _run(command, experiment)
            figures.append(seconds / experiment.size.blocks * 1e6)
        if outcomes["reference"] != outcomes["ours"]:
            raise RunError(f"{experiment}: the sides did not do the same: {outcomes}")
        report(
            f"{experiment}, pair {pair + 1}/{pairs}: reference {comparison.reference_us[-1]:.2f} us, "
            f"ours {comparison.ours_us[-1]:.2f} us"
        )
    return comparison


def _run(command: Sequence[str], experiment: Experiment) -> tuple[float, dict[str, Any]]:
    with TemporaryDirectory(prefix="hypercore-peers-") as directory:
        size = experiment.size
        arguments = [experiment.operation, directory, str(size.blocks), str(size.block_size)]
        done = subprocess.run(
            [*command, *arguments], cwd=_PROJECT, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RunError(f"{' '.join([*command, *arguments])} ended with {done.returncode}:\n{done.stderr}")
    result = json.loads(done.stdout)
    return result["seconds"], result["outcome"]
