"""HOST:PORT as text."""

import argparse

import pytest

from hypercore.cli.address import Address, address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:4977", "127.0.0.1", 4977),
        ("example.org:1", "example.org", 1),
        ("[::1]:65535", "::1", 65535),
    ],
)
def test_an_address_is_a_host_and_a_port_and_shown_as_it_is_written(text, host, port):
    assert address(text) == Address(host, port)
    assert str(address(text)) == text


WRONG = [
    "",
    ":",
    "host",
    "host:",
    ":1",
    "host:0",
    "host:65536",
    "host:-1",
    "host:one",
    "host:\u0661",
    "::1:2",
]


@pytest.mark.parametrize("text", [*WRONG, "[]:1"])
def test_anything_else_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="expected HOST:PORT"):
        address(text)
