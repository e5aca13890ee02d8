"""Bytes that an application keeps beside a core."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

from hypercore.core.commits import Commit
from hypercore.core.state import CoreState
from hypercore.encoding import decode_key_string
from hypercore.errors import StorageCorrupt
from hypercore.ids import encode_id


class UserData(MutableMapping[str, bytes]):
    """A mapping from names to bytes, each stored at once; not part of the log, and not signed.

    Beside what a mapping raises it may raise StorageError.
    """

    def __init__(self, core: CoreState) -> None:
        self._core = core

    def __getitem__(self, name: str) -> bytes:
        value = self._core.store.get(self._core.keys.user_data_key(name))
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: bytes) -> None:
        self._put(name, value)

    def __delitem__(self, name: str) -> None:
        self[name]
        self._put(name, None)

    def __iter__(self) -> Iterator[str]:
        core = self._core
        prefix = core.keys.user_data
        for key in core.store.keys(prefix, prefix + b"\xff"):
            name = decode_key_string(key, len(prefix)).decode("utf-8", "replace")
            if core.keys.user_data_key(name) != key:
                raise StorageCorrupt(
                    f"{core.database.name}: core {encode_id(core.key)}: the name of a value beside it is "
                    f"damaged: {key[len(prefix) :]!r}"
                )
            yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _put(self, name: str, value: bytes | None) -> None:
        with Commit(self._core.database) as commit:
            commit.put_user_data(self._core, name, value)
