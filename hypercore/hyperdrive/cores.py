"""The two cores of a drive: a Hyperbee of entries, and which core the blobs are in.

1. The header of the bee names it.
2. Else the manifest of the bee does: each of its signers signs the blobs, too, in a namespace of its own.

       namespace of a signer = H(BLOBS, key of the bee, its namespace in the bee)

3. Else, where the manifest says nothing (compat cores, version 0), it is the core that the store knows as
   "ID/blobs", and a new bee names it in its header.
"""

from __future__ import annotations

from dataclasses import replace

from hypercore.core import Hypercore
from hypercore.corestore import Corestore
from hypercore.crypto import KEY_SIZE, KeyPair, blake2b_256, namespaces
from hypercore.errors import DecodingError
from hypercore.hyperbee import Metadata, decode_header
from hypercore.manifest import Manifest

DB_NAME = "db"
"""What a store calls the bee of a drive."""

(_BLOBS,) = namespaces("hyperdrive", 1)


def open_db(
    store: Corestore, key: bytes | str | None, encryption_key: bytes | None, *, compat: bool
) -> Hypercore:
    """Open the core of the entries: that of a key, or the one of this store, as a compat core or not."""
    if key is not None:
        return store.get(key=key, encryption_key=encryption_key)
    if not compat:
        return store.get(name=DB_NAME, encryption_key=encryption_key)
    key_pair = store.create_key_pair(DB_NAME)
    return store.get(key=key_pair.public_key, key_pair=key_pair, encryption_key=encryption_key)


def content_manifest(manifest: Manifest | None, key: bytes) -> Manifest | None:
    """Return the manifest of the blobs of a drive, given that of its bee and its key.

    None where the manifest of the bee does not decide it: see the rules above.
    """
    if manifest is None or manifest.version == 0 or manifest.key() != key:
        return None
    signers = tuple(
        replace(signer, namespace=blake2b_256(_BLOBS + key + signer.namespace)) for signer in manifest.signers
    )
    return Manifest(signers, manifest.version, manifest.quorum, manifest.allow_patch)


def open_blobs(
    store: Corestore, db: Hypercore, encryption_key: bytes | None
) -> tuple[Hypercore, Metadata | None]:
    """Open the core of the blobs; also return what the header of the bee is to carry.

    Raises:
        BlockNotAvailable: it is known when the header of the bee is here.
        DecodingError: the bee is none, or does not say which core it is.
    """
    is_new = db.length == 0 and db.writable
    metadata = Metadata() if is_new else _header(db)
    if metadata is not None and metadata.content_feed is not None:
        if len(metadata.content_feed) < KEY_SIZE:
            raise DecodingError(f"the bee of drive {db.id} names a core of blobs by less than a key")
        return store.get(key=metadata.content_feed[:KEY_SIZE], encryption_key=encryption_key), metadata
    manifest = content_manifest(db.manifest, db.key)
    if manifest is not None:
        key_pair = db.key_pair if db.writable else None
        return store.get(manifest=manifest, key_pair=key_pair, encryption_key=encryption_key), metadata
    if not is_new:
        raise DecodingError(f"the bee of drive {db.id} does not say which core its blobs are in")
    blobs = _open_named(store, db, store.create_key_pair(f"{db.id}/blobs"), encryption_key)
    return blobs, Metadata(blobs.key)


def _header(db: Hypercore) -> Metadata | None:
    try:
        return decode_header(db.get(0))
    except DecodingError as error:
        raise DecodingError(f"core {db.id} is no Hyperdrive: {error}") from None


def _open_named(
    store: Corestore, db: Hypercore, key_pair: KeyPair, encryption_key: bytes | None
) -> Hypercore:
    """Open a core of the same age as the bee."""
    if db.manifest is not None and db.manifest.key() == db.key:
        manifest = Manifest.for_key(key_pair.public_key, db.manifest.version)
        return store.get(manifest=manifest, key_pair=key_pair, encryption_key=encryption_key)
    return store.get(key=key_pair.public_key, key_pair=key_pair, encryption_key=encryption_key)
