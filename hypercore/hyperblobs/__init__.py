"""Hyperblobs: pieces of data of any size in a Hypercore."""

from hypercore.hyperblobs.blobs import BLOCK_BYTES, Hyperblobs
from hypercore.hyperblobs.ids import BlobId
from hypercore.hyperblobs.reading import BlobReader
from hypercore.hyperblobs.writing import BlobBatch, BlobWriter

__all__ = ["BLOCK_BYTES", "BlobBatch", "BlobId", "BlobReader", "BlobWriter", "Hyperblobs"]
