"""Reading what can still be read of a store with damaged files."""

from __future__ import annotations

from collections.abc import Iterator

from hypercore.encoding import MAX_UINT, decode_index, encode_index
from hypercore.errors import DecodingError, StorageCorrupt
from hypercore.storage.keyvalue import Reader


class Salvage:
    """What can still be read from a store: what cannot is as if it were not there.

    Attributes:
        reasons: why something could not be read, each once.
    """

    def __init__(self, store: Reader) -> None:
        self.reasons: list[str] = []
        self._store = store

    def get(self, key: bytes, /) -> bytes | None:
        """Return the value of a key, None if there is none that can be read."""
        try:
            return self._store.get(key)
        except StorageCorrupt as error:
            self._note(error)
            return None

    def items(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the entries that can be read whose keys are the prefix and an index, in key order."""
        start, stop = prefix, prefix + b"\xff"
        while True:
            last = start
            try:
                for key, value in self._store.items(start, stop):
                    yield key, value
                    last = key
                return
            except StorageCorrupt as error:
                self._note(error)
            try:
                index = -1 if last == prefix else decode_index(last, len(prefix))[0]
            except DecodingError:
                return
            start = prefix + encode_index(self._first_readable(prefix, index))

    def _first_readable(self, prefix: bytes, bad: int) -> int:
        """Return from which index on entries can be read again, above the last that was read."""
        step = 1
        while not self._is_readable(prefix, bad + step):
            bad, step = bad + step, 2 * step
        good = bad + step
        while good - bad > 1:
            middle = (bad + good) // 2
            if self._is_readable(prefix, middle):
                good = middle
            else:
                bad = middle
        return good

    def _is_readable(self, prefix: bytes, index: int) -> bool:
        """Return whether the first entry from an index on can be read, or there is none."""
        if index > MAX_UINT:
            return True
        try:
            next(self._store.items(prefix + encode_index(index), prefix + b"\xff"), None)
        except StorageCorrupt:
            return False
        return True

    def _note(self, error: StorageCorrupt) -> None:
        if str(error) not in self.reasons:
            self.reasons.append(str(error))
