"""Hypercore over the network, with asyncio: exchanging cores, and reading what is not here yet."""

from hypercore.aio.connecting import Reconnector, Server, connect, keep_connected, serve
from hypercore.aio.extensions import Extension
from hypercore.aio.reading import (
    Progress,
    allow_push,
    available,
    download,
    get,
    push,
    read_stream,
    seek,
    update,
)
from hypercore.aio.transport import PeerConnection

__all__ = [
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
    "seek",
    "serve",
    "update",
]
