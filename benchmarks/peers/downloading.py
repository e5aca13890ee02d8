"""What has to hold for the download of a core of a million blocks."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.peers.claims import Claim, Growth, in_own_process
from benchmarks.peers.experiments import Size
from hypercore import Corestore, aio

_HOST = "127.0.0.1"
_BATCH = 1_000


def download_memory(directory: Path, size: Size) -> Claim:
    """Downloading takes no more memory the longer it goes on, neither here nor at the server."""
    in_own_process(_fill, directory / "creator", size)  # what it frees there would hide growth here
    growth = Growth()
    half, end = asyncio.run(_download(directory, size, growth))
    return Claim(
        f"growth of anonymous memory while downloading {size}, both ends in one process",
        growth.peak / 1e6,
        64,
        "MB",
        f"at its peak; {half / 1e6:.2f} MB when half of it was here, {end / 1e6:.2f} MB at the end",
    )


async def _download(directory: Path, size: Size, growth: Growth) -> tuple[int, int]:
    """Return the growth when half of it is here, and at the end."""
    half = 0

    def sample(progress: aio.Progress) -> None:
        nonlocal half
        now = growth.sample()
        if progress.blocks <= progress.total // 2:
            half = now

    with Corestore(directory / "creator") as creator, Corestore(directory / "downloader") as downloader:
        copy = downloader.get(key=creator.get(name="core").key)
        async with (
            await aio.serve(creator, _HOST) as server,
            await aio.connect(downloader, _HOST, server.port),
        ):
            await aio.download(copy, 0, size.blocks, progress=sample)
            return half, growth.sample()


def _fill(directory: Path, size: Size) -> None:
    block = b"a" * size.block_size
    with Corestore(directory) as store:
        core = store.get(name="core")
        for done in range(0, size.blocks, _BATCH):
            core.append([block] * min(_BATCH, size.blocks - done))
