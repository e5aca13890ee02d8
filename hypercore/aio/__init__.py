"""Hypercore over the network, with asyncio: exchanging cores, and reading what is not here yet."""

from hypercore.aio.connecting import (
    MAX_CONNECTIONS,
    Reconnector,
    Server,
    connect,
    keep_connected,
    replicate,
    serve,
)
from hypercore.aio.downloading import Progress, download, read_stream
from hypercore.aio.extensions import Extension
from hypercore.aio.reading import allow_push, available, get, push, seek, update
from hypercore.aio.transport import PeerConnection

__all__ = [
    "MAX_CONNECTIONS",
    "Extension",
    "PeerConnection",
    "Progress",
    "Reconnector",
    "Server",
    "allow_push",
    "available",
    "connect",
    "download",
    "get",
    "keep_connected",
    "push",
    "read_stream",
    "replicate",
    "seek",
    "serve",
    "update",
]
