"""Opening a core of a store by what the caller knows of it."""

from __future__ import annotations

from collections.abc import Callable

from hypercore import crypto
from hypercore.core.state import CoreState
from hypercore.crypto import KeyPair
from hypercore.errors import BadArgument, InvalidSignature
from hypercore.ids import encode_id
from hypercore.manifest import Manifest
from hypercore.signing import Authority
from hypercore.storage import Database
from hypercore.storage.records import Auth


def open_core(
    database: Database,
    *,
    key: bytes | None = None,
    key_pair: KeyPair | None = None,
    manifest: Manifest | None = None,
    alias: tuple[bytes, str] | None = None,
    find_open: Callable[[bytes], CoreState | None] = lambda discovery_key: None,
) -> CoreState:
    """Return the state of a core of the store; a core that is not stored yet is made.

    Args:
        database: the store.
        key: of the core; by default that of the manifest.
        key_pair: who signs. What was not known of a stored core is stored.
        manifest: who may sign; by default the key pair alone.
        alias: namespace and name of the core.
        find_open: returns the state of a core that is open already, given its discovery key.

    Raises:
        BadArgument: neither key nor key pair nor manifest, or they do not belong together.
        StorageError: the store failed.
    """
    if manifest is None and key_pair is not None:
        manifest = Manifest.for_key(key_pair.public_key)
    if key is None:
        if manifest is None:
            raise BadArgument("a core is opened by a key, a key pair or a manifest, found none of them")
        key = manifest.key()
    if len(key) != crypto.KEY_SIZE:
        raise BadArgument(f"a key has {crypto.KEY_SIZE} bytes, found {len(key)}")
    discovery_key = crypto.discovery_key(key)
    record = database.core(discovery_key)
    if record is None:
        if manifest is not None:
            _check(key, manifest, key_pair)
        database.create_core(key, manifest, key_pair, alias)
        return CoreState(database, discovery_key)
    state = find_open(discovery_key) or CoreState(database, discovery_key)
    _complete(state, manifest, key_pair)
    if alias is not None and record.name is None:
        state.record = database.add_alias(record, discovery_key, *alias)
    return state


def _complete(state: CoreState, manifest: Manifest | None, key_pair: KeyPair | None) -> None:
    """Store what was not known of a core."""
    known = state.manifest if state.manifest is not None else manifest
    if known is None or (state.manifest is not None and key_pair is None):
        return
    _check(state.key, known, key_pair)
    auth = Auth(state.key, state.discovery_key, known, key_pair or state.key_pair)
    if auth != state.auth:
        state.database.update_auth(state.record, auth)
        state.key_pair = auth.key_pair
        state.adopt_manifest(known)


def _check(key: bytes, manifest: Manifest, key_pair: KeyPair | None) -> None:
    try:
        authority = Authority(key, manifest)
    except InvalidSignature:
        raise BadArgument(f"core {encode_id(key)} belongs to another key pair or manifest") from None
    if key_pair is not None and not authority.names(key_pair.public_key):
        raise BadArgument(
            f"the manifest of core {encode_id(key)} does not name {key_pair.public_key.hex()} as a signer"
        )
