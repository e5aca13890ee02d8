"""The HTTP server: its addresses, its manners, and how quickly it goes away."""

import http.client
import socket
from urllib.parse import urlsplit

import pytest

from exporter.board import Board
from exporter.metrics import registry_of
from exporter.server import Server, ServerError, application
from tests.exporter.builders import PROVENANCE, experiment, result


def port_of(server):
    return int(server.url.rpartition(":")[2])


@pytest.fixture
def app():
    board = Board([experiment()], [result()])
    return application(board, registry_of(board, PROVENANCE))


@pytest.fixture
def server(app):
    server = Server(app, "127.0.0.1", 0)
    server.start()
    yield server
    server.close()


@pytest.fixture
def request_(server):
    """Sends one request and returns status, headers and body."""

    def send(method, path, **headers):
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    return send


def test_health_answers_healthy(request_):
    status, _, body = request_("GET", "/health")
    assert (status, body) == (200, "healthy\n")


def test_metrics_come_as_prometheus_text(request_):
    status, headers, body = request_("GET", "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'hypercorescale_write{nr_blocks="10",block_byte_size="100"} 0.25\n' in body


def test_metrics_come_as_openmetrics_to_who_asks_for_it(request_):
    _, headers, body = request_("GET", "/metrics", Accept="application/openmetrics-text;version=1.0.0")
    assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith("# EOF\n")


def test_the_page_is_html(request_):
    status, headers, body = request_("GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "nrBlocks: 10" in body


@pytest.mark.parametrize("path", ["/", "/metrics", "/health"])
def test_head_tells_the_length_without_the_body(request_, path):
    length = request_("GET", path)[1]["Content-Length"]
    status, headers, body = request_("HEAD", path)
    assert (status, headers["Content-Length"], body) == (200, length, "")


@pytest.mark.parametrize("path", ["/metric", "/metrics/", "/../health"])
def test_any_other_address_is_not_found(request_, path):
    assert request_("GET", path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_any_other_method_is_not_allowed(request_, method):
    status, headers, _ = request_(method, "/metrics")
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_many_requests_on_one_connection_are_answered(server):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    for _ in range(3):
        connection.request("GET", "/health")
        assert connection.getresponse().read() == b"healthy\n"
    connection.close()


def test_an_address_in_use_is_named(app, server):
    port = port_of(server)
    with pytest.raises(ServerError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
        Server(app, "127.0.0.1", port)


@pytest.mark.parametrize("host", ["no such host", "not..one"])
def test_a_host_that_does_not_exist_is_named(app, host):
    with pytest.raises(ServerError, match=f"cannot listen on {host}: "):
        Server(app, host, 0)


def test_closing_ends_open_connections_and_frees_the_port(app):
    server = Server(app, "127.0.0.1", 0)
    server.start()
    address = ("127.0.0.1", port_of(server))
    with socket.create_connection(address, timeout=30) as idle:
        idle.sendall(b"GET /health HTTP/1.1\r\n\r\n")
        assert idle.recv(8).startswith(b"HTTP/1.1")
        server.close()
        while idle.recv(1024):
            pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=30)
    another = Server(app, *address)  # although the system still remembers the connection
    another.start()
    another.close()


def test_an_ipv6_address_stands_in_brackets(app):
    try:
        server = Server(app, "::1", 0)
    except ServerError as error:
        pytest.skip(f"this machine has no IPv6: {error}")
    server.start()
    assert server.url.startswith("http://[::1]:")
    server.close()
