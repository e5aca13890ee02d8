"""Answering what a peer asks of a core: requests in, data out.

Answers wait while the connection has no room for them, so that a peer that asks faster than it reads costs a
few bytes for each request and nothing more.
"""

from __future__ import annotations

from collections.abc import Callable

from hypercore.core import CoreState
from hypercore.encoding import encode_index
from hypercore.errors import InvalidOperation, RemoteProtocolError, StorageError
from hypercore.proofs import NodeRequest, Proof, ProofMaker, ProofRequest
from hypercore.replication.peer import Peer
from hypercore.wire import (
    DATA,
    INVALID_REQUEST,
    NO_DATA,
    NO_REASON,
    NOT_AVAILABLE,
    Data,
    NoData,
    Request,
    block_data_pieces,
)

_MAX_QUEUED = 65_536
# So many more requests may not fit the core than there are that do.
_MAX_INVALID = 64


class Answers:
    """The requests of one peer.

    Args:
        peer: who asks.
        has_room: whether the connection takes more data.
        report: told what the storage failed with.
    """

    def __init__(self, peer: Peer, has_room: Callable[[], bool], report: Callable[[Exception], None]) -> None:
        self._peer = peer
        self._has_room = has_room
        self._report = report
        self._queue: dict[int, Request] = {}
        self._urgent: dict[int, Request] = {}
        self._invalid = 0
        self._maker: ProofMaker | None = None
        self._maker_of: tuple[object, int] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether there are requests to be answered when the connection has room."""
        return bool(self._queue or self._urgent)

    def receive(self, request: Request) -> None:
        """Answer a request, now or when there is room.

        Raises:
            RemoteProtocolError: the peer asks for too much, or keeps asking for what cannot be.
        """
        if not self.is_waiting and self._has_room():
            self._answer(request)
            return
        self._queue.pop(request.id, None)
        self._urgent.pop(request.id, None)
        (self._urgent if request.priority else self._queue)[request.id] = request
        if len(self._queue) + len(self._urgent) > _MAX_QUEUED:
            raise RemoteProtocolError(f"more than {_MAX_QUEUED} requests wait for their answers")

    def receive_block_request(self, request_id: int, fork: int, index: int) -> None:
        """Answer a request for a block without a proof; see ``receive``.

        Raises:
            RemoteProtocolError: as receive.
        """
        if self._queue or self._urgent or not self._has_room():
            self.receive(Request(request_id, fork, ProofRequest(NodeRequest(index))))
            return
        core = self._peer.exchange.core
        value = None
        if fork == core.fork and index < core.tree.length:
            try:
                value = core.store.get(core.keys.block + encode_index(index))
            except StorageError as error:
                self._report(error)
        if value is None:
            self._send_no_data(request_id, self._reason(fork))
        else:
            self._peer.channel.send(DATA, *block_data_pieces(request_id, fork, index, value))

    def cancel(self, request_id: int) -> None:
        """Forget a request that was not answered yet."""
        self._queue.pop(request_id, None)
        self._urgent.pop(request_id, None)

    def go_on(self) -> None:
        """Answer what waits, as far as there is room: urgent requests first, of them the latest first.

        Raises:
            RemoteProtocolError: as in receive.
        """
        while self._urgent and self._has_room():
            self._answer(self._urgent.popitem()[1])
        while self._queue and self._has_room():
            self._answer(self._queue.pop(next(iter(self._queue))))

    def _answer(self, request: Request) -> None:
        core = self._peer.exchange.core
        wanted = request.proof
        block = wanted.block
        value: bytes | None = None
        try:
            if block is not None and request.fork == core.fork:
                value = core.store.get(core.keys.block + encode_index(block.index))
            if request.fork != core.fork or (block is not None and value is None):
                self._refuse(request)
                return
            # Nothing can be proven of an empty core, but version 10 asks when it was truncated to that.
            proof = self._maker_for(core).make(wanted) if core.tree.length else Proof(core.fork)
        except StorageError as error:
            self._report(error)
            self._send_no_data(request.id, NOT_AVAILABLE)
            return
        except InvalidOperation:
            self._count_invalid()
            self._send_no_data(request.id, INVALID_REQUEST)
            if wanted.upgrade is not None:
                # The reference asks for a fork once, perhaps while it grew, and again only after a Sync.
                self._peer.sync(answer=True)
            return
        # A request may be overtaken by a change of the core: over weeks that adds up.
        self._invalid = max(self._invalid - 1, 0)
        if proof.block is not None:
            proof.block.value = value
        self._send(request, proof)

    def _refuse(self, request: Request) -> None:
        """Answer a request for another fork, or for a block that is not here: at most with the manifest."""
        core = self._peer.exchange.core
        if request.manifest and core.manifest is not None and not _is_compat(core):
            self._send(request, Proof(core.fork))
        else:
            self._send_no_data(request.id, self._reason(request.fork))

    def _reason(self, fork: int) -> int:
        """Return why a request of a fork is refused.

        Of another fork there is none: version 11 has many requests open when the fork changes, and asks
        nothing more of a peer that has told it 32 times that something is not available.
        """
        return NOT_AVAILABLE if fork == self._peer.exchange.core.fork else NO_REASON

    def _send(self, request: Request, proof: Proof) -> None:
        core = self._peer.exchange.core
        if request.manifest and not _is_compat(core):
            proof.manifest = core.manifest
        if proof.upgrade is not None:
            self._peer.proven = max(self._peer.proven, core.tree.length)
        self._peer.channel.send(DATA, *Data(request.id, proof).pieces())

    def _send_no_data(self, request_id: int, reason: int) -> None:
        self._peer.channel.send(NO_DATA, NoData(request_id, reason).encode())

    def _count_invalid(self) -> None:
        self._invalid += 1
        if self._invalid >= _MAX_INVALID:
            raise RemoteProtocolError(f"{_MAX_INVALID} requests that do not fit the core")

    def _maker_for(self, core: CoreState) -> ProofMaker:
        of = (core.tree, core.fork)
        if self._maker is None or self._maker_of != of:
            self._maker_of = of
            self._maker = ProofMaker(
                core.tree,
                core.node,
                fork=core.fork,
                signature=core.signature,
                prologue=None if core.manifest is None else core.manifest.prologue,
            )
        return self._maker


def _is_compat(core: CoreState) -> bool:
    return core.authority is not None and core.authority.is_compat
