"""Hyperbee: a sorted key-value store, a B-tree on top of a Hypercore."""

from hypercore.hyperbee.batch import Batch
from hypercore.hyperbee.bee import Hyperbee
from hypercore.hyperbee.blocks import Metadata, decode_header
from hypercore.hyperbee.entries import Difference, Entry, HistoryEntry
from hypercore.hyperbee.subencoder import SubEncoder
from hypercore.hyperbee.views import CompareAndSwap
from hypercore.hyperbee.watching import Change, Watcher

__all__ = [
    "Batch",
    "Change",
    "CompareAndSwap",
    "Difference",
    "Entry",
    "HistoryEntry",
    "Hyperbee",
    "Metadata",
    "SubEncoder",
    "Watcher",
    "decode_header",
]
