"""The log: pino's JSON lines for machines, readable lines on a terminal."""

import io
import json
import logging
import os

import pytest

from exporter import logs


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Full(io.StringIO):
    def write(self, _text):
        raise OSError(28, "No space left on device")


@pytest.fixture
def log_to():
    """Sets the log up for a stream, and takes it down again."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level

    def set_up(stream):
        root.handlers[:] = []
        logs.set_up(stream)
        return logging.getLogger("exporter.test")

    yield set_up
    root.handlers[:] = before
    root.setLevel(level)


def fail(log):
    try:
        raise ZeroDivisionError("boom")
    except ZeroDivisionError:
        log.exception("Unexpected error")


def test_a_line_for_machines_has_pinos_fields(log_to):
    stream = io.StringIO()
    log_to(stream).info("Using storage %s", "here")
    line = json.loads(stream.getvalue())
    assert {name: line[name] for name in ("level", "pid", "msg")} == {
        "level": 30,
        "pid": os.getpid(),
        "msg": "Using storage here",
    }
    assert list(line) == ["level", "time", "pid", "hostname", "msg"]


@pytest.mark.parametrize(
    ("method", "level"), [("debug", None), ("info", 30), ("warning", 40), ("error", 50), ("critical", 60)]
)
def test_levels_are_pinos(log_to, method, level):
    stream = io.StringIO()
    getattr(log_to(stream), method)("hello")
    assert [json.loads(line)["level"] for line in stream.getvalue().splitlines()] == (
        [level] if level else []
    )


def test_extra_values_are_fields_for_machines(log_to):
    stream = io.StringIO()
    log_to(stream).info("Running", extra={"experiment": "write", "position": 3, "total": 12})
    line = json.loads(stream.getvalue())
    assert (line["msg"], line["experiment"], line["position"], line["total"]) == ("Running", "write", 3, 12)


def test_a_message_of_many_lines_stays_one_line_for_machines(log_to):
    stream = io.StringIO()
    log = log_to(stream)
    log.info("one\ntwo")
    fail(log)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert lines[0]["msg"] == "one\ntwo"
    assert lines[1]["err"].endswith("ZeroDivisionError: boom")


def test_a_line_for_people_tells_which_experiment_of_how_many(log_to):
    stream = Terminal()
    log_to(stream).info("Running it", extra={"position": 3, "total": 12})
    assert stream.getvalue().split(" ", 1)[1] == "[3/12] Running it\n"


def test_people_see_what_is_wrong_and_the_output_of_a_failed_experiment(log_to):
    stream = Terminal()
    log = log_to(stream)
    log.error("it failed", extra={"output": "first\nsecond\n"})
    fail(log)
    shown = stream.getvalue()
    assert "ERROR: it failed\n    first\n    second\n" in shown
    assert "    ZeroDivisionError: boom\n" in shown


def test_a_log_that_cannot_be_written_does_not_end_the_program(log_to, capsys):
    log_to(Full()).info("hello")
    assert capsys.readouterr().err == ""


def test_without_a_standard_output_nothing_is_logged(log_to, capsys):
    log_to(None).info("hello")
    assert capsys.readouterr() == ("", "")
