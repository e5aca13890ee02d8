"""What is wrong with a core, with the bitfield of its blocks and with its named sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from hypercore import flat_tree
from hypercore.bitfield import PAGE_BITS, PAGE_BYTES, Bitfield
from hypercore.core.audit_walk import Progress, Runs, StoredLog, audit_log, leads_nowhere, read_index
from hypercore.core.salvage import Salvage
from hypercore.core.state import CoreState
from hypercore.errors import DecodingError, InvalidOperation, StorageCorrupt
from hypercore.merkle import MerkleTree, Node
from hypercore.storage.records import CoreHead, CoreKeys, Dependency, Sessions, dependency_key, sessions_key


def audit_core(core: CoreState, progress: Progress = lambda blocks: None) -> Iterator[str]:
    """Iterate over what is wrong with a core, one sentence each; nothing when all is well.

    Every stored block is hashed and compared with its tree node, every tree node with its children, the roots
    with the signature, and what is said to be stored with what is; likewise what its named sessions have of
    their own. Nothing is changed, and memory does not grow with the core.

    ``progress`` gets the blocks of the core and of its sessions; ``blocks_to_audit`` is their sum.

    What damaged storage cannot give back is missing; the storage's own words about it come last.

    Raises:
        StorageError: the storage cannot be read at all; the message names it.
    """
    if not core.verify():
        yield f"the signature does not hold for the tree of {core.tree.length} blocks"
    store = Salvage(core.store)
    yield from _audit_pages(core, store)
    log = StoredLog(store, core.keys, "core", "signed", core.tree.length)
    yield from audit_log(log, _stored_runs(core, store), progress)
    yield from _audit_sessions(core, store, progress)
    yield from store.reasons


def blocks_to_audit(core: CoreState) -> int:
    """Return how many blocks an audit is going to count when none is missing and none too many."""
    store = Salvage(core.store)
    count = sum(stop - start for start, stop in _stored_runs(core, store))
    with suppress(DecodingError):  # the audit is going to say it
        for pointer in _sessions(core, store).pointers.values():
            with suppress(DecodingError):
                session = _Session(store, pointer)
                count += max(session.length - session.dependency.length, 0)
    return count


# --- the bitfield -------------------------------------------------------------------------------------------


def _audit_pages(core: CoreState, store: Salvage) -> Iterator[str]:
    """Check the pages of the bitfield: any bits below the contiguous length, none behind the end."""
    length = core.tree.length
    for key, page in store.items(core.keys.page):
        number = read_index(key, core.keys.page, b"\x00")
        if number is None:
            yield leads_nowhere(key)
            continue
        if len(page) != PAGE_BYTES:
            yield f"page {number} of the bitfield has {len(page)} bytes, not {PAGE_BYTES}"
        for start, stop in _runs_of_page(number, page, length, (number + 1) * PAGE_BITS):
            which = f"block {start} is" if stop == start + 1 else f"blocks {start} to {stop - 1} are"
            yield f"{which} said to be stored behind the end of the core, at {length}"
            break  # a page of garbage has thousands of them


def _stored_runs(core: CoreState, store: Salvage) -> Runs:
    """Iterate over the blocks that are said to be stored, as records say it and not what is remembered."""
    start, stop = 0, core.contiguous_length
    for key, page in store.items(core.keys.page):
        number = read_index(key, core.keys.page, b"\x00")
        if number is None:
            continue
        for first, last in _runs_of_page(number, page, core.contiguous_length, core.tree.length):
            if first > stop:
                if start < stop:
                    yield start, stop
                start = first
            stop = last
    if start < stop:
        yield start, stop


def _runs_of_page(number: int, page: bytes, start: int, end: int) -> Runs:
    first = number * PAGE_BITS
    return Bitfield([number], lambda _: page).runs(max(start, first), min(end, first + PAGE_BITS))


# --- named sessions -----------------------------------------------------------------------------------------


class _Session:
    """The records of a named session: its head, and what it was made from.

    Raises:
        DecodingError: they are missing, or damaged.
    """

    def __init__(self, store: Salvage, pointer: int) -> None:
        self.keys = CoreKeys(pointer)
        stored = store.get(dependency_key(pointer))
        if stored is None:
            raise DecodingError("it has no dependency record")
        try:
            self.dependency = Dependency.decode(stored)
        except DecodingError as error:
            raise DecodingError(f"its dependency record is damaged: {error}") from None
        stored = store.get(self.keys.head)
        if stored is None and self.dependency.length:
            raise DecodingError("it has no head record")
        try:
            self.head = None if stored is None else CoreHead.decode(stored)
        except DecodingError as error:
            raise DecodingError(f"its head record is damaged: {error}") from None
        self.length = 0 if self.head is None else self.head.length


def _sessions(core: CoreState, store: Salvage) -> Sessions:
    stored = store.get(sessions_key(core.record.core_pointer))
    return Sessions() if stored is None else Sessions.decode(stored)


def _audit_sessions(core: CoreState, store: Salvage, progress: Progress) -> Iterator[str]:
    try:
        sessions = _sessions(core, store)
    except DecodingError as error:
        yield f"the list of sessions is damaged: {error}"
        return
    known = {core.keys.data_pointer, *sessions.pointers.values()}
    for name, pointer in sessions.pointers.items():
        try:
            session = _Session(store, pointer)
        except DecodingError as error:
            yield f"session {name!r} cannot be read: {error}"
            continue
        for finding in _audit_session(core, store, session, known, progress):
            yield f"session {name!r}: {finding}"


def _audit_session(
    core: CoreState, store: Salvage, session: _Session, known: set[int], progress: Progress
) -> Iterator[str]:
    source, shared = session.dependency.data_pointer, session.dependency.length
    if source not in known or source == session.keys.data_pointer:
        yield f"it was made from data {source}, which is neither the core nor another session of it"
    if shared > session.length:
        yield f"it has {session.length} blocks, but shares {shared}"
        shared = session.length
    elif core.fork == 0 and source == core.keys.data_pointer and shared > core.tree.length:
        yield f"it shares {shared} blocks with the core, which has {core.tree.length}"
    log = StoredLog(
        store, session.keys, "session", "appended", session.length, shared, _shared_nodes(core, session)
    )
    yield from _audit_roots(log, session)
    yield from audit_log(log, iter([(shared, session.length)] if shared < session.length else []), progress)


def _audit_roots(log: StoredLog, session: _Session) -> Iterator[str]:
    """Compare the roots with the head; nothing is said where the core's part of them is not certain."""
    wanted = flat_tree.full_roots(log.length)
    roots = []
    for index in wanted:
        if log.shares(index):
            root = log.shared_node(index)
        else:
            root = log.node(index)
            if not log.has_node(index):
                yield from log.missing_node(index)
        if root is not None:
            roots.append(root)
    if session.head is None or len(roots) < len(wanted):
        return
    if MerkleTree(roots).tree_hash() != session.head.tree_hash:
        yield "its roots and its head have different tree hashes"


def _shared_nodes(core: CoreState, session: _Session) -> Callable[[int], Node | None]:
    """Return what reads the nodes that a session shares with the core, where they must still be the same.

    The core may be truncated below them: that is the end of the session, but no damage.
    """
    if not _is_unchanged(core, session):
        return lambda index: None

    def read(index: int) -> Node | None:
        try:
            return core.node(index)
        except StorageCorrupt:  # said where the nodes of the core are met
            return None

    return read


def _is_unchanged(core: CoreState, session: _Session) -> bool:
    """Return whether the core provably has the blocks still that a session was made from."""
    shared = session.dependency.length
    if session.dependency.data_pointer != core.keys.data_pointer or shared > core.tree.length:
        return False
    if core.fork == 0:
        return True
    if core.authority is None or session.head is None:
        return False
    try:  # a session that was neither truncated nor committed has the signature of what it was made from
        return core.authority.verify(core.tree_at(shared), core.fork, session.head.signature)
    except (InvalidOperation, StorageCorrupt):
        return False
