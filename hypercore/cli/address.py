"""Where a server is: HOST:PORT, with brackets around a host that has colons itself."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

LARGEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """A host, by name or number, and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def address(text: str) -> Address:
    """Return the address that a text stands for, as the type of an argument."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""  # 1:2:3 might be either
    number = int(port) if port.isascii() and port.isdigit() else 0
    if not (host and colon and 0 < number <= LARGEST_PORT):
        raise argparse.ArgumentTypeError(f"expected HOST:PORT, such as 127.0.0.1:4977, found {text!r}")
    return Address(host, number)
