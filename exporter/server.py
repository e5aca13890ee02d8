"""The HTTP server: ``/metrics``, ``/health`` and a page for people. It only reads the board."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import waitress
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from waitress import wasyncore

from exporter.board import Board
from exporter.page import render

THREADS = 4
CLOSE_TIMEOUT_S = 1.0

Application: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

log = logging.getLogger(__name__)


class ServerError(Exception):
    """The server cannot listen where it should; the message says where and why in one line."""


def application(board: Board, registry: CollectorRegistry) -> Application:
    """The WSGI application that shows ``board`` and ``registry``."""

    def metrics(environ: dict[str, Any]) -> tuple[str, bytes]:
        encode, content_type = choose_encoder(environ.get("HTTP_ACCEPT", ""))
        return content_type, encode(registry)

    def health(_environ: dict[str, Any]) -> tuple[str, bytes]:
        return "text/plain; charset=utf-8", b"healthy\n"

    def page(_environ: dict[str, Any]) -> tuple[str, bytes]:
        return "text/html; charset=utf-8", render(board.current).encode()

    routes = {"/metrics": metrics, "/health": health, "/": page}

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        route = routes.get(environ["PATH_INFO"])
        status, headers = "200 OK", []
        content_type, body = "text/plain; charset=utf-8", b""
        if route is None:
            status, body = "404 Not Found", b"not found\n"
        elif environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            status, body = "405 Method Not Allowed", b"method not allowed\n"
            headers = [("Allow", "GET, HEAD")]
        else:
            content_type, body = route(environ)
        headers += [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        start_response(status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return app


class Server:
    """A server that listens from its creation and answers between ``start`` and ``close``."""

    def __init__(self, app: Application, host: str, port: int) -> None:
        """Bind to ``host`` and ``port``, 0 for any free port.

        Raises:
            ServerError: that is not possible.
        """
        self._socket = _bind(host, port)
        self._sockets: dict[int, Any] = {}
        self._server = waitress.create_server(
            app,
            map=self._sockets,
            sockets=[self._socket],
            threads=THREADS,
            channel_timeout=30,
            max_request_header_size=16 * 1024,
            max_request_body_size=16 * 1024,
        )
        self._thread = threading.Thread(target=self._server.run, name="http", daemon=True)

    @property
    def url(self) -> str:
        """``http://HOST:PORT`` with the port it really listens on."""
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Answer requests, in threads."""
        self._thread.start()

    def close(self) -> None:
        """Close every connection, also those in the middle of a request."""
        # The sockets belong to the server's thread; once it has closed them all, its loop ends.
        pulled = threading.Event()

        def close_all() -> None:
            # Among the sockets is the trigger itself, which is still being pulled when the thread is quick.
            pulled.wait(CLOSE_TIMEOUT_S)
            wasyncore.close_all(self._sockets, ignore_all=True)

        self._server.trigger.pull_trigger(close_all)
        pulled.set()
        self._thread.join(CLOSE_TIMEOUT_S)
        self._server.task_dispatcher.shutdown(timeout=CLOSE_TIMEOUT_S)


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ServerError(f"cannot listen on {host}: {error.strerror}") from None
    except UnicodeError:  # an empty or a long part between dots; the error is about its encoding
        raise ServerError(f"cannot listen on {host}: no host has such a name") from None
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ServerError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    return listener
