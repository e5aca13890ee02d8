"""Ways to damage bytes."""

from collections.abc import Callable, Iterator

from hypercore.errors import DecodingError


def cuts(data: bytes) -> Iterator[bytes]:
    """Iterate over every proper beginning of the bytes."""
    return (data[:size] for size in range(len(data)))


def flips(data: bytes) -> Iterator[bytes]:
    """Iterate over copies in which one byte is changed: one bit, the highest bit, or all of them."""
    for place, byte in enumerate(data):
        for mask in (0x01, 0x80, 0xFF):
            yield data[:place] + bytes((byte ^ mask,)) + data[place + 1 :]


def refuses(decode: Callable[[bytes], object], data: bytes) -> bool:
    """Return whether a decoder raises DecodingError; any other exception is passed on."""
    try:
        decode(data)
    except DecodingError:
        return True
    return False
