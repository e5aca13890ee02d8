"""The wrapper put together: settings, suite, results, server and loop, from first log line to exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from exporter import logs, settings
from exporter.board import Board
from exporter.loop import Loop
from exporter.metrics import registry_of
from exporter.provenance import Provenance, provenance
from exporter.publishing import PublishedResults
from exporter.results import Results
from exporter.server import Server, ServerError, application
from exporter.settings import Settings, SettingsError
from exporter.stopping import Canceled, Stop
from exporter.suite import ExperimentsFileError, Suite, SuiteError, find_benchmarks
from exporter.workdir import remove_leftovers, work_directory
from hypercore.errors import HypercoreError

OK, FAILED, WRONG_SETTINGS, WRONG_EXPERIMENTS_FILE = 0, 1, 2, 4

log = logging.getLogger(__name__)


def main(arguments: Sequence[str], stop: Stop) -> int:
    """Run the wrapper with these command line arguments until ``stop`` is set; the exit code."""
    try:
        chosen = settings.load(arguments, os.environ, Path.cwd())
    except SettingsError as error:
        print(f"exporter: error: {error}", file=sys.stderr)
        return WRONG_SETTINGS
    logs.set_up(sys.stdout)
    try:
        return _run_to_the_end(chosen, stop)
    finally:
        logs.finish()


def _run_to_the_end(chosen: Settings, stop: Stop) -> int:
    try:
        exit_code = run(chosen, stop)
    except ExperimentsFileError as error:
        log.error("%s", error)
        return WRONG_EXPERIMENTS_FILE
    except SuiteError as error:
        log.error("Cannot run: %s", error, extra={"output": error.output} if error.output else None)
        return FAILED
    except (ServerError, HypercoreError, OSError) as error:
        log.error("Cannot run: %s", error)
        return FAILED
    except Exception:
        log.exception("Unexpected error")
        return FAILED
    log.info("Shut down successfully")
    return exit_code


def run(chosen: Settings, stop: Stop) -> int:
    """Set everything up, loop, and close everything again; the exit code."""
    for path in remove_leftovers():
        log.info("Removed %s, left behind by a process that was killed", path)
    benchmarks = find_benchmarks(chosen.benchmarks, Path(__file__).parent, Path.cwd())
    log.info("Using storage %s", chosen.storage_path)
    origin = provenance(benchmarks.resolve().parent)
    with _results(chosen, origin) as results, work_directory() as work:
        log.info("Loading experiment config from %s", chosen.experiments_file or "built-in defaults")
        suite = Suite(
            benchmarks,
            experiments_file=chosen.experiments_file,
            work_directory=work,
            timeout_s=chosen.test_timeout_s,
            stop=stop,
        )
        try:
            board = _collect(suite, results)
        except Canceled:
            return OK
        server = Server(
            application(board, registry_of(board, origin)), chosen.metrics_host, chosen.metrics_port
        )
        server.start()
        try:
            log.info("Server listening at %s", server.url)
            log.info("Fully setup")
            log.info("Results at %s/ and, for Prometheus, at %s/metrics", server.url, server.url)
            loop = Loop(
                suite,
                results,
                board,
                interval_s=chosen.interval_s,
                history_days=chosen.history_days,
                stop=stop,
            )
            passed = _once(loop) if chosen.once else _for_ever(loop)
            log.info("Closing runner")
        finally:
            log.info("Closing server")
            server.close()
    return OK if passed else FAILED


def _results(chosen: Settings, origin: Provenance) -> Results | PublishedResults:
    if chosen.replication_port is None:
        return Results(chosen.storage_path, origin)
    return PublishedResults(chosen.storage_path, origin, chosen.metrics_host, chosen.replication_port)


def _collect(suite: Suite, results: Results | PublishedResults) -> Board:
    """The board with the experiments of the suite and what is stored about them.

    Raises:
        Canceled: the process was asked to stop.
    """
    collection = suite.collect()
    if collection.not_available:
        log.info("Experiments not available yet: %s", ", ".join(collection.not_available))
    if not collection.experiments:
        log.warning("There are no experiments to run")
    return Board(collection.experiments, results.load(collection.experiments))


def _once(loop: Loop) -> bool:
    try:
        return loop.run_round()
    except Canceled:
        return True


def _for_ever(loop: Loop) -> bool:
    loop.run()
    return True
