"""Paths in a drive: which text means which file.

A path begins with a slash, has no empty part, no "." and no "..", and does not end with a slash. What people
and other systems write is turned into that: backslashes, drive letters, URLs. Case and Unicode form stay.
"""

from __future__ import annotations

import re

from hypercore.errors import BadArgument

# A path that is normal already: nothing to do for most.
_is_normal = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[^/\\]+)+").fullmatch
_split = re.compile(r"[/\\]").split


def normalize_path(path: str) -> str:
    """Return the path of a file.

    Raises:
        BadArgument: it is not text, leads above the drive, or is that of the drive itself.
    """
    if isinstance(path, str) and _is_normal(path):
        return path
    normal = resolve("/", path)
    if normal == "/":
        raise BadArgument(f"{path!r} is not the path of a file")
    return normal


def normalize_folder(path: str) -> str:
    """Return the path of a folder without the slash at its end: that of the drive itself is empty.

    Raises:
        BadArgument: it is not text, or leads above the drive.
    """
    normal = resolve("/", path)
    return "" if normal == "/" else normal


def is_normal(path: str) -> bool:
    """Return whether a path is one that ``normalize_path`` returns."""
    return _is_normal(path) is not None


def resolve(folder: str, path: str) -> str:
    """Return where a path leads that may be relative to a folder; the drive itself is "/".

    Raises:
        BadArgument: it is not text, or leads above the drive.
    """
    if not isinstance(path, str):
        raise BadArgument(f"a path is text, found {type(path).__name__}")
    parts, is_absolute = _parts(path)
    kept: list[str] = []
    for part in parts if is_absolute else [*_parts(folder)[0], *parts]:
        if part in ("", "."):
            continue
        if part != "..":
            kept.append(part)
        elif kept:
            kept.pop()
        else:
            raise BadArgument(f"the path {path!r} leads above the drive")
    return "/" + "/".join(kept)


def _parts(path: str) -> tuple[list[str], bool]:
    """Return the parts between slashes, and whether they start at the drive itself."""
    parts = _split(path)
    first = parts[0]
    if len(parts) > 1 and first.endswith(":"):
        # A letter of Windows or a file URL loses just that, other URLs their host, too.
        is_local = first == "file:" or (len(first) == 2 and first[0] <= "\uffff")
        return parts[1:] if is_local else parts[3:], True
    return parts, path.startswith(("/", "\\"))
