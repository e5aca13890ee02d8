"""The benchmark suite as the wrapper sees it: pytest in child processes, and the events they report.

One child learns which experiments there are; then each experiment has a child of its own, so that a crash, a
hang or a lack of memory costs that experiment and no other.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.child import Ending, run_child
from exporter.experiment import Experiment, Outcome
from exporter.stopping import Stop

# Only these plugins are loaded: others, which may be installed too, reorder tests or take time and memory.
PLUGINS = ("benchmark", "timeout", "benchmarks.plugin", "no:cacheprovider")

EXPERIMENTS_FILE_VARIABLE = "HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC"

# pytest's exit codes for a usage error, and for a selection that is empty.
USAGE_ERROR = 4
NOTHING_SELECTED = 5

COLLECT_TIMEOUT_S = 120.0

# As much of an error as a page or a log line has room for. It is stored with every run that fails.
ERROR_LIMIT = 1000


class SuiteError(Exception):
    """The suite cannot be used; the message says why in one line.

    Where it cannot say more than that pytest failed, ``output`` is what pytest printed.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class ExperimentsFileError(SuiteError):
    """The experiments file is wrong; the message is the suite's own."""


@dataclass(frozen=True)
class Collection:
    """What the suite will run, in order, and the keys of the experiments file it cannot run yet."""

    experiments: tuple[Experiment, ...]
    not_available: tuple[str, ...]


def find_benchmarks(chosen: Path | None, package: Path, directory: Path) -> Path:
    """The directory with the experiments: the chosen one, else beside ``package``, else in ``directory``.

    Raises:
        SuiteError: it is not there.
    """
    if chosen:
        if not chosen.is_dir():
            raise SuiteError(f"no experiments found: {chosen} is not a directory")
        return chosen
    candidates = [package.parent / "benchmarks", directory / "benchmarks"]
    for candidate in candidates:
        if (candidate / "plugin.py").is_file():
            return candidate
    raise SuiteError(f"no experiments found, neither in {candidates[0]} nor in {candidates[1]}")


class Suite:
    """Runs the experiments of one directory in child processes; their files stay under ``work_directory``."""

    def __init__(
        self,
        benchmarks: Path,
        *,
        experiments_file: Path | None,
        work_directory: Path,
        timeout_s: float,
        stop: Stop,
    ) -> None:
        self._benchmarks = benchmarks.resolve()
        self._experiments_file = experiments_file.resolve() if experiments_file else None
        self._work_directory = work_directory
        self._timeout_s = timeout_s
        self._stop = stop

    def collect(self) -> Collection:
        """Ask the suite which experiments it will run.

        Raises:
            ExperimentsFileError: the experiments file is missing or wrong.
            SuiteError: the suite is broken.
            Canceled: on the way the process was asked to stop.
        """
        with self._scratch() as scratch:
            ending = self._pytest(scratch, COLLECT_TIMEOUT_S, "--collect-only", self._benchmarks.name)
        found = _event(ending, "collected")
        if found is None or ending.exit_status not in (0, NOTHING_SELECTED):
            line = _error_line(ending.output)
            if line is None:
                raise SuiteError(f"collecting the experiments failed: {_how(ending)}", ending.output)
            raise (ExperimentsFileError if ending.exit_status == USAGE_ERROR else SuiteError)(line)
        self._keep_experiments_file()
        return Collection(
            experiments=tuple(_experiment(fields) for fields in found["experiments"]),
            not_available=tuple(found["not_available"]),
        )

    def run(self, experiment: Experiment) -> Outcome:
        """Run one experiment; whatever goes wrong with it is its outcome.

        Raises:
            Canceled: the process was asked to stop; the experiment and its files are gone.
        """
        try:
            with self._scratch() as scratch:
                ending = self._pytest(scratch, self._timeout_s, experiment.nodeid)
        except OSError as error:
            return Outcome(error=f"could not be started: {error}")
        return self._outcome(ending)

    def _outcome(self, ending: Ending) -> Outcome:
        finished = _event(ending, "finished") or {}
        if ending.timed_out:
            error = f"timed out after {self._timeout_s:g} s"
        elif finished.get("outcome", "passed") != "passed":
            error = _first_line(finished["error"]) or finished["outcome"]
        elif ending.exit_status != 0 or finished.get("run_time_s") is None:
            error = _how(ending)
        else:
            return Outcome(finished["run_time_s"], finished["rounds"], finished["stats"])
        return Outcome(error=error, output=ending.output)

    def _keep_experiments_file(self) -> None:
        """Use a copy from now on: an edit takes effect at the next start, not in the middle of a round."""
        if self._experiments_file:
            copy = self._work_directory / "experiments.json"
            shutil.copyfile(self._experiments_file, copy)
            self._experiments_file = copy

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        scratch = Path(tempfile.mkdtemp(prefix="experiment-", dir=self._work_directory))
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _pytest(self, scratch: Path, timeout_s: float, *arguments: str) -> Ending:
        root = self._benchmarks.parent
        command = [sys.executable, "-m", "pytest", "--color=no"]
        command += [f"-p{plugin}" for plugin in PLUGINS]
        command += ["--rootdir", str(root), "--basetemp", str(scratch / "pytest")]
        # pytest-benchmark makes its directory even when nothing is saved, and ours may be read-only.
        command += ["--benchmark-storage", f"file://{scratch / 'benchmarks'}"]
        if self._experiments_file:
            # In one piece: pytest looks for its pytest.ini above all arguments that could be paths.
            command += [f"--experiments={self._experiments_file}"]
        return run_child(
            [*command, *arguments],
            directory=root,
            environment=_environment(scratch),
            timeout_s=timeout_s,
            stop=self._stop,
        )


def _environment(scratch: Path) -> dict[str, str]:
    """The child's environment: ours, without what would change the measurement behind the wrapper's back."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in (EXPERIMENTS_FILE_VARIABLE, "PYTEST_ADDOPTS", "PYTHONPATH")
    }
    # The plugin lies beside this package, also when the experiments lie elsewhere.
    project = str(Path(__file__).resolve().parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [project, os.environ.get("PYTHONPATH")]))
    environment["TMPDIR"] = str(scratch)
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # The limit is this process's; pytest-timeout has its own idea of one.
    environment["PYTEST_TIMEOUT"] = "0"
    return environment


def _experiment(fields: dict[str, Any]) -> Experiment:
    return Experiment(
        nodeid=fields["nodeid"],
        name=fields["experiment"],
        title=fields["title"],
        help=fields["help"],
        params=fields["params"],
    )


def _event(ending: Ending, name: str) -> dict[str, Any] | None:
    """The last event of that name in the report, if there is one."""
    for line in reversed(ending.report):
        try:
            event = json.loads(line)
        except ValueError:
            continue  # a child may die in the middle of a line
        if isinstance(event, dict) and event.get("event") == name:
            return event
    return None


def _how(ending: Ending) -> str:
    if ending.timed_out:
        return "timed out"
    if ending.exit_status < 0:
        return f"killed by signal {_signal_name(-ending.exit_status)}"
    return f"exited without a result (exit status {ending.exit_status})"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _first_line(text: str | None) -> str:
    """The first line, cut where it is too long, as text that can be stored and shown."""
    line = (text or "").strip().partition("\n")[0]
    if len(line) > ERROR_LIMIT:
        line = f"{line[:ERROR_LIMIT]}..."
    # The name of a file may have bytes that are no UTF-8; as text they cannot be encoded again.
    return line.encode(errors="replace").decode()


def _error_line(output: str) -> str | None:
    """The message of pytest's last ``ERROR: ...`` line."""
    lines = [line for line in output.splitlines() if line.startswith("ERROR: ")]
    return lines[-1].removeprefix("ERROR: ") if lines else None
