"""What is done with answers: they are checked, and what they prove is stored.

Nothing is stored, or handed out, before it is proven: a single block by its own proof, the blocks of a
subtree when together they hash to its root.
"""

from __future__ import annotations

from collections.abc import Callable

from hypercore.core import Commit
from hypercore.errors import CoreConflict, InvalidOperation, InvalidProof, RemoteProtocolError
from hypercore.manifest import Manifest
from hypercore.merkle import Node, subtree
from hypercore.proofs import BlockProof, Proof, UpgradeProof, UpgradeRequest
from hypercore.replication.asking import IDS_PER_QUESTION, ProofQuestion, Purpose, SubtreeQuestion
from hypercore.replication.exchange import Exchange
from hypercore.replication.forks import PROBE, ForkFollower
from hypercore.replication.peer import Peer
from hypercore.replication.scheduler import ANSWER_TIMEOUT, Scheduler
from hypercore.replication.wants import Seek
from hypercore.wire import Data

# Blocks that are proven but not stored yet.
_UNSTORED_BYTES = 4 << 20
# How often the answers of a peer may not fit the tree, which may have changed since it was asked.
_MAX_UNFITTING = 6


class Receiver:
    """Takes the answers of the peers of one core.

    Args:
        exchange: the core.
        scheduler: who asked.
        forks: follows the core to other forks.
        on_answer: called when an answer may have changed what is to be asked next.
        on_conflict: called when two trees turn out to be signed for one fork.
    """

    def __init__(
        self,
        exchange: Exchange,
        scheduler: Scheduler,
        forks: ForkFollower,
        on_answer: Callable[[], None],
        on_conflict: Callable[[CoreConflict], None],
    ) -> None:
        self._exchange = exchange
        self._scheduler = scheduler
        self._questions = scheduler.questions
        self._forks = forks
        self._on_answer = on_answer
        self._on_conflict = on_conflict
        self._proven: list[tuple[int, list[bytes], list[Node]]] = []
        self._proven_questions: list[SubtreeQuestion] = []
        self._proven_bytes = 0

    def on_data(self, peer: Peer, data: Data, now: float) -> None:
        """Take an answer.

        Raises:
            RemoteProtocolError: it is not what was asked for, or it is wrong.
        """
        question = self._questions.find(data.request)
        if question is None or question.peer is not peer:
            self._on_unasked(peer, data, now)
            return
        peer.last_answer = now
        if isinstance(question, SubtreeQuestion):
            proof = data.proof
            block = proof.block
            if (
                block is None
                or block.value is None
                or proof.hash is not None
                or proof.seek is not None
                or proof.upgrade is not None
                or proof.fork != self._exchange.core.fork
            ):
                raise RemoteProtocolError(f"the answer to request {data.request} is not the block asked for")
            self._on_block(question, data.request, block.index, block.value)
        elif isinstance(question, ProofQuestion):
            self._on_proof(question, data.proof, now)

    def on_block_data(
        self, peer: Peer, request_id: int, fork: int, index: int, value: bytes, now: float
    ) -> None:
        """Take an answer that is a block without a proof.

        Raises:
            RemoteProtocolError: as in on_data.
        """
        question = self._questions.find(request_id)
        if (
            isinstance(question, SubtreeQuestion)
            and question.peer is peer
            and fork == self._exchange.core.fork
        ):
            peer.last_answer = now
            self._on_block(question, request_id, index, value)
        else:
            self.on_data(peer, Data(request_id, Proof(fork, BlockProof(index, [], value))), now)

    def _on_block(self, question: SubtreeQuestion, request_id: int, index: int, value: bytes) -> None:
        """Take one block of a subtree."""
        place = request_id % IDS_PER_QUESTION
        if question.root is None or place >= question.count or index != question.first + place:
            raise RemoteProtocolError(
                f"the answer to request {request_id} is block {index}, another was asked for"
            )
        if question.values[place] is not None:
            raise RemoteProtocolError(f"request {request_id} was answered twice")
        question.rest -= len(value)
        if question.rest < 0:
            # Perhaps the size of the root is wrong: only its hash is certain.
            question.resize(question.bytes - question.rest)
            question.rest = 0
            if question.peer.holds_too_much:
                raise RemoteProtocolError(f"block {index} is longer than the tree says, as others are")
        question.values[place] = value
        question.missing -= 1
        if not question.missing:
            self._prove(question)
        elif question.lacking:
            question.lacking &= ~(1 << place)
            self._drop_if_answered(question)

    def on_no_data(self, peer: Peer, request_id: int, now: float) -> None:
        """Take note that a peer does not have what it was asked for: it is asked of another one."""
        question = self._questions.find(request_id)
        if question is None or question.peer is not peer:
            return
        peer.last_answer = now
        if isinstance(question, SubtreeQuestion):
            self._on_lacking(question, request_id % IDS_PER_QUESTION)
            return
        if isinstance(question, ProofQuestion) and question.fork == peer.fork:
            self._on_refusal(question, now)
        self._scheduler.drop(question)
        self._on_answer()

    def _on_lacking(self, question: SubtreeQuestion, place: int) -> None:
        """Take note that a peer lacks a block of a subtree; the others are on their way."""
        if question.root is None or place >= question.count or question.values[place] is not None:
            return  # it was not asked for
        peer, index = question.peer, question.first + place
        if peer.fork == self._exchange.core.fork:
            peer.blocks.remove(index, index + 1)
        question.lacking |= 1 << place
        self._drop_if_answered(question)

    def _drop_if_answered(self, question: SubtreeQuestion) -> None:
        if question.is_answered:
            self._scheduler.drop(question)
            self._on_answer()

    def _on_refusal(self, question: ProofQuestion, now: float) -> None:
        """Take note of what a peer refuses to prove of the fork that it has."""
        peer, block = question.peer, question.request.block
        if block is not None:
            peer.blocks.remove(block.index, block.index + 1)
        elif question.purpose is Purpose.NODES:
            peer.refuses_nodes = True
        elif isinstance(question.want, Seek):
            self._scheduler.seek_failed(question.want, peer)
        else:
            # What cannot be had now may come with its next Sync, or be had from another peer.
            peer.refusals += 1
            peer.is_doubtful = True
            peer.refused_until = now + min(0.1 * 2 ** min(peer.refusals, 10), ANSWER_TIMEOUT)

    def _on_proof(self, question: ProofQuestion, proof: Proof, now: float) -> None:
        if question.manifest and _is_manifest_alone(proof):
            self._on_manifest(question, proof.manifest)
            return
        self._check_asked(question, proof)
        self._questions.remove(question)
        peer = question.peer
        try:
            self.settle()
            if question.purpose is Purpose.FORK:
                self._forks.on_answer(question, proof)
            else:
                with Commit(self._exchange.core.database) as commit:
                    commit.apply_proof(self._exchange.core, proof)
            peer.refusals = peer.unfitting = 0
            peer.is_doubtful = False
        except InvalidOperation:
            # The tree has changed since it was asked; if it is the peer's fault, it happens again.
            peer.unfitting += 1
            if peer.unfitting > _MAX_UNFITTING:
                raise RemoteProtocolError("its proofs do not fit the tree that is known here") from None
        except InvalidProof as error:
            self._doubt(peer, f"a proof that does not hold: {error}")
        finally:
            self._scheduler.answered(question, now)
            self._on_answer()

    def _on_manifest(self, question: ProofQuestion, manifest: Manifest | None) -> None:
        """Take a manifest that comes alone; what else was asked for belongs to a fork that is no more."""
        core = self._exchange.core
        self._scheduler.drop(question)
        try:
            if manifest is not None and core.manifest is None:
                with Commit(core.database) as commit:
                    commit.put_manifest(core, manifest)
        except InvalidProof as error:
            raise RemoteProtocolError(f"a manifest that does not hold: {error}") from error
        self._on_answer()

    def _on_unasked(self, peer: Peer, data: Data, now: float) -> None:
        """Take what was pushed, or the answer to a probe; of one that comes too late only take note."""
        if data.request != PROBE:
            peer.last_answer = now
            return
        upgrade = data.proof.upgrade
        if upgrade is not None and upgrade.start == 0:
            conflict = self._forks.on_probe(peer, data.proof)
            if conflict is not None:
                self._on_conflict(conflict)
                return
        block = data.proof.block
        if self._exchange.allow_push and (upgrade is not None if block is None else block.value is not None):
            self.settle()
            try:
                with Commit(self._exchange.core.database) as commit:
                    commit.apply_proof(self._exchange.core, data.proof)
            except InvalidOperation:
                pass  # it was made for a tree that is no longer the one here
            except InvalidProof as error:
                raise RemoteProtocolError(f"a pushed block that does not hold: {error}") from error

    def _check_asked(self, question: ProofQuestion, proof: Proof) -> None:
        """Refuse an answer that has other parts than were asked for."""
        asked = question.request
        if proof.fork != question.fork:
            raise RemoteProtocolError(f"an answer of fork {proof.fork}, fork {question.fork} was asked for")
        if question.purpose is Purpose.MANIFEST:
            raise RemoteProtocolError("an answer without the manifest that was asked for")
        pairs = (
            (
                None if asked.block is None else asked.block.index,
                None if proof.block is None else proof.block.index,
            ),
            (
                None if asked.hash is None else asked.hash.index,
                None if proof.hash is None else proof.hash.index,
            ),
        )
        for wanted, found in pairs:
            if found != wanted:
                raise RemoteProtocolError(f"an answer with {found} in the place of {wanted}")
        if (span := _span(proof.upgrade)) not in self._may_show(asked.upgrade, proof):
            raise RemoteProtocolError(f"an answer with {span} in the place of {_span(asked.upgrade)}")
        # A seek that ends at the node that was asked for needs no part of its own.
        if proof.seek is not None and (asked.seek is None or asked.seek.bytes != proof.seek.bytes):
            raise RemoteProtocolError(f"an answer with a seek to byte {proof.seek.bytes}")
        if proof.block is not None and proof.block.value is None:
            raise RemoteProtocolError("a block without its content")

    def _may_show(self, asked: UpgradeRequest | None, proof: Proof) -> list[tuple[int, int] | None]:
        """Return what of the tree an answer may show: also all of a prologue that was asked for in part."""
        spans = [_span(asked)]
        manifest = self._exchange.core.manifest or proof.manifest
        prologue = None if manifest is None else manifest.prologue
        if asked is not None and prologue is not None and asked.start < prologue.length:
            spans.append((0, prologue.length))
        return spans

    def _prove(self, question: SubtreeQuestion) -> None:
        """Check a subtree whose blocks have all come; it is stored with the next ``settle``."""
        blocks = [value for value in question.values if value is not None]
        nodes = subtree(question.first, blocks)
        root = question.root
        if root is None or nodes[-1].hash != root.hash:
            self._questions.remove(question)
            self._exchange.wants.restart()
            # Of mixed blocks it is not known whose are wrong.
            if not question.is_mixed:
                what = f"the {question.count} blocks from {question.first} on"
                self._doubt(question.peer, f"{what} are not those of the tree")
            return
        if nodes[-1].size == root.size:
            del nodes[-1]  # it is stored; where a peer has lied about its size, this one is right
        peer = question.peer
        peer.refusals = peer.unfitting = 0
        peer.is_doubtful = False
        self._scheduler.proven(question)
        self._proven.append((question.first, blocks, nodes))
        self._proven_questions.append(question)
        self._proven_bytes += question.bytes
        if self._proven_bytes > _UNSTORED_BYTES:
            self.settle()

    def _doubt(self, peer: Peer, lie: str) -> None:
        """Find out whether a peer lies or another tree was signed; others are asked what it was asked.

        Raises:
            RemoteProtocolError: it lies.
        """
        if not self._forks.suspect(peer):
            raise RemoteProtocolError(lie)
        self._scheduler.release(peer)
        self._on_answer()

    def settle(self) -> None:
        """Store the subtrees that were proven.

        Raises:
            StorageError: they are not stored; all that is wanted of the core fails.
        """
        if not self._proven:
            return
        proven, questions = self._proven, self._proven_questions
        self._proven, self._proven_questions, self._proven_bytes = [], [], 0
        try:
            with Commit(self._exchange.core.database) as commit:
                commit.put_subtrees(self._exchange.core, proven)
        finally:
            for question in questions:
                self._questions.remove(question)


def _is_manifest_alone(proof: Proof) -> bool:
    parts = (proof.block, proof.hash, proof.seek, proof.upgrade)
    return proof.manifest is not None and all(part is None for part in parts)


def _span(upgrade: UpgradeRequest | UpgradeProof | None) -> tuple[int, int] | None:
    return None if upgrade is None else (upgrade.start, upgrade.length)
