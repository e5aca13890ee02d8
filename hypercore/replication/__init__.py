"""Replication: exchanging cores with peers. Bytes and the time in, bytes out; no sockets and no clock."""

from hypercore.replication.connection import Connection
from hypercore.replication.peer import Peer
from hypercore.replication.replicator import Replicator
from hypercore.replication.sources import SingleCore, Source
from hypercore.replication.wants import Block, Download, Seek, Update, Want

__all__ = [
    "Block",
    "Connection",
    "Download",
    "Peer",
    "Replicator",
    "Seek",
    "SingleCore",
    "Source",
    "Update",
    "Want",
]
