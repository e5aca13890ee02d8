"""Exchanging one core with any number of peers: where all that takes part in it comes together.

Questions are asked only in ``fill``, which a connection calls when it is about to send: a change of the core,
or of what is wanted, only wakes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count

from hypercore import flat_tree
from hypercore.core import CoreState
from hypercore.core.changes import Change
from hypercore.encoding import encode_index
from hypercore.errors import BlockNotAvailable, Closed, CoreConflict, InvalidOperation
from hypercore.ids import encode_id
from hypercore.proofs import NodeRequest, Proof, ProofMaker, ProofRequest, UpgradeRequest
from hypercore.replication.exchange import Exchange
from hypercore.replication.forks import PROBE, ForkFollower
from hypercore.replication.peer import Peer
from hypercore.replication.receiver import Receiver
from hypercore.replication.scheduler import ANSWER_TIMEOUT, Scheduler
from hypercore.replication.wants import Block, Want
from hypercore.wire import DATA, Data


class Replicator:
    """What exchanges a core with its peers; there is one for each core that has any.

    Args:
        core: the core.

    Attributes:
        exchange: what all who take part know of it.
        peers: those that it is exchanged with now.
        receiver: takes their answers.
        listeners: what is told of the messages of peers, by the name of their extension.
    """

    def __init__(self, core: CoreState) -> None:
        self.exchange = Exchange(core)
        self.peers: list[Peer] = []
        self.listeners: dict[str, list[Callable[[bytes, Peer], None]]] = {}
        self._ordinals = count()
        self._scheduler = Scheduler(self.exchange)
        self._forks = ForkFollower(self.exchange, self._scheduler)
        self.receiver = Receiver(self.exchange, self._scheduler, self._forks, self._go_on, self._on_conflict)
        self._wants = self.exchange.wants
        self._fork = core.fork
        self._paused_until = 0.0
        core.observers.append(self._changed)

    @classmethod
    def of(cls, core: CoreState) -> Replicator:
        """Return the replicator of a core, which is made with the first call."""
        if not isinstance(core.replicator, cls):
            core.replicator = cls(core)
        replicator = core.replicator
        assert isinstance(replicator, cls)
        return replicator

    @property
    def core(self) -> CoreState:
        """The core."""
        return self.exchange.core

    # --- what the application wants ---------------------------------------------------------------

    def add(self, want: Want) -> None:
        """Begin to look for what is wanted; it tells when it is there or failed.

        Raises:
            HypercoreError: the core is exchanged no more.
        """
        if self.exchange.error is not None:
            raise self.exchange.error
        if isinstance(want, Block) and self.core.has(want.index, want.index + 1):
            want.finish()
        if not want.is_done:
            self._wants.add(want)
            self._check_updates()
            self._sync_all()
            self.wake()

    def give_up(self, want: Want) -> None:
        """No longer look for it; what was asked for it is cancelled."""
        self._wants.remove(want)
        if not (self._wants.blocks or self._wants.downloads):
            self._scheduler.cancel_blocks()
            for peer in self.peers:
                peer.unwant()
        self._sync_all()

    def close(self, error: Exception) -> None:
        """End all that is wanted: the application has closed the core, or it cannot be exchanged."""
        for want in self._wants:
            self.give_up(want)
            want.finish(error)

    def fail(self, error: Exception, now: float) -> None:
        """End all that is wanted because the storage failed, and ask for nothing more for a while."""
        self._paused_until = now + ANSWER_TIMEOUT
        self._scheduler.cancel_all()
        self.close(error)

    def set_used(self, is_used: bool) -> None:
        """Take note of whether the application has the core open."""
        if is_used != self.exchange.is_used:
            self.exchange.is_used = is_used
            if not is_used:
                self.close(Closed(f"core {encode_id(self.core.key)} is closed"))
            self._sync_all()
            self.wake()

    def set_push(self, allowed: bool) -> None:
        """Take, or no longer take, blocks that peers send without being asked."""
        self.exchange.allow_push = allowed
        self._sync_all()

    def wake(self) -> None:
        """Let every peer be asked."""
        for peer in self.peers:
            peer.wake()

    def _sync_all(self) -> None:
        for peer in self.peers:
            peer.sync()

    # --- peers ------------------------------------------------------------------------------------

    def join(self, peer: Peer) -> None:
        """Begin to exchange with a peer whose channel is open."""
        peer.ordinal = next(self._ordinals)
        self.peers.append(peer)
        peer.begin()

    def leave(self, peer: Peer) -> None:
        """Stop to exchange with a peer: what it was asked for is asked of others."""
        if peer in self.peers:
            self.peers.remove(peer)
            self._scheduler.release(peer)
            self._forks.leave(peer)
            self._go_on()

    def fill(self, peer: Peer, now: float) -> None:
        """Ask a peer for as much as it may be asked for."""
        if self.exchange.error is None and now >= self._paused_until:
            self._forks.fill(peer, now)
            self._scheduler.fill(peer, now)

    def handle_timeout(self, peer: Peer, now: float) -> None:
        """Ask others for what a peer does not answer, or answers slowly."""
        if self._scheduler.give_up_late(peer, now):
            self._go_on()
        idle = [each for each in self.peers if not each.open_questions]
        if idle and self._scheduler.has_slow(now):  # to look for that takes long where many are asked
            for each in idle:
                each.wake()

    def on_sync(self, peer: Peer) -> None:
        """Take note that a peer has told its length and fork."""
        self._check_updates()
        peer.wake()

    def _on_conflict(self, error: CoreConflict) -> None:
        """Show every peer the tree that is here, and stop to exchange the core for good."""
        self.exchange.error = error
        core = self.core
        maker = ProofMaker(core.tree, core.node, fork=core.fork, signature=core.signature)
        proof = maker.make(ProofRequest(upgrade=UpgradeRequest(0, error.length)))
        for peer in list(self.peers):
            peer.channel.send(DATA, *Data(PROBE, proof).pieces())
            peer.channel.close()
            self.leave(peer)
            peer.wake()
        self.close(error)

    def push(self, index: int) -> int:
        """Send a block to every peer that takes what it did not ask for; return to how many.

        Raises:
            BlockNotAvailable: it is not stored here.
        """
        core = self.core
        value = core.store.get(core.keys.block + encode_index(index))
        if value is None:
            raise BlockNotAvailable(index, length=core.tree.length)
        sent = 0
        for peer in self.peers:
            if peer.allow_push and peer.downloading and peer.fork == core.fork:
                with suppress(InvalidOperation):  # a node that proves it to this peer is not stored here
                    for proof in self._pushed(peer, index, value):
                        peer.channel.send(DATA, *Data(PROBE, proof).pieces())
                    peer.wake()
                    sent += 1
        return sent

    def _pushed(self, peer: Peer, index: int, value: bytes) -> list[Proof]:
        """Return the proofs of a block to a peer, as far as it needs them and did not ask for them.

        A tree from the first block on is a proof by itself: were the block in the place of its root, version
        11 would take it for another tree, and give the core up for good.
        """
        core, proofs = self.core, []
        length = core.tree.length
        maker = ProofMaker(core.tree, core.node, fork=core.fork, signature=core.signature)
        known = min(max(peer.length, peer.proven), length)
        if known == 0:
            proofs.append(maker.make(ProofRequest(upgrade=UpgradeRequest(0, length))))
            known = length
        if index < known:
            roots = flat_tree.full_roots(known)
            levels = next(flat_tree.depth(root) for root in roots if flat_tree.contains(root, 2 * index))
            proof = maker.make(ProofRequest(block=NodeRequest(index, levels)))
        else:
            upgrade = UpgradeRequest(known, length - known)
            proof = maker.make(ProofRequest(block=NodeRequest(index), upgrade=upgrade))
        proofs.append(proof)
        if peer.length == 0 and core.authority is not None and not core.authority.is_compat:
            proofs[0].manifest = core.manifest
        assert proof.block is not None
        proof.block.value = value
        if proofs[0].upgrade is not None:
            peer.proven = length
        return proofs

    def broadcast(self, name: str, payload: bytes) -> int:
        """Send a message of an extension to every peer; return to how many.

        Raises:
            BadArgument: the name or the message is too long.
        """
        for peer in self.peers:
            peer.extend(name, payload)
        return len(self.peers)

    def on_extension(
        self, peer: Peer, name: str, payload: bytes, *, may_answer: bool, report: Callable[[Exception], None]
    ) -> None:
        """Take a message of an extension; one that nobody here knows is ignored.

        What the application raises is reported: neither the peer nor the next who listens is to blame for it.
        """
        for listener in tuple(self.listeners.get(name, ())):
            with _reported(report):
                listener(payload, peer)
        known = self.core.answerers.get(name)
        answer = None if known is None else known()
        if answer is not None and may_answer:
            with _reported(report):
                for reply in answer(payload):
                    peer.extend(name, reply)

    # --- changes ----------------------------------------------------------------------------------

    def _go_on(self) -> None:
        self._check_updates()
        self.wake()

    def _changed(self, change: Change) -> None:
        if self.core.fork != self._fork:
            self._fork = self.core.fork
            self._scheduler.cancel_all()
        for start, end in change.removed:
            for peer in self.peers:
                peer.retract(start, end)
        for start, end in change.stored:
            for peer in self.peers:
                peer.announce(start, end)
        self._wants.changed(change)
        self._sync_all()
        self._go_on()

    def _check_updates(self) -> None:
        """End the updates that have what the peers can give now."""
        core = self.core
        for update in list(self._wants.updates):
            is_newer = (core.fork, core.tree.length) != update.before
            nothing_newer = self.peers and not any(peer.may_have_news for peer in self.peers)
            if nothing_newer or (is_newer and not self._scheduler.is_upgrading and not self._forks.is_busy):
                self._wants.remove(update)
                update.finish()


@contextmanager
def _reported(report: Callable[[Exception], None]) -> Iterator[None]:
    """Report an exception instead of raising it."""
    try:
        yield
    except Exception as error:
        report(error)
