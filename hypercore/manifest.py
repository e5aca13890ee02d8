"""Manifests: who may sign a core. The core's key is the hash of its manifest.

The encoded form is hashed and travels between peers; the stored form is the same but for version 0, which is
stored in the layout of version 1.

    signer     = uint 0 (ed25519), namespace (32), public key (32)
    version 0  = 00, 00 (blake2b), 00, prologue hash                        no signers, a prologue
               | 00, 00, 01, signer                                         one signer, quorum 1, no patches
               | 00, 00, 02, uint allow_patch, uint quorum, array of signer
    version 1+ = uint version, uint flags, 00 (blake2b), uint quorum, array of signer
                 [flag 2: prologue hash, uint prologue length] [flag 4: array of keys]
                 [flag 8: buffer user data]
    flags      = 1 allow_patch | 2 prologue | 4 linked | 8 user data

On disk and on the wire, do not renumber.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypercore import crypto
from hypercore.encoding import encode_buffer, encode_uint, get_buffer, get_count, get_fixed, get_uint
from hypercore.errors import BadArgument, DecodingError

NEWEST_VERSION = 2

_ALLOW_PATCH = 1
_PROLOGUE = 2
_LINKED = 4
_USER_DATA = 8

_V0_STATIC = 0
_V0_SINGLE = 1
_V0_MULTI = 2

_SIGNER_SIZE = 1 + 2 * crypto.KEY_SIZE


@dataclass(frozen=True, slots=True)
class Signer:
    """One key that may sign, bound to a namespace."""

    public_key: bytes
    namespace: bytes = crypto.DEFAULT_NAMESPACE

    def __post_init__(self) -> None:
        _require_key(self.public_key, "the public key of a signer")
        _require_key(self.namespace, "the namespace of a signer")


@dataclass(frozen=True, slots=True)
class Prologue:
    """The tree that the core's first ``length`` blocks must have; no signature is needed up to there."""

    hash: bytes
    length: int

    def __post_init__(self) -> None:
        _require_key(self.hash, "the hash of a prologue")
        if self.length < 0:
            raise BadArgument(f"the length of a prologue is not negative, found {self.length}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Who may sign a core, and how many of them must.

    Attributes:
        version: 0, 1 or 2.
        quorum: how many different signers a valid signature needs.
        linked: keys of cores that belong to this one (version 2).
        user_data: bytes of the application (version 2); empty bytes are not None.
    """

    signers: tuple[Signer, ...] = ()
    version: int = 1
    quorum: int = 0
    allow_patch: bool = False
    prologue: Prologue | None = None
    linked: tuple[bytes, ...] = ()
    user_data: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.version <= NEWEST_VERSION:
            raise BadArgument(f"manifest version {self.version} is not known, 0 to {NEWEST_VERSION} are")
        if not 0 <= self.quorum <= len(self.signers):
            raise BadArgument(f"a quorum of {self.quorum} does not fit {len(self.signers)} signers")
        if self.version < 2 and (self.linked or self.user_data is not None):
            raise BadArgument(f"linked keys and user data need manifest version 2, found {self.version}")
        for key in self.linked:
            _require_key(key, "a linked key")

    @classmethod
    def create(
        cls,
        *signers: Signer,
        version: int | None = None,
        quorum: int | None = None,
        allow_patch: bool = False,
        prologue: Prologue | None = None,
        linked: tuple[bytes, ...] = (),
        user_data: bytes | None = None,
    ) -> Manifest:
        """Make a manifest with the usual defaults.

        The version is the oldest that can say it (but not 0), the quorum a majority.

        Raises:
            BadArgument: the fields do not fit each other.
        """
        if version is None:
            version = 2 if linked or user_data is not None else 1
        if quorum is None:
            quorum = len(signers) // 2 + 1 if signers else 0
        return cls(signers, version, quorum, allow_patch, prologue, linked, user_data)

    @classmethod
    def for_key(cls, public_key: bytes, version: int = 1) -> Manifest:
        """Return the manifest of a core that one key signs."""
        return cls.create(Signer(public_key), version=version)

    def encode(self) -> bytes:
        """Return the form that is hashed and sent."""
        return self._encode_version_0() if self.version == 0 else self.encode_stored()

    def encode_stored(self) -> bytes:
        """Return the form that is stored."""
        flags = (
            (_ALLOW_PATCH if self.allow_patch else 0)
            | (_PROLOGUE if self.prologue else 0)
            | (_LINKED if self.linked else 0)
            | (_USER_DATA if self.user_data is not None else 0)
        )
        parts = [bytes((self.version, flags, 0)), encode_uint(self.quorum), self._encode_signers()]
        if self.prologue:
            parts += (self.prologue.hash, encode_uint(self.prologue.length))
        if self.linked:
            parts += (encode_uint(len(self.linked)), *self.linked)
        if self.user_data is not None:
            parts.append(encode_buffer(self.user_data))
        return b"".join(parts)

    def key(self) -> bytes:
        """Return the key of the core that has this manifest."""
        return crypto.blake2b_256(crypto.MANIFEST + self.encode())

    def _encode_version_0(self) -> bytes:
        if self.prologue and not self.signers:
            return bytes((0, 0, _V0_STATIC)) + self.prologue.hash
        if len(self.signers) == 1 and self.quorum == 1 and not self.allow_patch:
            return bytes((0, 0, _V0_SINGLE)) + _encode_signer(self.signers[0])
        return bytes((0, 0, _V0_MULTI, self.allow_patch)) + encode_uint(self.quorum) + self._encode_signers()

    def _encode_signers(self) -> bytes:
        return encode_uint(len(self.signers)) + b"".join(map(_encode_signer, self.signers))


def decode_manifest(buf: bytes, pos: int = 0) -> tuple[Manifest, int]:
    """Read a manifest in the form that is sent and return it with the next position.

    Raises:
        DecodingError: it is cut off, of an unknown version or kind, or its fields contradict each other.
    """
    version, pos = get_uint(buf, pos)
    if version == 0:
        return _decode_version_0(buf, pos)
    return _decode_fields(buf, pos, version)


def decode_stored_manifest(buf: bytes) -> Manifest:
    """Read a manifest in the form that is stored.

    Raises:
        DecodingError: as decode_manifest.
    """
    version, pos = get_uint(buf, 0)
    return _decode_fields(buf, pos, version)[0]


def _decode_version_0(buf: bytes, pos: int) -> tuple[Manifest, int]:
    pos = _expect_blake2b(buf, pos)
    kind, pos = get_uint(buf, pos)
    if kind == _V0_STATIC:
        hash_, pos = get_fixed(buf, pos, crypto.HASH_SIZE)
        return Manifest(version=0, prologue=Prologue(hash_, 0)), pos  # version 0 does not tell the length
    if kind == _V0_SINGLE:
        signer, pos = _get_signer(buf, pos)
        return Manifest((signer,), version=0, quorum=1), pos
    if kind == _V0_MULTI:
        flags, pos = get_uint(buf, pos)
        quorum, pos = get_uint(buf, pos)
        signers, pos = _get_signers(buf, pos)
        return _build(signers, 0, quorum, bool(flags & _ALLOW_PATCH), None, (), None), pos
    raise DecodingError(f"a manifest of version 0 has kind 0 to 2, found {kind}")


def _decode_fields(buf: bytes, pos: int, version: int) -> tuple[Manifest, int]:
    if version > NEWEST_VERSION:
        raise DecodingError(f"manifest version {version} is not known, 0 to {NEWEST_VERSION} are")
    flags, pos = get_uint(buf, pos)
    pos = _expect_blake2b(buf, pos)
    quorum, pos = get_uint(buf, pos)
    signers, pos = _get_signers(buf, pos)
    prologue, linked, user_data = None, [], None
    if flags & _PROLOGUE:
        hash_, pos = get_fixed(buf, pos, crypto.HASH_SIZE)
        length, pos = get_uint(buf, pos)
        prologue = Prologue(hash_, length)
    if flags & _LINKED:
        count, pos = get_count(buf, pos, crypto.KEY_SIZE)
        for _ in range(count):
            key, pos = get_fixed(buf, pos, crypto.KEY_SIZE)
            linked.append(key)
    if flags & _USER_DATA:
        user_data, pos = get_buffer(buf, pos)
    return _build(
        signers, version, quorum, bool(flags & _ALLOW_PATCH), prologue, tuple(linked), user_data
    ), pos


def _build(
    signers: tuple[Signer, ...],
    version: int,
    quorum: int,
    allow_patch: bool,
    prologue: Prologue | None,
    linked: tuple[bytes, ...],
    user_data: bytes | None,
) -> Manifest:
    try:
        return Manifest(signers, version, quorum, allow_patch, prologue, linked, user_data)
    except BadArgument as error:
        raise DecodingError(f"not a manifest: {error}") from None


def _expect_blake2b(buf: bytes, pos: int) -> int:
    hash_id, pos = get_uint(buf, pos)
    if hash_id != 0:
        raise DecodingError(f"the hash of a manifest is 0 (blake2b), found {hash_id}")
    return pos


def _encode_signer(signer: Signer) -> bytes:
    return b"\x00" + signer.namespace + signer.public_key


def _get_signer(buf: bytes, pos: int) -> tuple[Signer, int]:
    signature_id, pos = get_uint(buf, pos)
    if signature_id != 0:
        raise DecodingError(f"the signature of a signer is 0 (ed25519), found {signature_id}")
    namespace, pos = get_fixed(buf, pos, crypto.KEY_SIZE)
    public_key, pos = get_fixed(buf, pos, crypto.KEY_SIZE)
    return Signer(public_key, namespace), pos


def _get_signers(buf: bytes, pos: int) -> tuple[tuple[Signer, ...], int]:
    count, pos = get_count(buf, pos, _SIGNER_SIZE)
    signers = []
    for _ in range(count):
        signer, pos = _get_signer(buf, pos)
        signers.append(signer)
    return tuple(signers), pos


def _require_key(data: bytes, what: str) -> None:
    if len(data) != crypto.KEY_SIZE:
        raise BadArgument(f"{what} has {crypto.KEY_SIZE} bytes, found {len(data)}")
