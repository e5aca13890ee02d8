"""What a drive knows of a file: the values of its bee, as JSON with these keys in this order.

{"executable":false,"linkname":null,"blob":{"blockOffset":0,...},"metadata":null}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypercore import js_json
from hypercore.errors import BadArgument, DecodingError
from hypercore.hyperbee import Entry
from hypercore.hyperblobs import BlobId

_NUMBER = rb"(0|[1-9]\d{0,14})"
# Nearly every entry is that of a plain file: read and written without a JSON parser.
_is_plain_file = re.compile(
    rb'\{"executable":(true|false),"linkname":null,"blob":\{"blockOffset":'
    + _NUMBER
    + rb',"byteOffset":'
    + _NUMBER
    + rb',"blockLength":'
    + _NUMBER
    + rb',"byteLength":'
    + _NUMBER
    + rb'\},"metadata":null\}'
).fullmatch
_PLAIN_FILE = (
    b'{"executable":%s,"linkname":null,"blob":{"blockOffset":%d,"byteOffset":%d,"blockLength":%d,'
    b'"byteLength":%d},"metadata":null}'
)


@dataclass(slots=True)
class DriveEntry:
    """A file or a symbolic link.

    Attributes:
        seq: the block of the drive's bee that says so; the newer of two entries has the larger one.
        path: from the top of the drive on.
        executable: whether it is a program.
        linkname: what a link points to, as it was given; None for a file.
        blob: where the data is; None for a link.
        metadata: whatever JSON value came with it.
    """

    seq: int
    path: str
    executable: bool
    linkname: str | None
    blob: BlobId | None
    metadata: Any


@dataclass(slots=True)
class DriveDifference:
    """A path that is not the same in two versions: its entry in each, None where it is not."""

    left: DriveEntry | None
    right: DriveEntry | None


def encode_entry(
    executable: bool, linkname: str | None, blob: BlobId | Mapping[str, Any] | None, metadata: Any
) -> bytes:
    """Return the value of an entry.

    Raises:
        BadArgument: the metadata has no JSON, or what has to be text is not.
    """
    if metadata is None and linkname is None and type(blob) is BlobId and not blob.block_map:
        flag = b"true" if executable else b"false"
        return _PLAIN_FILE % (
            flag,
            blob.block_offset,
            blob.byte_offset,
            blob.block_length,
            blob.byte_length,
        )
    if linkname is not None and not isinstance(linkname, str):
        raise BadArgument(f"a link points to a path, found {type(linkname).__name__}")
    fields = {
        "executable": bool(executable),
        "linkname": linkname,
        "blob": blob.as_json() if isinstance(blob, BlobId) else blob,
        "metadata": metadata,
    }
    return js_json.dumps(fields).encode()


def decode_entry(seq: int, path: str, value: bytes | None) -> DriveEntry:
    """Return an entry of the bee.

    Raises:
        DecodingError: its value is not that of an entry; the message names block and path.
    """
    if value is not None:
        plain = _is_plain_file(value)
        if plain is not None:
            flag, block_offset, byte_offset, block_length, byte_length = plain.groups()
            blob = BlobId(int(block_offset), int(byte_offset), int(block_length), int(byte_length))
            return DriveEntry(seq, path, flag == b"true", None, blob, None)
    try:
        return _decode_fields(seq, path, value)
    except DecodingError as error:
        raise DecodingError(f"block {seq}: {path!r} is no entry of a drive: {error}") from None


def entry_of(found: Entry | None) -> DriveEntry | None:
    """Return what an entry of the bee says; None stays None."""
    return None if found is None else decode_entry(found.seq, found.key, found.value)


def _decode_fields(seq: int, path: str, value: bytes | None) -> DriveEntry:
    fields = js_json.loads((value or b"").decode("utf-8", "replace"))
    if not isinstance(fields, dict):
        raise DecodingError(f"an object wanted, found {type(fields).__name__}")
    executable, linkname, blob = (fields.get(name) for name in ("executable", "linkname", "blob"))
    if not isinstance(executable, (bool, type(None))):
        raise DecodingError(f"executable is true or false, found {type(executable).__name__}")
    if not isinstance(linkname, (str, type(None))):
        raise DecodingError(f"linkname is text, found {type(linkname).__name__}")
    blob_id = None if blob is None else BlobId.from_json(blob)
    return DriveEntry(seq, path, bool(executable), linkname, blob_id, fields.get("metadata"))
