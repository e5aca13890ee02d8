"""Which entries of a drive are in a folder, and below it.

There are no entries for folders: a folder is there as long as a file is below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from hypercore.codecs import codec
from hypercore.errors import DecodingError
from hypercore.hyperbee import Entry
from hypercore.hyperdrive.entries import DriveEntry, decode_entry
from hypercore.hyperdrive.paths import normalize_folder

IsIgnored = Callable[[str], bool]
Ignore = str | Iterable[str] | IsIgnored
"""Paths to leave out, with all below them; or a function that says so of a path."""

_UTF8 = codec("utf-8")

# The first character behind the slash: keys of a folder lie between the two.
_BEHIND_SLASH = "0"


class PathCodec:
    """The key encoding of a drive below its prefix: paths in UTF-8."""

    def encode(self, value: Any) -> bytes:
        """Return the bytes of a path."""
        try:
            return value.encode()  # type: ignore[no-any-return]
        except UnicodeEncodeError:
            return _UTF8.encode(value)

    def decode(self, data: bytes) -> str:
        """Return the path of bytes.

        Raises:
            DecodingError: they are not UTF-8: no drive has written that.
        """
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise DecodingError(f"the path of an entry is not UTF-8: {error}") from None


class Items(Protocol):
    """``items`` of a bee with the keys of a drive."""

    def __call__(
        self, *, gt: str | None = None, gte: str | None = None, lt: str | None = None, reverse: bool = False
    ) -> Iterator[Entry]:
        """Iterate over a range."""


def bounds(folder: str) -> tuple[str, str]:
    """Return what all paths below a folder lie between, given its normal path."""
    return folder + "/", folder + _BEHIND_SLASH


def walk(
    items: Items, folder: str, is_ignored: IsIgnored | None, *, reverse: bool = False
) -> Iterator[DriveEntry]:
    """Iterate over all entries below a folder in the order of their paths."""
    lower, upper = bounds(folder)
    for found in items(gt=lower, lt=upper, reverse=reverse):
        if is_ignored is None or not is_ignored(found.key):
            yield decode_entry(found.seq, found.key, found.value)


def children(
    items: Items, folder: str, is_ignored: IsIgnored | None = None
) -> Iterator[tuple[str, DriveEntry]]:
    """Iterate over the names in a folder, each with its entry, or the first below it if it is a folder.

    A name that is that of a file and of a folder comes once, as a file. What lies deeper is not read.
    """
    behind = len(folder) + 1
    lower, end = bounds(folder)
    rest = items(gt=lower, lt=end)
    while (found := next(rest, None)) is not None:
        if is_ignored is not None and is_ignored(found.key):
            continue
        name, slash, _ = found.key[behind:].partition("/")
        path = f"{folder}/{name}"
        if not slash:
            yield name, decode_entry(found.seq, found.key, found.value)
        elif name:
            beside = next(items(gte=path, lt=path + "\0"), None)
            if beside is None or (is_ignored is not None and is_ignored(path)):
                yield name, decode_entry(found.seq, found.key, found.value)
            rest = items(gte=path + _BEHIND_SLASH, lt=end)


def ignoring(ignore: Ignore) -> IsIgnored | None:
    """Return what says of a path whether it is left out, None if none is.

    Raises:
        BadArgument: a path is none.
    """
    if callable(ignore):
        return ignore
    paths = [ignore] if isinstance(ignore, str) else list(ignore)
    folders = [normalize_folder(path) for path in paths]
    if not folders:
        return None
    return lambda path: any(path == each or path.startswith(each + "/") for each in folders)
