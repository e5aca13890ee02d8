"""What is wrong with the records of a whole store: which name leads where, and whose records are whose."""

from __future__ import annotations

from collections.abc import Iterator

from hypercore.crypto import ROOT_NAMESPACE
from hypercore.errors import BadArgument, DecodingError, StorageCorrupt
from hypercore.storage import Database
from hypercore.storage.records import Auth, CoreRecord, Sessions, core_key, sessions_key


def audit_store(database: Database) -> Iterator[str]:
    """Iterate over what is wrong with the records of a store, one sentence each; nothing when all is well.

    Every name has to lead to the core that has it, every auth record has to be where its core looks for it,
    and no number that is taken may be given away once more. What keeps a core from being opened is said when
    that core is. Nothing is changed.

    Raises:
        StorageError: the storage cannot be read; the message names it.
    """
    yield from _audit_pointers(database)
    yield from _audit_aliases(database)
    yield from _audit_names(database)
    yield from _audit_auths(database)


def _audit_pointers(database: Database) -> Iterator[str]:
    last_core = last_data = -1
    for _, record in _records(database):
        last_core = max(last_core, record.core_pointer)
        last_data = max(last_data, record.data_pointer, *_session_pointers(database, record))
    free_core, free_data = database.free_pointers
    if last_core >= free_core:
        yield f"the next core is going to get number {free_core}, but those up to {last_core} are taken"
    if last_data >= free_data:
        yield f"the next data is going to get number {free_data}, but those up to {last_data} are taken"


def _audit_aliases(database: Database) -> Iterator[str]:
    for namespace, name, core in database.aliases():
        record = _record(database, core)
        if record is None:
            if _is_missing(database, core):
                yield f"{_in_words(namespace, name)} leads to core {core.hex()}, which is not there"
        elif (record.namespace, record.name) != (namespace, name):
            yield f"{_in_words(namespace, name)} leads to core {core.hex()}, which does not have it"


def _audit_names(database: Database) -> Iterator[str]:
    """Check the names that cores have, where it was not said of the alias that it leads elsewhere."""
    for core, record in _records(database):
        if record.namespace is None or record.name is None:
            continue
        which = _in_words(record.namespace, record.name)
        found = database.alias(record.namespace, record.name)
        if found is None:
            yield f"{which} does not lead to core {core.hex()}, which has it"
        elif found != core:
            other = _record(database, found)
            if other is not None and (other.namespace, other.name) == (record.namespace, record.name):
                yield f"{which} leads to core {found.hex()}, but core {core.hex()} has it, too"


def _audit_auths(database: Database) -> Iterator[str]:
    for pointer, stored in database.auth_records():
        try:
            core = Auth.decode(stored).discovery_key
        except (DecodingError, BadArgument):
            continue  # its core cannot be opened
        record = _record(database, core)
        if record is None:
            if _is_missing(database, core):
                yield f"auth record {pointer} is that of core {core.hex()}, which is not there"
        elif record.core_pointer != pointer:
            own = record.core_pointer
            yield f"auth record {pointer} is that of core {core.hex()}, which looks for it in {own}"


def _records(database: Database) -> Iterator[tuple[bytes, CoreRecord]]:
    for core in database.cores():
        record = _record(database, core)
        if record is not None:
            yield core, record


def _record(database: Database, core: bytes) -> CoreRecord | None:
    """Return the record of a core, None if there is none that can be read."""
    try:
        return database.core(core)
    except StorageCorrupt:
        return None


def _is_missing(database: Database, core: bytes) -> bool:
    return database.store.get(core_key(core)) is None


def _session_pointers(database: Database, record: CoreRecord) -> list[int]:
    stored = database.store.get(sessions_key(record.core_pointer))
    try:
        return [] if stored is None else list(Sessions.decode(stored).pointers.values())
    except DecodingError:
        return []


def _in_words(namespace: bytes, name: str) -> str:
    where = "" if namespace == ROOT_NAMESPACE else f" in namespace {namespace.hex()}"
    return f"the name {name!r}{where}"
