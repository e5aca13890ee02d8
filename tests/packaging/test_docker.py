"""What of the image can be checked without building it."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DOCKERFILE = PROJECT.joinpath("Dockerfile").read_text()


def copied_from_the_project() -> set[str]:
    """The files and directories that the Dockerfile copies from the build context."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    return {name for line in lines for name in line.split()}


@contextmanager
def server(status: int):
    """A server that answers everything with that status, on its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, format, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as http_server:
        thread = threading.Thread(target=http_server.serve_forever)
        thread.start()
        try:
            yield http_server.server_port
        finally:
            http_server.shutdown()
            thread.join()


def health_check(port: int) -> int:
    """The exit code of the image's health check."""
    found = re.search(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    python, *arguments = json.loads(found[1])
    assert python == "python"
    environment = {
        **os.environ,
        "HYPERCORE_SCALE_METRICS_PORT": str(port),
        "http_proxy": "http://127.0.0.1:1",
    }
    return subprocess.run([sys.executable, *arguments], env=environment, stderr=subprocess.DEVNULL).returncode


def test_the_context_holds_exactly_what_is_copied():
    patterns = PROJECT.joinpath(".dockerignore").read_text().splitlines()
    allowed = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    assert patterns[1] == "*"
    assert copied_from_the_project() == allowed
    assert all(PROJECT.joinpath(name).exists() for name in allowed)


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (404, False), (500, False)])
def test_the_health_check_asks_the_server_on_the_port_that_is_set(status, healthy):
    with server(status) as port:
        assert (health_check(port) == 0) == healthy


def test_the_health_check_fails_when_nobody_listens():
    with server(200) as port:
        pass
    assert health_check(port) != 0


def test_the_user_is_a_number_and_not_root():
    assert re.findall("^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["8192"]
    assert "useradd --create-home --uid 8192 hypercore-scale-tests" in DOCKERFILE
