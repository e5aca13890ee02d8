"""Cores to copy, and copying them over a network.

What is wanted is returned as Any: whether it is done changes while others run, which no type checker sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypercore import Corestore, Hypercore
from hypercore.replication import Block, Download, Replicator, Update, Want
from tests.hypercore.replication.network import Network


def blocks_of(count: int, size: int = 10) -> list[bytes]:
    """Return blocks that all differ."""
    return [b"%d " % index + bytes(max(size - len(b"%d " % index), 0)) for index in range(count)]


def writer_of(blocks: Sequence[bytes], store: Corestore | None = None, name: str = "core") -> Hypercore:
    """Return a core with blocks, in a store."""
    core = (store or Corestore()).get(name=name)
    core.append(list(blocks))
    return core


def begin(core: Hypercore, want: Want) -> Any:
    """Begin to look for what is wanted of a core."""
    Replicator.of(core.state).add(want)
    return want


def begin_download(core: Hypercore, start: int = 0, end: int | None = None, *, linear: bool = False) -> Any:
    """Begin to download blocks, by default all that the core has now."""
    want = Download(core.state, start, core.length if end is None else end, linear=linear)
    begin(core, want)
    return want


def begin_get(core: Hypercore, index: int) -> Any:
    """Begin to fetch one block."""
    want = Block(index)
    begin(core, want)
    return want


def begin_update(core: Hypercore) -> Any:
    """Begin to look how long the core is now."""
    want = Update((core.fork, core.length))
    begin(core, want)
    return want


def download(network: Network, core: Hypercore, start: int = 0, end: int | None = None) -> None:
    """Download blocks, and see that they arrive without any time passing."""
    network.run()
    want = begin_download(core, start, end)
    network.run()
    assert want.is_done
    assert want.error is None


def assert_equal(copy: Hypercore, core: Hypercore) -> None:
    """See that a copy has all that the core has, and nothing else."""
    assert (copy.fork, copy.length, copy.byte_length) == (core.fork, core.length, core.byte_length)
    assert copy.contiguous_length == core.length
    assert list(copy.read_stream()) == list(core.read_stream())
    assert copy.tree_hash() == core.tree_hash()
    assert copy.verify()
    assert copy.audit() == []
