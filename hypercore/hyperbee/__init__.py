"""Hyperbee: a sorted key-value store, a B-tree on top of a Hypercore."""

from hypercore.hyperbee.bee import Batch, CompareAndSwap, Hyperbee
from hypercore.hyperbee.blocks import Metadata
from hypercore.hyperbee.entries import Entry, HistoryEntry

__all__ = ["Batch", "CompareAndSwap", "Entry", "HistoryEntry", "Hyperbee", "Metadata"]
