"""The log, on standard output: JSON lines in pino's shape for machines, readable lines on a terminal.

Values passed with ``extra=`` become fields of the JSON line. Of these, people are shown ``output``, and
``position`` of ``total``.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import time
from typing import TextIO

# pino's levels are Python's plus ten: info is 30, warn 40, error 50.
_PINO_OFFSET = 10
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _JsonFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__()
        self._origin = {"pid": os.getpid(), "hostname": socket.gethostname()}

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "level": record.levelno + _PINO_OFFSET,
            "time": int(record.created * 1000),
            **self._origin,
            "msg": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _STANDARD_FIELDS},
        }
        if record.exc_info:
            line["err"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class _ReadableFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = vars(record)
        moment = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = f"{record.levelname}: " if record.levelno >= logging.WARNING else ""
        count = f"[{fields['position']}/{fields['total']}] " if "position" in fields else ""
        line = f"{moment} {level}{count}{record.getMessage()}"
        for more in (fields.get("output"), record.exc_info and self.formatException(record.exc_info)):
            if more:
                line += "".join(f"\n    {text}" for text in more.splitlines())
        return line


class _Handler(logging.StreamHandler):  # type: ignore[type-arg]  # Python 3.10 has no StreamHandler[...]
    def handleError(self, _record: logging.LogRecord) -> None:
        """Go on: a full disk or a closed pipe behind the log is no reason to stop measuring."""


def set_up(stream: TextIO | None) -> None:
    """Send everything that is logged in this process to ``stream``, or nowhere if that is closed: None."""
    handler: logging.Handler = logging.NullHandler()
    if stream is not None:
        handler = _Handler(stream)
        handler.setFormatter(_ReadableFormatter() if stream.isatty() else _JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def finish() -> None:
    """Write out what is left for standard output, or drop it: else it would change the exit code."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
