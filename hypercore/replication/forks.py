"""Following a core to a higher fork, and finding out that two trees were signed for one fork."""

from __future__ import annotations

from hypercore.core import Commit
from hypercore.errors import CoreConflict, HypercoreError, RemoteProtocolError, StorageError
from hypercore.ids import encode_id
from hypercore.merkle import MerkleTree
from hypercore.proofs import Proof, ProofRequest, UpgradeProof, UpgradeRequest, verify_proof
from hypercore.proofs.reorg import Reorg
from hypercore.replication.asking import ProofQuestion
from hypercore.replication.exchange import Exchange
from hypercore.replication.peer import Peer
from hypercore.replication.scheduler import Scheduler
from hypercore.wire import REQUEST, Request

PROBE = 0
"""The request id that stands for no question: of conflict probes and their answers, and of what is pushed."""


class ForkFollower:
    """The forks of one core, as its peers have them.

    Args:
        exchange: the core.
        scheduler: asks for what is needed.
    """

    def __init__(self, exchange: Exchange, scheduler: Scheduler) -> None:
        self._exchange = exchange
        self._scheduler = scheduler
        self._question: ProofQuestion | None = None
        self._peer: Peer | None = None
        self._reorg: Reorg | None = None

    @property
    def is_busy(self) -> bool:
        """Whether another fork is being gone over to."""
        return self._peer is not None

    def fill(self, peer: Peer, now: float) -> None:
        """Ask a peer for what is needed to go over to its fork."""
        if self._question is not None:
            if self._question.is_open:
                return
            self._reset()  # it got no answer
        if self._reorg is not None and peer.fork <= self._reorg.fork:
            if peer.fork == self._reorg.fork and peer.may_prove_trees(now):
                self._ask_on(peer, self._reorg, now)
        elif self._is_worth_asking(peer, now):
            self._reset()  # this fork is the newer one
            self._peer = peer
            request = ProofRequest(upgrade=UpgradeRequest(0, peer.length))
            self._question = self._scheduler.ask_fork(peer, request, peer.fork, now)

    def _ask_on(self, peer: Peer, reorg: Reorg, now: float) -> None:
        """Ask for the way to a block that the peer has: version 10 ends the connection if it lacks a node."""
        first, end = reorg.undecided
        block = peer.blocks.first(first, end)
        if block < end <= peer.length:
            self._peer = peer
            request = ProofRequest(hash=reorg.proof_of(block))
            self._question = self._scheduler.ask_fork(peer, request, reorg.fork, now)
        else:
            peer.want(first, now)

    def _is_worth_asking(self, peer: Peer, now: float) -> bool:
        return peer.fork > self._exchange.core.fork and peer.length > 0 and peer.may_prove_trees(now)

    def on_answer(self, question: ProofQuestion, proof: Proof) -> None:
        """Take a proof of another fork, and go over to it when enough is known.

        Raises:
            RemoteProtocolError: it is wrong.
        """
        if question is not self._question:
            return
        self._question = None
        core = self._exchange.core
        try:
            if self._reorg is None:
                prologue = None if core.manifest is None else core.manifest.prologue
                self._reorg = Reorg(core.node, core.tree.length, proof, prologue)
            else:
                self._reorg.update(proof)
            if self._reorg.is_finished:
                with Commit(core.database) as commit:
                    commit.reorg(core, self._reorg)
                self._reset()
        except StorageError:
            self._reset()
            raise
        except HypercoreError as error:
            self._reset()
            raise RemoteProtocolError(f"the proof of fork {question.fork} does not hold: {error}") from error

    def leave(self, peer: Peer) -> None:
        """Forget a peer that is gone."""
        if peer is self._peer:
            self._reset()

    def _reset(self) -> None:
        self._question = self._peer = self._reorg = None

    # --- conflicts --------------------------------------------------------------------------------

    def suspect(self, peer: Peer) -> bool:
        """Ask a peer whose proof does not hold for its whole tree; return whether there is anything to ask.

        Either it lies, or somebody signed two trees: its answer shows which.
        """
        core = self._exchange.core
        length = min(core.tree.length, peer.length)
        if peer.is_distrusted or length == 0 or peer.fork != core.fork:
            return False
        peer.is_distrusted = True
        request = ProofRequest(upgrade=UpgradeRequest(0, length))
        peer.channel.send(REQUEST, Request(PROBE, core.fork, request).encode())
        peer.wake()
        return True

    def on_probe(self, peer: Peer, proof: Proof) -> CoreConflict | None:
        """Compare a tree that a peer has proven from nothing with the one that is here.

        Returns:
            What is wrong with the core, if both trees were signed for one fork.

        Raises:
            RemoteProtocolError: the peer was suspected, and this does not explain its proof.
        """
        upgrade = proof.upgrade
        if upgrade is not None and self._is_conflict(proof, upgrade):
            core = self._exchange.core
            return CoreConflict(
                f"core {encode_id(core.key)}: two trees of {upgrade.length} blocks were signed for fork "
                f"{core.fork}",
                upgrade.length,
            )
        if peer.is_distrusted:
            raise RemoteProtocolError("a proof that does not hold, and no other tree that would explain it")
        return None

    def _is_conflict(self, proof: Proof, upgrade: UpgradeProof) -> bool:
        core = self._exchange.core
        if upgrade.start or proof.fork != core.fork or core.authority is None:
            return False
        if proof.block is not None or proof.hash is not None or proof.seek is not None:
            return False  # these may stand in the place of a root
        if not 0 < upgrade.length <= core.tree.length:
            return False
        try:
            verified = verify_proof(MerkleTree(), proof, core.authority.prologue)
            if not core.authority.verify(verified.tree, proof.fork, upgrade.signature):
                return False
            known = core.tree_at(upgrade.length).roots
            # Only hashes count: a size that is sent may be wrong by what the sibling's is wrong by.
            return [root.hash for root in known] != [node.hash for node in upgrade.nodes[: len(known)]]
        except HypercoreError:
            return False
