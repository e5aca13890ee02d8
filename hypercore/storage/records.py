"""Keys and values of everything that is stored: the record layout of the reference's key-value storage.

    00                                  store head      next free pointers, seed of the Corestore, first core
    01, discovery key                   core            pointers of a core, its name
    02, namespace, string name          alias           discovery key of a named core
    03, index core, 00                  auth            key, manifest, key pair
    03, index core, 01                  sessions        names and data pointers of named sessions
    04, index data, 00                  core head       fork, length, tree hash, signature
    04, index data, 01                  dependency      what a named session was made from
    04, index data, 02                  hints           contiguous length
    04, index data, 03, index block     block           as it was signed
    04, index data, 04, index node      tree node
    04, index data, 05, index page, 00  bitfield page   of 32768 blocks; only where one is missing
    04, index data, 06, string key      user data

``index`` and ``string`` are those of hypercore.encoding. Blocks below the contiguous length are all there and
need no page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hypercore.crypto import HASH_SIZE, KEY_SIZE, KeyPair
from hypercore.encoding import (
    encode_buffer,
    encode_index,
    encode_key_string,
    encode_name,
    encode_uint,
    get_buffer,
    get_count,
    get_fixed,
    get_uint,
    get_utf8,
)
from hypercore.errors import BadArgument, DecodingError
from hypercore.manifest import Manifest, decode_stored_manifest

STORE_HEAD_KEY = b"\x00"
CORES_START, CORES_END = b"\x01", b"\x02"

_RECORD_VERSION = 2

_AUTH = b"\x00"
_SESSIONS = b"\x01"
_HEAD = b"\x00"
_DEPENDENCY = b"\x01"
_HINTS = b"\x02"
_BLOCK = b"\x03"
_NODE = b"\x04"
_PAGE = b"\x05"
_USER_DATA = b"\x06"


def core_key(discovery_key: bytes) -> bytes:
    """Return the key of a core record."""
    return b"\x01" + discovery_key


def alias_key(namespace: bytes, name: str) -> bytes:
    """Return the key of an alias: the discovery key of the core with that name."""
    return b"\x02" + namespace + encode_key_string(encode_name(name))


def auth_prefix(core_pointer: int) -> bytes:
    """Return what the keys of all records about a core's keys begin with."""
    return b"\x03" + encode_index(core_pointer)


def auth_key(core_pointer: int) -> bytes:
    """Return the key of an auth record."""
    return auth_prefix(core_pointer) + _AUTH


def sessions_key(core_pointer: int) -> bytes:
    """Return the key of the list of a core's named sessions."""
    return auth_prefix(core_pointer) + _SESSIONS


def dependency_key(data_pointer: int) -> bytes:
    """Return the key that says what a named session was made from."""
    return b"\x04" + encode_index(data_pointer) + _DEPENDENCY


class CoreKeys:
    """The keys of the records of one core, with their common prefix made once.

    Attributes:
        head, hints: whole keys.
        block, node, page, user_data: prefixes; an index (or a key string) follows.
        everything: the prefix of all of them.
        data_pointer: what tells them from those of other cores.
    """

    __slots__ = ("block", "data_pointer", "everything", "head", "hints", "node", "page", "user_data")

    def __init__(self, data_pointer: int) -> None:
        prefix = b"\x04" + encode_index(data_pointer)
        self.data_pointer = data_pointer
        self.everything = prefix
        self.head = prefix + _HEAD
        self.hints = prefix + _HINTS
        self.block = prefix + _BLOCK
        self.node = prefix + _NODE
        self.page = prefix + _PAGE
        self.user_data = prefix + _USER_DATA

    def page_key(self, number: int) -> bytes:
        """Return the key of a bitfield page."""
        return self.page + encode_index(number) + b"\x00"

    def user_data_key(self, name: str) -> bytes:
        """Return the key of a value that the application keeps beside the core."""
        return self.user_data + encode_key_string(encode_name(name))


@dataclass(frozen=True, slots=True)
class StoreHead:
    """The store itself: the next free pointers, the Corestore's seed, the core that was made first."""

    cores: int = 0
    datas: int = 0
    groups: int = 0
    seed: bytes | None = None
    default_discovery_key: bytes | None = None

    def encode(self) -> bytes:
        """Return the stored bytes."""
        flags = (1 if self.seed is not None else 0) | (2 if self.default_discovery_key is not None else 0)
        counters = (_RECORD_VERSION, self.cores, self.datas, self.groups, flags)
        return b"".join(map(encode_uint, counters)) + (self.seed or b"") + (self.default_discovery_key or b"")

    @classmethod
    def decode(cls, buf: bytes) -> StoreHead:
        """Read the stored bytes.

        Raises:
            DecodingError: they are cut off or of another version.
        """
        pos = _expect_version(buf, "store head")
        cores, pos = get_uint(buf, pos)
        datas, pos = get_uint(buf, pos)
        groups, pos = get_uint(buf, pos)
        flags, pos = get_uint(buf, pos)
        seed = default = None
        if flags & 1:
            seed, pos = get_fixed(buf, pos, KEY_SIZE)
        if flags & 2:
            default, pos = get_fixed(buf, pos, KEY_SIZE)
        return cls(cores, datas, groups, seed, default)

    def with_core(self, discovery_key: bytes) -> StoreHead:
        """Return the head after a core was given the next pointers."""
        first = self.default_discovery_key if self.default_discovery_key is not None else discovery_key
        return replace(self, cores=self.cores + 1, datas=self.datas + 1, default_discovery_key=first)


@dataclass(frozen=True, slots=True)
class CoreRecord:
    """Where the records of a core are, and the name it was made for."""

    core_pointer: int
    data_pointer: int
    name: str | None = None
    namespace: bytes | None = None

    def encode(self) -> bytes:
        """Return the stored bytes."""
        pointers = b"".join(map(encode_uint, (_RECORD_VERSION, self.core_pointer, self.data_pointer)))
        if self.name is None or self.namespace is None:
            return pointers + b"\x00"
        return pointers + b"\x01" + encode_buffer(self.name.encode()) + self.namespace

    @classmethod
    def decode(cls, buf: bytes) -> CoreRecord:
        """Read the stored bytes.

        Raises:
            DecodingError: they are cut off or of another version.
        """
        pos = _expect_version(buf, "core record")
        core_pointer, pos = get_uint(buf, pos)
        data_pointer, pos = get_uint(buf, pos)
        flags, pos = get_uint(buf, pos)
        name = namespace = None
        if flags & 1:
            name, pos = get_utf8(buf, pos)
            namespace, pos = get_fixed(buf, pos, KEY_SIZE)
        return cls(core_pointer, data_pointer, name, namespace)


@dataclass(frozen=True, slots=True)
class Auth:
    """The key of a core, who may sign it, and the key pair if it is ours."""

    key: bytes
    discovery_key: bytes
    manifest: Manifest | None = None
    key_pair: KeyPair | None = None

    def encode(self) -> bytes:
        """Return the stored bytes."""
        flags = (1 if self.manifest is not None else 0) | (2 if self.key_pair is not None else 0)
        parts = [self.key, self.discovery_key, encode_uint(flags)]
        if self.manifest is not None:
            parts.append(encode_buffer(self.manifest.encode_stored()))
        if self.key_pair is not None:
            parts += (encode_buffer(self.key_pair.public_key), encode_buffer(self.key_pair.secret_key or b""))
        return b"".join(parts)

    @classmethod
    def decode(cls, buf: bytes) -> Auth:
        """Read the stored bytes.

        Raises:
            DecodingError: they are cut off or contradict themselves.
        """
        key, pos = get_fixed(buf, 0, KEY_SIZE)
        discovery_key, pos = get_fixed(buf, pos, KEY_SIZE)
        flags, pos = get_uint(buf, pos)
        manifest = key_pair = None
        if flags & 1:
            stored, pos = get_buffer(buf, pos)
            manifest = decode_stored_manifest(stored)
        if flags & 2:
            public_key, pos = get_buffer(buf, pos)
            secret_key, pos = get_buffer(buf, pos)
            try:
                key_pair = KeyPair(public_key, secret_key or None)
            except BadArgument as error:
                raise DecodingError(f"not an auth record: {error}") from None
        return cls(key, discovery_key, manifest, key_pair)


@dataclass(frozen=True, slots=True)
class CoreHead:
    """The signed state of a core.

    ``timestamp`` (ms since 1970) says when it was written; peers never see it.
    """

    fork: int
    length: int
    tree_hash: bytes
    signature: bytes | None
    timestamp: int | None = None

    def encode(self) -> bytes:
        """Return the stored bytes."""
        return encode_core_head(self.fork, self.length, self.tree_hash, self.signature or b"", self.timestamp)

    @classmethod
    def decode(cls, buf: bytes) -> CoreHead:
        """Read the stored bytes; older records end before the flags.

        Raises:
            DecodingError: they are cut off.
        """
        fork, pos = get_uint(buf, 0)
        length, pos = get_uint(buf, pos)
        tree_hash, pos = get_fixed(buf, pos, HASH_SIZE)
        signature, pos = get_buffer(buf, pos)
        flags, pos = get_uint(buf, pos) if pos < len(buf) else (0, pos)
        timestamp = None
        if flags & 1:
            raw, pos = get_fixed(buf, pos, 8)
            timestamp = int.from_bytes(raw, "little")
        return cls(fork, length, tree_hash, signature or None, timestamp)


def encode_core_head(
    fork: int, length: int, tree_hash: bytes, signature: bytes, timestamp: int | None
) -> bytes:
    """Return a core head as stored; the fields of CoreHead, for those who write one per append."""
    when = b"\x00" if timestamp is None else b"\x01" + timestamp.to_bytes(8, "little")
    return b"".join((encode_uint(fork), encode_uint(length), tree_hash, encode_buffer(signature), when))


@dataclass(frozen=True, slots=True)
class Sessions:
    """The named sessions of a core: the data pointer of each."""

    pointers: Mapping[str, int] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the stored bytes."""
        parts = [
            encode_buffer(encode_name(name)) + encode_uint(pointer) for name, pointer in self.pointers.items()
        ]
        return encode_uint(len(parts)) + b"".join(parts)

    @classmethod
    def decode(cls, buf: bytes) -> Sessions:
        """Read the stored bytes.

        Raises:
            DecodingError: they are cut off.
        """
        count, pos = get_count(buf, 0, 2)
        pointers = {}
        for _ in range(count):
            name, pos = get_utf8(buf, pos)
            pointers[name], pos = get_uint(buf, pos)
        return cls(pointers)


@dataclass(frozen=True, slots=True)
class Dependency:
    """What a named session was made from: the data pointer of that, and how many blocks they share."""

    data_pointer: int
    length: int

    def encode(self) -> bytes:
        """Return the stored bytes."""
        return encode_uint(self.data_pointer) + encode_uint(self.length)

    @classmethod
    def decode(cls, buf: bytes) -> Dependency:
        """Read the stored bytes.

        Raises:
            DecodingError: they are cut off.
        """
        data_pointer, pos = get_uint(buf, 0)
        length, pos = get_uint(buf, pos)
        return cls(data_pointer, length)


@dataclass(frozen=True, slots=True)
class Hints:
    """What can be worked out again, but is wanted at once; zero values are not written."""

    contiguous_length: int = 0
    remote_contiguous_length: int = 0
    recovering: int = 0

    def encode(self) -> bytes:
        """Return the stored bytes."""
        values = (self.contiguous_length, self.remote_contiguous_length, self.recovering)
        flags = sum(1 << place for place, value in enumerate(values) if value)
        return encode_uint(flags) + b"".join(encode_uint(value) for value in values if value)

    @classmethod
    def decode(cls, buf: bytes) -> Hints:
        """Read the stored bytes.

        Raises:
            DecodingError: they are cut off.
        """
        flags, pos = get_uint(buf, 0)
        values = []
        for place in range(3):
            value = 0
            if flags & 1 << place:
                value, pos = get_uint(buf, pos)
            values.append(value)
        return cls(*values)


def encode_contiguous_length(length: int) -> bytes:
    """Return hints as stored that have nothing else, for those who write them with each append."""
    return b"\x01" + encode_uint(length) if length else b"\x00"


def _expect_version(buf: bytes, what: str) -> int:
    version, pos = get_uint(buf, 0)
    if version != _RECORD_VERSION:
        raise DecodingError(f"a {what} has version {_RECORD_VERSION}, found {version}")
    return pos
