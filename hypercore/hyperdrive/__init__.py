"""Hyperdrive: a drive of files on a Hyperbee and Hyperblobs."""

from hypercore.hyperdrive.batch import DriveBatch
from hypercore.hyperdrive.checkouts import DriveCheckout
from hypercore.hyperdrive.drive import Hyperdrive
from hypercore.hyperdrive.entries import DriveDifference, DriveEntry
from hypercore.hyperdrive.mirror import MirrorStep, MirrorSummary
from hypercore.hyperdrive.paths import normalize_path

__all__ = [
    "DriveBatch",
    "DriveCheckout",
    "DriveDifference",
    "DriveEntry",
    "Hyperdrive",
    "MirrorStep",
    "MirrorSummary",
    "normalize_path",
]
