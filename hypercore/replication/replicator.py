"""Exchanging one core with any number of peers: what is asked of whom, and what is done with the answers.

Blocks are asked for in perfect subtrees of up to 64 of them. First a proof shows the root of the subtree,
then all of its blocks are asked for without proofs, and they are stored when together they hash to that root.
Single blocks come with their own proof. What a peer does not answer in time is asked of another one.

Rules that hold here:

* Every block is asked of one peer at a time.
* Nothing is stored, or handed out, before it is proven.
* Questions are asked only in ``fill``, which the connection calls when it is about to send: a change of the
  core, or of what is wanted, only wakes it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from hypercore import flat_tree
from hypercore.core import Commit, CoreState
from hypercore.core.changes import Change
from hypercore.encoding import encode_index
from hypercore.errors import (
    BlockNotAvailable,
    Closed,
    HypercoreError,
    InvalidOperation,
    InvalidProof,
    RemoteProtocolError,
)
from hypercore.ids import encode_id
from hypercore.merkle import Node, subtree
from hypercore.proofs import (
    NodeRequest,
    Proof,
    ProofMaker,
    ProofRequest,
    SeekRequest,
    UpgradeProof,
    UpgradeRequest,
)
from hypercore.replication.asking import (
    BLOCKS_PER_GROUP,
    IDS_PER_QUESTION,
    Leftovers,
    ProofQuestion,
    Purpose,
    Question,
    Questions,
    SubtreeQuestion,
    first_subtree,
)
from hypercore.replication.downloads import Block, Download, Seek, Update, Want
from hypercore.replication.forks import PROBE, ForkFollower
from hypercore.replication.peer import Cursor, Peer
from hypercore.wire import CANCEL, DATA, REQUEST, Cancel, Data, Request, encode_block_request

ANSWER_TIMEOUT = 10.0
"""Seconds after which a peer that answers nothing is no longer waited for; see ``handle_timeout``."""

_LATE_ANSWERS = 6
_LEVELS_NEAR = 3
# The blocks of a subtree are held in memory until all of them have come.
_SUBTREE_BYTES = 512 << 10
# The reference answers what is asked together with one frame, which must stay below 16 MiB.
_BYTES_TOGETHER = 4 << 20
# Blocks that are proven but not stored yet.
_UNSTORED_BYTES = 4 << 20


class Replicator:
    """What exchanges a core with its peers; there is one for each core that has any.

    Args:
        core: the core.

    Attributes:
        core: the core.
        peers: those that it is exchanged with now.
        is_used: whether the application has the core open.
        allow_push: whether peers may send blocks that were not asked for.
        error: why it is exchanged no more: two different trees were signed for it.
        listeners: what is told of the messages of peers, by the name of their extension.
    """

    def __init__(self, core: CoreState) -> None:
        self.core = core
        self.peers: list[Peer] = []
        self.is_used = False
        self.allow_push = False
        self.error: HypercoreError | None = None
        self.listeners: dict[str, list[Callable[[bytes, Peer], None]]] = {}
        self._questions = Questions()
        self._leftovers = Leftovers()
        self._ordinals = count()
        self._blocks: dict[int, list[Block]] = {}
        self._downloads: list[Download] = []
        self._seeks: list[Seek] = []
        self._updates: list[Update] = []
        # Subtrees whose roots are being asked for, by the parent of the root.
        self._rootless: dict[int, list[SubtreeQuestion]] = {}
        self._roots_asked: dict[int, ProofQuestion] = {}
        self._proven: list[tuple[int, list[bytes], list[Node]]] = []
        self._proven_questions: list[SubtreeQuestion] = []
        self._proven_bytes = 0
        self._upgrade: ProofQuestion | None = None
        self._forks = ForkFollower(self)
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

    # --- what the application wants ---------------------------------------------------------------

    @property
    def is_downloading(self) -> bool:
        """Whether peers should stay: somebody here uses the core, or something was asked for."""
        return self.is_used or bool(self._blocks or self._downloads or self._seeks or self._updates)

    def add(self, want: Want) -> None:
        """Begin to look for what is wanted; it tells when it is there or failed.

        Raises:
            HypercoreError: the core is exchanged no more.
        """
        if self.error is not None:
            raise self.error
        if want.is_done:
            return
        if isinstance(want, Block):
            self._blocks.setdefault(want.index, []).append(want)
        elif isinstance(want, Download):
            self._downloads.append(want)
        elif isinstance(want, Seek):
            self._seeks.append(want)
        elif isinstance(want, Update):
            self._updates.append(want)
            self._check_updates()
        self._sync_all()
        self.wake()

    def give_up(self, want: Want) -> None:
        """No longer look for it; what was asked for it is cancelled."""
        if isinstance(want, Block):
            wants = self._blocks.get(want.index, [])
            if want in wants:
                wants.remove(want)
            if not wants:
                self._blocks.pop(want.index, None)
        else:
            for wants_ in (self._downloads, self._seeks, self._updates):
                if want in wants_:
                    wants_.remove(want)  # type: ignore[arg-type]
        if not (self._blocks or self._downloads):
            for question in self._questions:
                if isinstance(question, SubtreeQuestion) or question.purpose is Purpose.BLOCK:  # type: ignore[attr-defined]
                    self._cancel(question)
            for peer in self.peers:
                peer.unwant()
        self._sync_all()

    def close(self, error: Exception) -> None:
        """End all that is wanted: the application has closed the core, or it cannot be exchanged."""
        blocks = [want for wants in self._blocks.values() for want in wants]
        wants = [*blocks, *self._downloads, *self._seeks, *self._updates]
        for want in wants:
            self.give_up(want)
            want.finish(error)

    def fail(self, error: Exception, now: float) -> None:
        """End all that is wanted because the storage failed, and ask for nothing more for a while."""
        self._paused_until = now + ANSWER_TIMEOUT
        for question in self._questions:
            self._cancel(question)
        self.close(error)

    def set_used(self, is_used: bool) -> None:
        """Take note of whether the application has the core open."""
        if is_used != self.is_used:
            self.is_used = is_used
            if not is_used:
                self.close(Closed(f"core {encode_id(self.core.key)} is closed"))
            self._sync_all()
            self.wake()

    def set_push(self, allowed: bool) -> None:
        """Take, or no longer take, blocks that peers send without being asked."""
        self.allow_push = allowed
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
            self._release(peer)
            self._forks.leave(peer)
            self._check_updates()
            self.wake()

    def conflict(self, error: HypercoreError) -> None:
        """Stop to exchange the core for good: somebody signed two trees of one length and fork."""
        self.error = error
        self.close(error)
        for peer in list(self.peers):
            peer.channel.close()
            self.leave(peer)

    def push(self, index: int) -> int:
        """Send a block to every peer that takes what it did not ask for; return to how many.

        Raises:
            BlockNotAvailable: it is not stored here.
        """
        core = self.core
        value = core.store.get(core.keys.block + encode_index(index))
        if value is None:
            raise BlockNotAvailable(index, length=core.tree.length)
        takers = [
            peer for peer in self.peers if peer.allow_push and peer.downloading and peer.fork == core.fork
        ]
        for peer in takers:
            peer.channel.send(DATA, *Data(PROBE, self._pushed(peer, index, value)).pieces())
            peer.wake()
        return len(takers)

    def _pushed(self, peer: Peer, index: int, value: bytes) -> Proof:
        """Return the proof of a block to a peer, as far as it needs one that it did not ask for."""
        core = self.core
        maker = ProofMaker(core.tree, core.node, fork=core.fork, signature=core.signature)
        if index < peer.length:
            roots = flat_tree.full_roots(peer.length)
            levels = next(flat_tree.depth(root) for root in roots if flat_tree.contains(root, 2 * index))
            proof = maker.make(ProofRequest(block=NodeRequest(index, levels)))
        else:
            upgrade = UpgradeRequest(peer.length, core.tree.length - peer.length)
            proof = maker.make(ProofRequest(block=NodeRequest(index), upgrade=upgrade))
        if peer.length == 0 and core.authority is not None and not core.authority.is_compat:
            proof.manifest = core.manifest
        assert proof.block is not None
        proof.block.value = value
        return proof

    def broadcast(self, name: str, payload: bytes) -> int:
        """Send a message of an extension to every peer; return to how many.

        Raises:
            BadArgument: the name or the message is too long.
        """
        for peer in self.peers:
            peer.extend(name, payload)
        return len(self.peers)

    def on_extension(self, peer: Peer, name: str, payload: bytes) -> None:
        """Take a message of an extension; one that nobody here knows is ignored."""
        for listener in tuple(self.listeners.get(name, ())):
            listener(payload, peer)
        known = self.core.answerers.get(name)
        answer = None if known is None else known()
        if answer is not None:
            for reply in answer(payload):
                peer.extend(name, reply)

    # --- what peers say ---------------------------------------------------------------------------

    def on_sync(self, peer: Peer) -> None:
        """Take note that a peer has told its length and fork."""
        self._check_updates()
        peer.wake()

    def on_data(self, peer: Peer, data: Data, now: float) -> None:
        """Take an answer.

        Raises:
            RemoteProtocolError: it is not what was asked for, or it is wrong.
        """
        question = self._questions.find(data.request)
        if question is None or question.peer is not peer:
            self._on_unasked(peer, data)
            return
        peer.last_answer = now
        peer.refusals = 0
        if isinstance(question, SubtreeQuestion):
            proof = data.proof
            block = proof.block
            if (
                block is None
                or block.value is None
                or proof.upgrade is not None
                or proof.fork != self.core.fork
            ):
                raise RemoteProtocolError(f"the answer to request {data.request} is not the block asked for")
            self.on_block(question, data.request, block.index, block.value)
        elif isinstance(question, ProofQuestion):
            self._on_proof(question, data.proof)

    def _on_unasked(self, peer: Peer, data: Data) -> None:
        """Take what was pushed, or the answer to a probe; answers that come too late are ignored."""
        if data.request != PROBE:
            return
        upgrade = data.proof.upgrade
        if upgrade is not None and upgrade.start == 0:
            self._forks.on_probe(peer, data.proof)
        if self.allow_push and data.proof.block is not None and data.proof.block.value is not None:
            self.settle()
            try:
                with Commit(self.core.database) as commit:
                    commit.apply_proof(self.core, data.proof)
            except InvalidOperation:
                pass  # it was made for a tree that is no longer the one here
            except InvalidProof as error:
                raise RemoteProtocolError(f"a pushed block that does not hold: {error}") from error

    def on_plain_block(
        self, peer: Peer, request_id: int, fork: int, index: int, value: bytes, now: float
    ) -> bool:
        """Take an answer that is a block without a proof; return whether it was for a subtree."""
        question = self._questions.find(request_id)
        if not isinstance(question, SubtreeQuestion) or question.peer is not peer or fork != self.core.fork:
            return False
        peer.last_answer = now
        self.on_block(question, request_id, index, value)
        return True

    def on_block(self, question: SubtreeQuestion, request_id: int, index: int, value: bytes) -> None:
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
            raise RemoteProtocolError(f"block {index} is longer than the tree says")
        question.values[place] = value
        question.missing -= 1
        if not question.missing:
            self._prove(question)

    def on_no_data(self, peer: Peer, request_id: int, now: float) -> None:
        """Take note that a peer does not have what it was asked for: it is asked of another one."""
        question = self._questions.find(request_id)
        if question is None or question.peer is not peer:
            return
        peer.last_answer = now
        peer.refusals += 1
        if isinstance(question, SubtreeQuestion):
            index = question.first + request_id % IDS_PER_QUESTION
            peer.blocks.remove(index, index + 1)
        elif isinstance(question, ProofQuestion) and question.request.block is not None:
            index = question.request.block.index
            peer.blocks.remove(index, index + 1)
        elif isinstance(question, ProofQuestion) and question.purpose is Purpose.NODES:
            peer.refuses_nodes = True
        else:
            # What cannot be had now may come with its next Sync, or be had from another peer.
            peer.ignored_until = now + min(0.1 * 2**peer.refusals, ANSWER_TIMEOUT)
        self._drop(question)
        self.wake()

    def _on_proof(self, question: ProofQuestion, proof: Proof) -> None:
        self._check_asked(question, proof)
        self._questions.remove(question)
        core = self.core
        try:
            self.settle()
            if question.purpose is Purpose.FORK:
                self._forks.on_answer(question, proof)
                return
            if question.purpose is Purpose.MANIFEST or (proof.manifest is not None and proof.upgrade is None):
                if proof.manifest is not None and core.manifest is None:
                    with Commit(core.database) as commit:
                        commit.put_manifest(core, proof.manifest)
                if question.purpose is Purpose.MANIFEST:
                    return
            with Commit(core.database) as commit:
                commit.apply_proof(core, proof)
        except InvalidOperation:
            # The tree has changed since it was asked; if it is the peer's fault, it happens again.
            question.peer.refusals += 1
            if question.peer.refusals > _LATE_ANSWERS:
                raise RemoteProtocolError("its proofs do not fit the tree that is known here") from None
        except InvalidProof as error:
            if not self._forks.suspect(question.peer):
                raise RemoteProtocolError(f"a proof that does not hold: {error}") from error
        finally:
            self._after(question)

    def _after(self, question: ProofQuestion) -> None:
        """Go on with what the answer to a question was needed for."""
        if question is self._upgrade:
            self._upgrade = None
        if question.purpose is Purpose.NODES and question.request.hash is not None:
            self._root_arrived(question)
        elif question.purpose is Purpose.SEEK and question.want is not None:
            if isinstance(question.want, Seek) and question.want in self._seeks:
                self._seeks.remove(question.want)
            question.want.finish()
        self._check_updates()
        self.wake()

    def _check_asked(self, question: ProofQuestion, proof: Proof) -> None:
        """Refuse an answer that has other parts than were asked for."""
        asked = question.request
        if proof.fork != question.fork:
            raise RemoteProtocolError(f"an answer of fork {proof.fork}, fork {question.fork} was asked for")
        if question.purpose is Purpose.MANIFEST:
            return
        pairs = (
            (
                None if asked.block is None else asked.block.index,
                None if proof.block is None else proof.block.index,
            ),
            (
                None if asked.hash is None else asked.hash.index,
                None if proof.hash is None else proof.hash.index,
            ),
            (_span(asked.upgrade), _span(proof.upgrade)),
        )
        # A seek that ends at the node that was asked for needs no part of its own.
        if proof.seek is not None and (asked.seek is None or asked.seek.bytes != proof.seek.bytes):
            raise RemoteProtocolError(f"an answer with a seek to byte {proof.seek.bytes}")
        for wanted, found in pairs:
            if found != wanted:
                raise RemoteProtocolError(f"an answer with {found} in the place of {wanted}")
        if proof.block is not None and proof.block.value is None:
            raise RemoteProtocolError("a block without its content")

    # --- subtrees ---------------------------------------------------------------------------------

    def _prove(self, question: SubtreeQuestion) -> None:
        """Check a subtree whose blocks have all come; it is stored with the next ``settle``."""
        blocks = [value for value in question.values if value is not None]
        nodes = subtree(question.first, blocks)
        if nodes[-1] != question.root:
            if question.is_mixed:  # whose block is wrong is not known
                self._questions.remove(question)
                self._restart()
                return
            raise RemoteProtocolError(
                f"blocks {question.first} to {question.first + question.count - 1} are not those of the tree"
            )
        del nodes[-1]
        self._proven.append((question.first, blocks, nodes))
        self._proven_questions.append(question)
        self._proven_bytes += question.bytes
        if self._proven_bytes > _UNSTORED_BYTES:
            self.settle()

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
            with Commit(self.core.database) as commit:
                commit.put_subtrees(self.core, proven)
        finally:
            for question in questions:
                self._questions.remove(question)

    def _root_arrived(self, question: ProofQuestion) -> None:
        assert question.request.hash is not None
        parent = flat_tree.parent(question.request.hash.index)
        self._roots_asked.pop(parent, None)
        for waiting in self._rootless.pop(parent, []):
            root = self.core.node(waiting.root_index)
            if root is None or (root.size > _BYTES_TOGETHER and waiting.count > 1):
                self._questions.remove(waiting)
                self._restart()
            else:
                self._ask_blocks(waiting, root)

    def _ask_blocks(self, question: SubtreeQuestion, root: Node) -> None:
        """Ask for all blocks of a subtree whose root is stored."""
        question.root = root
        question.rest = root.size
        question.peer.resize(question, root.size)
        peer, fork = question.peer, self.core.fork
        send = peer.channel.send
        first_id = IDS_PER_QUESTION * question.number
        peer.make_room_for(root.size)
        before = self._leftovers.take(question.first, question.count)
        if before is not None:
            question.is_mixed = True
            question.values = before
            question.missing = before.count(None)
            question.rest -= sum(len(value) for value in before if value is not None)
        for place, value in enumerate(question.values):
            if value is None:
                send(REQUEST, encode_block_request(first_id + place, fork, question.first + place, 0))

    # --- asking -----------------------------------------------------------------------------------

    def fill(self, peer: Peer, now: float) -> None:
        """Ask a peer for as much as it may be asked for."""
        if self.error is not None or now < self._paused_until:
            return
        self._forks.fill(peer, now)
        if not peer.may_be_asked(now):
            return
        self._ask_upgrade(peer, now)
        if self._seeks:
            self._ask_seeks(peer, now)
        if self._blocks:
            self._ask_single_blocks(peer, now)
        for download in self._downloads:
            if not self._ask_download(peer, download, now):
                break

    def _open(self, question: ProofQuestion, now: float) -> None:
        """Send a question that is one request."""
        self._questions.add(question, now)
        request = Request(
            question.ids[0],
            question.fork,
            question.request,
            question.manifest,
            1 if isinstance(question.want, Block) else 0,
        )
        question.peer.channel.send(REQUEST, request.encode())

    def ask_fork(self, peer: Peer, request: ProofRequest, fork: int, now: float) -> ProofQuestion:
        """Ask for a part of another fork."""
        question = ProofQuestion(
            peer, Purpose.FORK, request, fork=fork, manifest=self.core.manifest is None and peer.has_manifest
        )
        self._open(question, now)
        return question

    def _ask_upgrade(self, peer: Peer, now: float) -> None:
        core = self.core
        length = core.tree.length
        wants_manifest = core.manifest is None and peer.has_manifest
        if self._upgrade is not None or not self.is_downloading:
            return
        if peer.length > length and peer.can_upgrade and peer.acknowledged == length and peer.uploading:
            request = ProofRequest(upgrade=UpgradeRequest(length, peer.length - length))
            self._upgrade = ProofQuestion(
                peer, Purpose.UPGRADE, request, fork=core.fork, manifest=wants_manifest
            )
        elif wants_manifest and length == 0 and peer.length == 0:
            self._upgrade = ProofQuestion(
                peer, Purpose.MANIFEST, ProofRequest(), fork=core.fork, manifest=True
            )
        else:
            return
        self._open(self._upgrade, now)

    def _ask_single_blocks(self, peer: Peer, now: float) -> None:
        core = self.core
        for index, wants in list(self._blocks.items()):
            if index >= core.tree.length or self._questions.is_claimed(index) or not peer.has_room():
                continue
            if not peer.blocks.has(index, index + 1):
                if index < peer.length:
                    peer.want(index, index + 1)
                continue
            self._ask_block(peer, index, wants[0], now)

    def _ask_block(self, peer: Peer, index: int, want: Want | None, now: float) -> bool:
        """Ask for one block; return False if it has to be asked for alone and others are on their way."""
        levels = self.core.missing_nodes(2 * index)
        size = self._expected_size(index, levels)
        if size > _BYTES_TOGETHER and peer.open_questions:
            return False
        peer.make_room_for(size)
        request = ProofRequest(block=NodeRequest(index, levels))
        question = ProofQuestion(peer, Purpose.BLOCK, request, fork=self.core.fork, size=size, want=want)
        self._open(question, now)
        return True

    def _expected_size(self, index: int, levels: int) -> int:
        """Return the size of a block, or what it can at most be if a node not far above it is stored."""
        node = 2 * index
        if levels > _LEVELS_NEAR:
            return self._average()
        for _ in range(levels):
            node = flat_tree.parent(node)
        known = self.core.node(node)
        return self._average() if known is None else known.size

    def _ask_seeks(self, peer: Peer, now: float) -> None:
        asked = {question.want for question in self._questions if isinstance(question, ProofQuestion)}
        for seek in list(self._seeks):
            if seek in asked:
                continue
            target = self._seek_target(seek)
            if target is None:
                self._seeks.remove(seek)
                seek.finish()
                continue
            request = ProofRequest(hash=target, seek=SeekRequest(seek.offset, seek.padding))
            self._open(ProofQuestion(peer, Purpose.SEEK, request, fork=self.core.fork, want=seek), now)

    def _seek_target(self, seek: Seek) -> NodeRequest | None:
        """Return a leaf below the root that the offset is below, with all that is above it."""
        rest = seek.offset
        for root in self.core.tree.roots:
            size = root.size - seek.padding * flat_tree.leaf_count(root.index)
            if rest < size:
                return NodeRequest(flat_tree.spans(root.index)[0], flat_tree.depth(root.index))
            rest -= size
        return None

    def _ask_download(self, peer: Peer, download: Download, now: float) -> bool:
        """Ask for blocks of a download; return whether more may be asked."""
        stop = download.stop
        if download.start >= stop:
            return True
        cursor = self._cursor(peer, download, stop)
        limit = 1 if peer.refuses_nodes else self._blocks_per_subtree()
        while (group := cursor.group) is not None and peer.has_room():
            bits = self._wanted_bits(peer, download.start, stop, group)
            if not bits:
                cursor.step += 1
                continue
            place, size = first_subtree(bits, limit)
            if not self._ask_subtree(peer, group * BLOCKS_PER_GROUP + place, size, now):
                break
        return peer.has_room()

    def _cursor(self, peer: Peer, download: Download, stop: int) -> Cursor:
        cursor = peer.cursors.get(download)
        if cursor is None or cursor.key != (stop, download.generation):
            first = download.start // BLOCKS_PER_GROUP
            count = (stop - 1) // BLOCKS_PER_GROUP - first + 1
            shift = 0 if download.linear else _spread(peer.ordinal, count)
            cursor = peer.cursors[download] = Cursor(first, count, shift, (stop, download.generation))
        return cursor

    def _wanted_bits(self, peer: Peer, start: int, stop: int, group: int) -> int:
        """Return which blocks of a group can be asked of a peer."""
        first = group * BLOCKS_PER_GROUP
        low, high = max(start - first, 0), min(stop - first, BLOCKS_PER_GROUP)
        bits = ((1 << high) - 1) & ~((1 << low) - 1)
        bits &= ~(self.core.stored_bits(first, BLOCKS_PER_GROUP) | self._questions.claimed(group))
        if not bits:
            return 0
        there = bits & peer.blocks.bits(first, BLOCKS_PER_GROUP)
        if there != bits and first < peer.length:
            peer.want(first, min(first + BLOCKS_PER_GROUP, peer.length))
        return there

    def _ask_subtree(self, peer: Peer, first: int, size: int, now: float) -> bool:
        """Ask for the first blocks of a subtree, or for all; return False if that has to wait."""
        core = self.core
        root = core.node(2 * first + size - 1)
        while size > 1 and root is not None and root.size > _BYTES_TOGETHER:
            size //= 2
            root = core.node(2 * first + size - 1)
        if size == 1:
            return self._ask_block(peer, first, None, now)
        question = SubtreeQuestion(peer, first, size, size * self._average())
        self._questions.add(question, now)
        if root is not None:
            self._ask_blocks(question, root)
            return True
        parent = flat_tree.parent(question.root_index)
        self._rootless.setdefault(parent, []).append(question)
        if parent not in self._roots_asked:
            levels = core.missing_nodes(question.root_index)
            request = ProofRequest(hash=NodeRequest(question.root_index, levels))
            self._roots_asked[parent] = ProofQuestion(peer, Purpose.NODES, request, fork=core.fork)
            self._open(self._roots_asked[parent], now)
        return True

    def _average(self) -> int:
        tree = self.core.tree
        return tree.byte_length // tree.length if tree.length else 0

    def _blocks_per_subtree(self) -> int:
        average = max(self._average(), 1)
        fitting = max(min(_SUBTREE_BYTES // average, BLOCKS_PER_GROUP), 1)
        return 1 << fitting.bit_length() - 1

    # --- what is not answered ---------------------------------------------------------------------

    def handle_timeout(self, peer: Peer, now: float) -> None:
        """Ask others for what a peer does not answer.

        A peer is late with everything when it has answered nothing for ANSWER_TIMEOUT seconds, and with one
        question when it answers others meanwhile, but not this one for several times that long.
        """
        is_silent = peer.open_questions and now - peer.last_answer >= ANSWER_TIMEOUT
        late = [
            question
            for question in self._questions
            if question.peer is peer
            and (is_silent or now - question.sent_at >= _LATE_ANSWERS * ANSWER_TIMEOUT)
        ]
        if late:
            peer.strikes += 1
            peer.ignored_until = now + ANSWER_TIMEOUT * min(peer.strikes, _LATE_ANSWERS)
            for question in late:
                self._cancel(question)
            self.wake()

    def _release(self, peer: Peer) -> None:
        for question in self._questions:
            if question.peer is peer:
                self._drop(question)

    def _cancel(self, question: Question) -> None:
        for request_id in question.ids:
            question.peer.channel.send(CANCEL, Cancel(request_id).encode())
        self._drop(question)

    def _drop(self, question: Question) -> None:
        """Close a question that gets no answer; what it was about has to be asked for again."""
        self._questions.remove(question)
        if question is self._upgrade:
            self._upgrade = None
        if isinstance(question, ProofQuestion):
            self._forks.dropped(question)
            if question.purpose is Purpose.NODES and question.request.hash is not None:
                parent = flat_tree.parent(question.request.hash.index)
                self._roots_asked.pop(parent, None)
                for waiting in self._rootless.pop(parent, []):
                    self._questions.remove(waiting)
        elif isinstance(question, SubtreeQuestion) and question.root is not None:
            self._leftovers.keep(question)
        elif isinstance(question, SubtreeQuestion):
            parent = flat_tree.parent(question.root_index)
            waiting_here = self._rootless.get(parent, [])
            if question in waiting_here:
                waiting_here.remove(question)
        self._restart()

    def _restart(self) -> None:
        """Let the downloads be gone through again from their beginnings."""
        for download in self._downloads:
            download.generation += 1

    # --- changes of the core ----------------------------------------------------------------------

    def _changed(self, change: Change) -> None:
        if self.core.fork != self._fork:
            self._fork = self.core.fork
            for question in self._questions:
                self._cancel(question)
            self._leftovers.clear()
        for start, end in change.removed:
            for peer in self.peers:
                peer.retract(start, end)
        for start, end in change.stored:
            for peer in self.peers:
                peer.announce(start, end)
            if self._blocks:
                for index in [index for index in self._blocks if start <= index < end]:
                    for block in self._blocks.pop(index):
                        block.finish()
        self._sync_all()
        for download in list(self._downloads):
            download.changed(change)
            if download.is_done and download in self._downloads:
                self._downloads.remove(download)
                self._sync_all()
        self._check_updates()
        self.wake()

    def _check_updates(self) -> None:
        """End the updates that have what the peers can give now."""
        if not self._updates:
            return
        core = self.core
        for update in list(self._updates):
            is_newer = (core.fork, core.tree.length) != update.before
            nothing_newer = self.peers and all(
                peer.is_synced and (peer.fork, peer.length) <= (core.fork, core.tree.length)
                for peer in self.peers
            )
            if nothing_newer or (is_newer and self._upgrade is None and not self._forks.is_busy):
                self._updates.remove(update)
                update.finish()


def _span(upgrade: UpgradeRequest | UpgradeProof | None) -> tuple[int, int] | None:
    return None if upgrade is None else (upgrade.start, upgrade.length)


def _spread(ordinal: int, groups: int) -> int:
    """Return where a peer begins, so that several of them begin far from each other."""
    return int(ordinal * 0.6180339887498949 % 1 * groups)
