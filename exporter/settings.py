"""What the user can set: environment variables, and the few command line options."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The longest wait the operating system's calls and JavaScript's timers agree on: almost 25 days.
LONGEST_MS = 2**31 - 1
_MOST_DAYS = 100 * 365

_HELP_WIDTH = 79


class SettingsError(Exception):
    """A variable has a value that cannot be used; the message names both, in one line."""


@dataclass(frozen=True)
class Settings:
    """Everything a run of the wrapper depends on."""

    metrics_host: str
    metrics_port: int
    interval_s: float
    storage_path: Path
    experiments_file: Path | None
    test_timeout_s: float
    history_days: int
    replication_port: int | None
    benchmarks: Path | None
    once: bool


def _text(value: str) -> str:
    return value


def _whole_number(smallest: int, largest: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = smallest - 1
        if not smallest <= number <= largest:
            raise ValueError(f"expected a whole number from {smallest} to {largest}")
        return number

    return parse


def _optional(parse: Callable[[str], int]) -> Callable[[str], int | None]:
    return lambda value: parse(value) if value else None


@dataclass(frozen=True)
class _Variable:
    name: str
    default: str
    help: str
    parse: Callable[[str], Any] = _text

    def described(self) -> str:
        """What the help says of it, in lines that fit a terminal."""
        text = f"{self.help} (default: {self.default})" if self.default else self.help
        indent = 6 * " "
        lines = textwrap.fill(text, _HELP_WIDTH, initial_indent=indent, subsequent_indent=indent)
        return f"  {self.name}\n{lines}"


_VARIABLES = (
    _Variable(
        "HYPERCORE_SCALE_METRICS_PORT",
        "0",
        "port of the HTTP server; 0 takes any free one",
        _whole_number(0, 65535),
    ),
    _Variable("HYPERCORE_SCALE_METRICS_HOST", "127.0.0.1", "address the HTTP server listens on"),
    _Variable(
        "HYPERCORE_SCALE_TEST_INTERVAL_MS",
        "300000",
        "milliseconds from the start of one round to the start of the next",
        _whole_number(1, LONGEST_MS),
    ),
    _Variable("HYPERCORE_SCALE_STORAGE_PATH", "hypercore-scale-corestore", "directory of the results"),
    _Variable(
        "HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC",
        "",
        "JSON file with the experiments to run; without it config.json if that exists, "
        "else the defaults built into the experiments",
    ),
    _Variable(
        "HYPERCORE_SCALE_TEST_TIMEOUT_MS",
        "1800000",
        "milliseconds one experiment may take before it is killed",
        _whole_number(1, LONGEST_MS),
    ),
    _Variable(
        "HYPERCORE_SCALE_HISTORY_DAYS",
        "90",
        "days that the results before the latest of each experiment are kept; 0 keeps them for ever",
        _whole_number(0, _MOST_DAYS),
    ),
    _Variable(
        "HYPERCORE_SCALE_REPLICATION_PORT",
        "",
        "port, at the address of the HTTP server, where peers that know the key can replicate the bee with "
        "the results; 0 takes any free one, without it they cannot",
        _optional(_whole_number(0, 65535)),
    ),
)


def load(arguments: Sequence[str], environment: Mapping[str, str], directory: Path) -> Settings:
    """Settings from the command line, the environment and what lies in ``directory``.

    A variable that is set to nothing counts as not set.

    Raises:
        SettingsError: a variable's value cannot be used.
        SystemExit: ``--help`` (0) or a wrong option (2).
    """
    options = _parser().parse_args(arguments)
    values = {variable.name: _value(variable, environment) for variable in _VARIABLES}
    experiments_file = values["HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC"]
    if not experiments_file and (directory / "config.json").is_file():
        experiments_file = "config.json"
    return Settings(
        metrics_host=values["HYPERCORE_SCALE_METRICS_HOST"],
        metrics_port=values["HYPERCORE_SCALE_METRICS_PORT"],
        interval_s=values["HYPERCORE_SCALE_TEST_INTERVAL_MS"] / 1000,
        storage_path=Path(values["HYPERCORE_SCALE_STORAGE_PATH"]),
        experiments_file=Path(experiments_file) if experiments_file else None,
        test_timeout_s=values["HYPERCORE_SCALE_TEST_TIMEOUT_MS"] / 1000,
        history_days=values["HYPERCORE_SCALE_HISTORY_DAYS"],
        replication_port=values["HYPERCORE_SCALE_REPLICATION_PORT"],
        benchmarks=options.benchmarks,
        once=options.once,
    )


def _value(variable: _Variable, environment: Mapping[str, str]) -> Any:
    text = environment.get(variable.name) or variable.default
    try:
        return variable.parse(text)
    except ValueError as error:
        raise SettingsError(f'{variable.name}: {error}, found "{text}"') from None


def _parser() -> argparse.ArgumentParser:
    variables = "\n".join(variable.described() for variable in _VARIABLES)
    parser = argparse.ArgumentParser(
        prog="python -m exporter",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Run the experiments round after round, store every result in a Hyperbee,\n"
        "and serve the latest run times to Prometheus. SIGTERM or Ctrl-C stops it.",
        epilog=f"environment variables:\n{variables}\n\n"
        "addresses, at http://HOST:PORT (logged at the start):\n"
        "  /         a page with the latest results\n"
        "  /metrics  the same for Prometheus\n"
        "  /health   answers 'healthy'\n\n"
        "exit codes:\n"
        "  0  stopped as asked, or --once and every experiment passed\n"
        "  1  could not start (address or storage in use, ...), or --once and an\n"
        "     experiment failed\n"
        "  2  a wrong option or environment variable\n"
        "  4  a wrong experiments file",
    )
    parser.add_argument("--once", action="store_true", help="stop after one round")
    parser.add_argument(
        "--benchmarks",
        type=Path,
        metavar="DIR",
        help="directory with the experiments (default: benchmarks beside the exporter package, else here)",
    )
    return parser
