"""The real wrapper in a process of its own, on experiments written for the test at hand."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import urllib.request
from pathlib import Path

from tests.waiting import wait_for

PROJECT = Path(__file__).resolve().parents[2]

HEADER = """
import contextlib, os, signal, subprocess, sys
from pathlib import Path
from benchmarks.experiments import sizes

HERE = Path(__file__).parent

@contextlib.contextmanager
def the_directory(directory):
    yield directory
"""

EXPERIMENT = '''
@sizes({{"nr_blocks": 10, "block_byte_size": 100}})
def test_{name}(measure, nr_blocks, block_byte_size):
    """Do {name} things."""
    def run(directory):
        (HERE / "{name}.pid").write_text(str(os.getpid()))
{body}
    measure(run, the_directory)
'''

# What an experiment can do, by name; each first writes its process id to a file.
PASS = ""
FAIL = "assert nr_blocks == 11, 'boom'"
HANG = "while True: signal.pause()"
IGNORE_SIGTERM_AND_HANG = f"signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{HANG}"
SEGFAULT = "os.kill(os.getpid(), signal.SIGSEGV)"
KILLED = "os.kill(os.getpid(), signal.SIGKILL)"
EXIT = "os._exit(7)"
START_A_CHILD_AND_HANG = """
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
(HERE / "grandchild.pid").write_text(str(child.pid))
while True: signal.pause()
"""


class Experiments:
    """A directory with experiments."""

    def __init__(self, path, **bodies):
        self.path = path
        path.mkdir(exist_ok=True)
        source = HEADER
        for name, body in bodies.items():
            source += EXPERIMENT.format(name=name, body=textwrap.indent(body, " " * 8))
        (path / "test_experiments.py").write_text(source)

    def pid(self, name):
        """The process of the experiment, once it runs."""
        file = self.path / f"{name}.pid"
        return int(wait_for(lambda: file.exists() and file.read_text(), f"{name} to run"))


class Wrapper:
    """``python -m exporter`` in the directory ``home``, which also takes its results and temporary files."""

    def __init__(self, home, *arguments, **environment):
        self.temporary = home / "tmp"
        self.temporary.mkdir(parents=True, exist_ok=True)
        self.lines = []
        self._errors = (home / "stderr").open("w+")
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("HYPERCORE_SCALE_")
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "exporter", *map(str, arguments)],
            cwd=home,
            env={**inherited, "PYTHONPATH": str(PROJECT), "TMPDIR": str(self.temporary), **environment},
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        assert self.process.stdout
        self._stdout = self.process.stdout
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        if self.process.poll() is None:
            self.process.kill()
        self.ended()
        self._errors.close()

    def _read(self):
        for line in self._stdout:
            self.lines.append(json.loads(line))

    @property
    def messages(self):
        """What it has logged so far."""
        return [line["msg"] for line in self.lines]

    def logged(self, phrase):
        """Wait until it has logged a message with ``phrase`` in it; that line."""

        def found():
            over = self.process.poll() is not None and not self._reader.is_alive()
            matching = [line for line in list(self.lines) if phrase in line["msg"]]
            assert matching or not over, f"ended without logging {phrase!r}: {self.messages} {self.stderr()}"
            return matching

        return wait_for(found, f"the log to say {phrase!r}")[0]

    @property
    def url(self):
        return self.logged("Server listening at ")["msg"].removeprefix("Server listening at ")

    def get(self, path):
        """What it serves at ``path``."""
        with urllib.request.urlopen(self.url + path, timeout=30) as response:
            return response.read().decode()

    def stop(self, number=signal.SIGTERM):
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self):
        """Wait for the end; the exit code."""
        code = self.process.wait(60)
        self._reader.join()
        self._stdout.close()
        return code

    def stderr(self):
        self._errors.seek(0)
        return self._errors.read()

    def leftovers(self):
        """What is in the directory of temporary files."""
        return sorted(path.name for path in self.temporary.iterdir())
