"""A drive at one version: what can be compared and mirrored, since it does not change meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from hypercore.hyperbee import Hyperbee
from hypercore.hyperblobs import Hyperblobs
from hypercore.hyperdrive import listing
from hypercore.hyperdrive.entries import DriveDifference, entry_of
from hypercore.hyperdrive.folders import Folder, check_apart
from hypercore.hyperdrive.mirror import MirrorSummary, Progress, mirror_to_folder, run
from hypercore.hyperdrive.mirrored import MirroredFiles
from hypercore.hyperdrive.paths import normalize_folder
from hypercore.hyperdrive.views import DriveView


class DriveCheckout(DriveView):
    """A drive as it was at a version, to be read only; it closes with the drive.

    Args:
        files: the bee at that version.
        newest: the bee of the drive.
        open_blobs: returns what holds the data.
    """

    def __init__(self, files: Hyperbee, newest: Hyperbee, open_blobs: Callable[[], Hyperblobs]) -> None:
        super().__init__(files)
        self._bee = files
        self._newest = newest
        self._open_blobs = open_blobs

    @property
    def blobs(self) -> Hyperblobs:
        """What holds the data of the files."""
        return self._open_blobs()

    def checkout(self, version: int) -> DriveCheckout:
        """Return the drive as it was at another version."""
        return DriveCheckout(self._newest.checkout(version), self._newest, self._open_blobs)

    def diff(self, other: int | DriveCheckout, folder: str = "/") -> Iterator[DriveDifference]:
        """Iterate over what differs between this version and another one. See Hyperdrive.diff."""
        right = other if isinstance(other, int) else other._bee
        lower, upper = listing.bounds(normalize_folder(folder))
        for found in self._bee.diff(right, gt=lower, lt=upper):
            yield DriveDifference(entry_of(found.left), entry_of(found.right))

    def mirror(
        self,
        folder: str | os.PathLike[str],
        *,
        prefix: str = "/",
        prune: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> MirrorSummary:
        """Make a folder on disk equal to the drive. See Hyperdrive.mirror."""
        check_apart(folder, self._newest.core.state.database.directory)
        files = MirroredFiles(self, prefix)
        with Folder(folder, create=True) as target:
            return run(mirror_to_folder(files, target, prune=prune, dry_run=dry_run), progress)

    @property
    def fork(self) -> int:
        """How often the drive had been truncated."""
        return self._bee.core.fork

    def blobs_length(self) -> int:
        """Return how many blocks of the blobs this version needs: up to the last that an entry names."""
        blobs = (entry.blob for entry in self.entries())
        return max((blob.block_offset + blob.block_length for blob in blobs if blob is not None), default=0)
