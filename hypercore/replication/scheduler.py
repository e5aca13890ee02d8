"""What is asked of whom: the open questions of one core to all of its peers.

Blocks are asked for in perfect subtrees of up to 64 of them. First a proof shows the root of the subtree,
then all of its blocks are asked for without proofs. Single blocks are asked for with their own proof. Every
block is asked of one peer at a time; what a peer does not answer in time is asked of another one. So is what
a slow peer has not sent at the end of a download, when a much faster one has nothing else to do.
"""

from __future__ import annotations

from hypercore import flat_tree
from hypercore.core import CoreState
from hypercore.merkle import Node
from hypercore.proofs import NodeRequest, ProofRequest, SeekRequest, UpgradeRequest
from hypercore.replication.asking import (
    IDS_PER_QUESTION,
    Leftovers,
    ProofQuestion,
    Purpose,
    Question,
    Questions,
    SubtreeQuestion,
)
from hypercore.replication.exchange import Exchange
from hypercore.replication.groups import BLOCKS_PER_GROUP, Cursor, first_subtree
from hypercore.replication.peer import Peer
from hypercore.replication.wants import Block, Download, Seek, Want
from hypercore.wire import CANCEL, REQUEST, Cancel, Request, encode_block_requests

ANSWER_TIMEOUT = 10.0
"""Seconds after which a peer that answers nothing is no longer waited for; see ``Scheduler.give_up_late``."""

# How many seconds a subtree may take before an idle peer is asked for it, if that is much faster.
_SLOW = 5.0
# So many times as fast as a slow peer is who takes something over: much of that may be under way already.
_TIMES_AS_FAST = 4
_MAX_STRIKES = 6
_LEVELS_NEAR = 3
# The blocks of a subtree are held in memory until all of them have come.
_SUBTREE_BYTES = 512 << 10
# The reference answers what is asked together with one frame, which must stay below 16 MiB.
_BYTES_TOGETHER = 4 << 20


class Scheduler:
    """Asks the peers of a core for what is wanted of it.

    Args:
        exchange: the core.

    Attributes:
        questions: those that are open.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.questions = Questions()
        self._exchange = exchange
        self._leftovers = Leftovers()
        # As _SLOW, but twice as long for each time that it was in vain: an idle peer may only say that it has
        # all, and what a slow one is already sending would be thrown away again and again.
        self._patience = _SLOW
        # Subtrees whose roots are being asked for, by the parent of the root.
        self._rootless: dict[int, list[SubtreeQuestion]] = {}
        self._roots_asked: dict[int, ProofQuestion] = {}
        self._upgrade: ProofQuestion | None = None

    @property
    def _core(self) -> CoreState:
        return self._exchange.core

    @property
    def is_upgrading(self) -> bool:
        """Whether a longer tree was asked for."""
        return self._upgrade is not None and self._upgrade.is_open

    def fill(self, peer: Peer, now: float) -> None:
        """Ask a peer for as much as it may be asked for."""
        if not peer.may_be_asked(now):
            return
        peer.wants_more = False
        if peer.may_prove_trees(now):
            self._ask_upgrade(peer, now)
            if self._exchange.wants.seeks:
                self._ask_seeks(peer, now)
        if not self._ask_single_blocks(peer, now):
            return
        peer.look_again_where_short(now)
        for download in self._exchange.wants.downloads:
            if not self._ask_download(peer, download, now):
                break
        if not self._exchange.wants.downloads:
            self._patience = _SLOW
        elif not peer.open_questions:
            self._take_over(peer, now)

    def _take_over(self, peer: Peer, now: float) -> None:
        """Ask an idle peer for a subtree that a slow one was asked for: that which would come last."""
        for slow, took in reversed(self._slow(now)):
            has_all = peer.blocks.has(slow.first, slow.first + slow.count)
            if has_all and took >= _TIMES_AS_FAST * peer.pace:
                slow.peer.pace = max(slow.peer.pace, took)
                self._send_cancels(slow)
                self.questions.remove(slow)
                self._leftovers.keep(slow)
                self._patience *= 2
                question = SubtreeQuestion(peer, slow.first, slow.count, slow.bytes, is_taken_over=True)
                self.questions.add(question)
                assert slow.root is not None
                self._ask_blocks(question, slow.root, now)
                return

    def _slow(self, now: float) -> list[tuple[SubtreeQuestion, float]]:
        """Return which subtrees an idle peer may be asked for, and how long ago they were asked for."""
        return [
            (question, now - question.sent_at)
            for question in self.questions
            if isinstance(question, SubtreeQuestion)
            and question.sent_at is not None
            and now - question.sent_at >= self._patience
        ]

    def has_slow(self, now: float) -> bool:
        """Return whether there is something that an idle peer may be asked for."""
        return bool(self._slow(now))

    def proven(self, question: SubtreeQuestion) -> None:
        """Take note of a subtree whose blocks were all right."""
        peer = question.peer
        peer.pace = peer.last_answer - (question.sent_at or peer.last_answer)
        if question.is_taken_over:
            self._patience = _SLOW

    def _open(self, question: ProofQuestion, now: float) -> None:
        """Send a question that is one request."""
        self.questions.add(question)
        question.sent(now)
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
            peer, Purpose.FORK, request, fork=fork, manifest=self._core.manifest is None and peer.has_manifest
        )
        self._open(question, now)
        return question

    def _ask_upgrade(self, peer: Peer, now: float) -> None:
        core = self._core
        length = core.tree.length
        wants_manifest = core.manifest is None and peer.has_manifest
        if self.is_upgrading or not self._exchange.is_downloading:
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

    def _ask_single_blocks(self, peer: Peer, now: float) -> bool:
        """Ask for the blocks that somebody waits for; return False if one has to wait until it is alone."""
        core = self._core
        for index, wants in list(self._exchange.wants.blocks.items()):
            if index >= core.tree.length or self.questions.is_claimed(index) or not peer.has_room():
                continue
            if not peer.blocks.has(index, index + 1):
                peer.want(index, now)
            elif not self._leads(peer, 2 * index):
                peer.is_short = True
            elif not self._ask_block(peer, index, wants[0], now):
                return False
        return True

    def _leads(self, peer: Peer, index: int) -> bool:
        """Return whether a peer can show the way from a node up to one that is stored here.

        Where its tree is shorter it may not reach that far. Version 10 ends the connection when it is asked.
        """
        core = self._core
        if peer.length >= core.tree.length:
            return True
        for _ in range(core.missing_nodes(index)):
            index = flat_tree.parent(index)
        return flat_tree.spans(index)[1] < 2 * peer.length

    def _provable(self, peer: Peer, group: int, bits: int) -> int:
        """Return of which blocks of a group a peer with a shorter tree can show the way."""
        first = group * BLOCKS_PER_GROUP
        provable = 0
        if self._core.stored_bits(first, BLOCKS_PER_GROUP):  # else nothing below the root is stored
            places = (place for place in range(BLOCKS_PER_GROUP) if bits >> place & 1)
            provable = sum(1 << place for place in places if self._leads(peer, 2 * (first + place)))
        peer.is_short |= provable != bits
        return provable

    def _ask_block(self, peer: Peer, index: int, want: Want | None, now: float) -> bool:
        """Ask for one block; return False if it has to be asked for alone and others are on their way."""
        levels = self._core.missing_nodes(2 * index)
        size = self._expected_size(index, levels)
        if size > _BYTES_TOGETHER and peer.open_questions:
            return False
        peer.make_room_for(size)
        request = ProofRequest(block=NodeRequest(index, levels))
        question = ProofQuestion(peer, Purpose.BLOCK, request, fork=self._core.fork, size=size, want=want)
        self._open(question, now)
        return True

    def _expected_size(self, index: int, levels: int) -> int:
        """Return the size of a block, or what it can at most be if a node not far above it is stored."""
        node = 2 * index
        if levels > _LEVELS_NEAR:
            return self._average()
        for _ in range(levels):
            node = flat_tree.parent(node)
        known = self._core.node(node)
        return self._average() if known is None else known.size

    def _ask_seeks(self, peer: Peer, now: float) -> None:
        asked = {question.want for question in self.questions if isinstance(question, ProofQuestion)}
        for seek in list(self._exchange.wants.seeks):
            if seek in asked or seek.failed.get(peer) == peer.news:
                continue
            gap = self._core.seek_gap(seek.offset, seek.padding)
            if gap is None:
                self._exchange.wants.remove(seek)
                seek.finish()
                continue
            node, guess = gap
            first, last = (leaf // 2 for leaf in flat_tree.spans(node))
            block, end = peer.blocks.first(guess, last + 1), last + 1
            if block == end:
                block, end = peer.blocks.first(first, guess), guess
            if block < end and last < peer.length:
                # Version 11 seeks only below the first root, but what proves this block shows the way, too.
                target = NodeRequest(2 * block, flat_tree.depth(node))
                request = ProofRequest(hash=target, seek=SeekRequest(seek.offset, seek.padding))
                self._open(ProofQuestion(peer, Purpose.SEEK, request, fork=self._core.fork, want=seek), now)
            else:
                peer.want_range(first, last + 1, now)

    def _ask_download(self, peer: Peer, download: Download, now: float) -> bool:
        """Ask for blocks of a download; return whether more may be asked."""
        stop = download.stop
        if download.start >= stop:
            return True
        cursor = self._cursor(peer, download, stop)
        peer.want_range(download.start, stop, now)
        usual_limit = 1 if peer.refuses_nodes else self._blocks_per_subtree()
        while (group := cursor.group) is not None and peer.has_room():
            bits, limit = self._wanted_bits(peer, download.start, stop, group), usual_limit
            if bits and not self._leads(peer, (2 * group + 1) * BLOCKS_PER_GROUP - 1):
                bits, limit = self._provable(peer, group, bits), 1
            if not bits:
                cursor.step += 1
                cursor.skip(lambda group, end: self._next_group(peer, group, end))
                continue
            place, size = first_subtree(bits, limit)
            if not self._ask_subtree(peer, group * BLOCKS_PER_GROUP + place, size, now):
                break
        if cursor.group is None:
            peer.want_on(now)
        return peer.has_room()

    def _next_group(self, peer: Peer, group: int, end: int) -> int:
        """Return the first group from one on in which a peer may have what is not here, at most ``end``."""
        start = max(group * BLOCKS_PER_GROUP, self._core.contiguous_length)
        return min(peer.blocks.first(start, end * BLOCKS_PER_GROUP) // BLOCKS_PER_GROUP, end)

    def _cursor(self, peer: Peer, download: Download, stop: int) -> Cursor:
        cursor = peer.cursors.get(download)
        if cursor is None or cursor.key != (stop, download.generation):
            first = download.start // BLOCKS_PER_GROUP
            count = (stop - 1) // BLOCKS_PER_GROUP - first + 1
            shift = 0 if download.linear else _spread(peer.ordinal, count)
            cursor = peer.cursors[download] = Cursor(first, count, shift, (stop, download.generation))
            peer.want_anew()
        return cursor

    def _wanted_bits(self, peer: Peer, start: int, stop: int, group: int) -> int:
        """Return which blocks of a group can be asked of a peer."""
        first = group * BLOCKS_PER_GROUP
        low, high = max(start - first, 0), min(stop - first, BLOCKS_PER_GROUP)
        bits = ((1 << high) - 1) & ~((1 << low) - 1)
        bits &= ~(self._core.stored_bits(first, BLOCKS_PER_GROUP) | self.questions.claimed(group))
        if not bits:
            return 0
        return bits & peer.blocks.bits(first, BLOCKS_PER_GROUP)

    def _ask_subtree(self, peer: Peer, first: int, size: int, now: float) -> bool:
        """Ask for the first blocks of a subtree, or for all; return False if that has to wait."""
        core = self._core
        root = core.node(2 * first + size - 1)
        while size > 1 and root is not None and root.size > _BYTES_TOGETHER:
            size //= 2
            root = core.node(2 * first + size - 1)
        if size == 1:
            return self._ask_block(peer, first, None, now)
        question = SubtreeQuestion(peer, first, size, size * self._average())
        self.questions.add(question)
        if root is not None:
            self._ask_blocks(question, root, now)
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
        tree = self._core.tree
        return tree.byte_length // tree.length if tree.length else 0

    def _blocks_per_subtree(self) -> int:
        average = max(self._average(), 1)
        fitting = max(min(_SUBTREE_BYTES // average, BLOCKS_PER_GROUP), 1)
        return 1 << fitting.bit_length() - 1

    # --- answers ----------------------------------------------------------------------------------

    def answered(self, question: ProofQuestion, now: float) -> None:
        """Go on with what the answer to a question was needed for; it is closed and its proof is stored."""
        if question.purpose is Purpose.NODES and question.request.hash is not None:
            self._root_arrived(flat_tree.parent(question.request.hash.index), now)
        elif isinstance(question.want, Seek):
            self._seek_answered(question.want, question)

    def _seek_answered(self, seek: Seek, question: ProofQuestion) -> None:
        gap = self._core.seek_gap(seek.offset, seek.padding)
        asked = question.request.hash
        if gap is None:
            self._exchange.wants.remove(seek)
            seek.finish()
        elif asked is not None and flat_tree.depth(gap[0]) >= asked.nodes:
            self.seek_failed(seek, question.peer)

    def seek_failed(self, seek: Seek, peer: Peer) -> None:
        """Take note that a peer cannot tell where a byte is, before it has news."""
        seek.failed[peer] = peer.news

    def _root_arrived(self, parent: int, now: float) -> None:
        self._roots_asked.pop(parent, None)
        for waiting in self._rootless.pop(parent, []):
            root = self._core.node(waiting.root_index)
            if (
                root is None
                or (root.size > _BYTES_TOGETHER and waiting.count > 1)
                or not waiting.peer.has_room_for(root.size, waiting.bytes)
            ):
                self.questions.remove(waiting)
                self._exchange.wants.restart()
            else:
                self._ask_blocks(waiting, root, now)

    def _ask_blocks(self, question: SubtreeQuestion, root: Node, now: float) -> None:
        """Ask for all blocks of a subtree whose root is stored."""
        question.root = root
        question.rest = root.size
        question.resize(root.size)
        question.sent(now)
        peer, fork = question.peer, self._core.fork
        first_id = IDS_PER_QUESTION * question.number
        peer.make_room_for(root.size)
        before = self._leftovers.take(question.first, question.count)
        if before is not None:
            if None not in before:
                before[-1] = None  # when it comes again, all are checked
            question.is_mixed = True
            question.values = before
            question.missing = before.count(None)
            question.rest -= sum(len(value) for value in before if value is not None)
        requests = encode_block_requests(first_id, fork, question.first, question.count)
        if before is not None:
            pairs = zip(question.values, requests, strict=True)
            requests = [request for value, request in pairs if value is None]
        peer.channel.send_all(REQUEST, requests)

    # --- what is not answered ---------------------------------------------------------------------

    def give_up_late(self, peer: Peer, now: float) -> bool:
        """Close the questions that a peer does not answer, and return whether there were any.

        A peer is late with everything when nothing came of it for ANSWER_TIMEOUT seconds, and with one
        question when it answers others meanwhile, but not this one before its deadline.
        """
        if not peer.is_synced:
            return self._doubt_unsynced(peer, now)
        sent = [
            question for question in self.questions if question.peer is peer and question.sent_at is not None
        ]
        if not sent:
            return False
        waiting_since = max(peer.last_answer, min(question.sent_at or now for question in sent))
        is_silent = now - waiting_since >= ANSWER_TIMEOUT
        late = [question for question in sent if is_silent or now >= question.deadline]
        if late:
            peer.strikes += 1
            peer.is_doubtful = True
            peer.ignored_until = now + ANSWER_TIMEOUT * min(peer.strikes, _MAX_STRIKES)
            for question in late:
                self.cancel(question)
        return bool(late)

    def _doubt_unsynced(self, peer: Peer, now: float) -> bool:
        """Wait no longer for a peer that does not say what it has."""
        if not peer.last_answer:
            peer.last_answer = now
        if now - peer.last_answer < ANSWER_TIMEOUT or peer.is_doubtful:
            return False
        peer.is_doubtful = True
        return True

    def release(self, peer: Peer) -> None:
        """Close all questions to a peer that is gone."""
        for question in self.questions:
            if question.peer is peer:
                self.drop(question)

    def cancel_blocks(self) -> None:
        """Cancel all that was asked for blocks: none is wanted any more."""
        for question in self.questions:
            if not isinstance(question, ProofQuestion) or question.purpose is Purpose.BLOCK:
                self.cancel(question)

    def cancel_all(self) -> None:
        """Cancel everything, and forget what came of it: the core has changed its fork, or failed."""
        for question in self.questions:
            self.cancel(question)
        self._leftovers.clear()

    def cancel(self, question: Question) -> None:
        """Close a question, and tell the peer that it needs no answer."""
        self._send_cancels(question)
        self.drop(question)

    def _send_cancels(self, question: Question) -> None:
        for request_id in question.ids:
            question.peer.channel.send(CANCEL, Cancel(request_id).encode())
        question.peer.wake()

    def drop(self, question: Question) -> None:
        """Close a question that gets no answer; what it was about has to be asked for again."""
        self.questions.remove(question)
        if isinstance(question, ProofQuestion):
            if question.purpose is Purpose.NODES and question.request.hash is not None:
                parent = flat_tree.parent(question.request.hash.index)
                self._roots_asked.pop(parent, None)
                for waiting in self._rootless.pop(parent, []):
                    self.questions.remove(waiting)
        elif isinstance(question, SubtreeQuestion) and question.root is not None:
            self._leftovers.keep(question)
        elif isinstance(question, SubtreeQuestion):
            parent = flat_tree.parent(question.root_index)
            waiting_here = self._rootless.get(parent, [])
            if question in waiting_here:
                waiting_here.remove(question)
        self._exchange.wants.restart()


def _spread(ordinal: int, groups: int) -> int:
    """Return where a peer begins, so that several of them begin far from each other."""
    return int(ordinal * 0.6180339887498949 % 1 * groups)
