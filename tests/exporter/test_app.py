"""The exit codes and last words of the wrapper that a process of its own is not needed for."""

import json
import logging

import pytest

from exporter import app
from exporter.stopping import Stop
from exporter.suite import SuiteError
from hypercore.errors import StorageError


@pytest.fixture(autouse=True)
def logging_as_before():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def run(monkeypatch, capsys, error):
    """Run a wrapper in which something goes wrong; its exit code and the lines of its log."""

    def fail(chosen, stop):
        raise error

    monkeypatch.setattr(app, "run", fail)
    code = app.main([], Stop())
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    "error",
    [SuiteError("no experiments"), StorageError("disk full"), OSError("no space")],
    ids=lambda e: str(e),
)
def test_what_can_go_wrong_is_told_in_one_line(monkeypatch, capsys, error):
    code, [line] = run(monkeypatch, capsys, error)
    assert (code, line["level"], line["msg"]) == (1, 50, f"Cannot run: {error}")
    assert "err" not in line


def test_what_should_not_go_wrong_is_told_with_its_traceback(monkeypatch, capsys):
    code, [line] = run(monkeypatch, capsys, ZeroDivisionError("boom"))
    assert (code, line["level"], line["msg"]) == (1, 50, "Unexpected error")
    assert line["err"].startswith("Traceback")
    assert line["err"].endswith("ZeroDivisionError: boom")


def test_a_wrong_variable_is_told_on_stderr(monkeypatch, capsys):
    monkeypatch.setenv("HYPERCORE_SCALE_METRICS_PORT", "http")
    assert app.main([], Stop()) == 2
    assert capsys.readouterr() == (
        "",
        "exporter: error: HYPERCORE_SCALE_METRICS_PORT: expected a whole number from 0 to 65535, "
        'found "http"\n',
    )
