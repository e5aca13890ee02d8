"""The other side of one core on one connection: what it said of the core, and what it was told.

Nothing of what a peer says is believed beyond choosing what to ask it for; only proofs are.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from hypercore import flat_tree
from hypercore.bitfield import PAGE_BITS, PAGE_BYTES
from hypercore.core import CoreState
from hypercore.errors import RemoteProtocolError, StorageError
from hypercore.replication.exchange import Exchange
from hypercore.replication.groups import BLOCKS_PER_GROUP, Cursor
from hypercore.replication.remote_blocks import MAX_PAGES, RemoteBlocks
from hypercore.replication.wants import Download
from hypercore.wire import messages
from hypercore.wire.messages import Bitfield, Extension, Range, Sync, Want
from hypercore.wire.protomux import Channel

BLOCKS_PER_WANT = 1 << 21
"""Blocks are asked about in stretches of this many, as the reference does; a longer Want is ignored."""

MAX_WAITING = 32 << 20
"""What waits to be sent may be so much, because of what a peer makes us say without asking for data."""

_MAX_REMOTE_WANTS = 4096
# As many stretches are asked about at once as there is room to remember what is answered.
_MAX_WANTS = MAX_PAGES * PAGE_BITS // BLOCKS_PER_WANT
_SECONDS_PER_LOOK = 1.0
_SECONDS_PER_WANTS = 1.0
# Blocks that may be open at one peer, and about how many bytes, unless one question alone takes more.
_MAX_OPEN_BLOCKS = 512
_MAX_OPEN_BYTES = 4 << 20
# What may be held of blocks that turn out to be longer than expected.
_MAX_HELD_BYTES = 16 << 20
# Of a core that is not complete here, only news this near to its end is told without being asked for.
_NEWS = 256
_BYTES_PER_FRAME = 4 << 20


class Peer:
    """One peer of a core.

    Args:
        exchange: the core.
        channel: where it is talked to.

    Attributes:
        wake: called when something is queued for it, or it can be asked again.
        end_frame: has what is sent from here on stand in another frame.
        fork, length, can_upgrade, uploading, downloading, has_manifest, allow_push: what its last Sync said.
        acknowledged: our length as it last knew it.
        proven: the longest length, of its fork, that it was sent a proof of.
        blocks: what it has.
        open_bytes: about how many bytes it was asked for.
        pace: how many seconds the last subtree took that it answered.
        last_answer: when it last answered, or a part of what may be an answer came.
        news: how often it told something new of what it has.
        strikes: how often it failed to answer in time.
        refusals: how often it refused to prove what it claims, since it last proved something.
        unfitting: how often its proofs did not fit the tree that is known here, since one did.
        ignored_until: when it may be asked again.
        refused_until: when it may be asked again for what it refused: longer trees, other forks, seeks.
        is_doubtful: whether it owes a proof of what it claims: it refused to give it, or gave none in time.
        wants_more: whether there is more to ask about than it was, the last time that it was filled.
        is_short: whether its tree is too short to prove a block that is wanted of it.
        refuses_nodes: whether it cannot prove tree nodes: blocks are asked for with their own proofs.
        cursors: how far each download was gone through for it.
    """

    def __init__(self, exchange: Exchange, channel: Channel) -> None:
        self.exchange = exchange
        self.channel = channel
        self.wake: Callable[[], None] = _nothing
        self.end_frame: Callable[[], None] = _nothing
        self.blocks = RemoteBlocks()
        self.fork = 0
        self.length = 0
        self.acknowledged = 0
        self.proven = 0
        self.can_upgrade = False
        self.uploading = False
        self.downloading = True
        self.has_manifest = False
        self.allow_push = False
        self.is_synced = False
        self.is_distrusted = False
        self.news = 0
        self.strikes = 0
        self.refusals = 0
        self.unfitting = 0
        self.ignored_until = 0.0
        self.refused_until = 0.0
        self.is_doubtful = False
        self.pace = 0.0
        self.last_answer = 0.0
        self.cursors: WeakKeyDictionary[Download, Cursor] = WeakKeyDictionary()
        self.refuses_nodes = False
        self.is_short = False
        self._looked_at = 0.0
        self.ordinal = 0
        self._open_blocks = 0
        self.open_bytes = 0
        self._frame_bytes = 0
        self.open_questions = 0
        self._told: Sync | None = None
        self._has_synced = False
        self._is_answer_due = False
        self._told_contiguous = 0
        # Stretches that were asked about, and when.
        self._wants: dict[int, float] = {}
        self._want_from = 0
        self.wants_more = False
        self._remote_wants: dict[tuple[int, int], None] = {}

    @property
    def _core(self) -> CoreState:
        return self.exchange.core

    # --- what is told -----------------------------------------------------------------------------

    def begin(self) -> None:
        """Say what there is to say when the channel opens."""
        self.sync()
        contiguous = self._core.contiguous_length
        if contiguous:
            self._told_contiguous = contiguous
            self.channel.send(messages.RANGE, Range(False, 0, contiguous).encode())
        self.wake()

    def sync(self, *, answer: bool = False) -> None:
        """Send a Sync if it says something new, or if it has to be sent as an ``answer``."""
        core, exchange = self._core, self.exchange
        news = Sync(
            core.fork,
            core.tree.length,
            self.length if self.fork == core.fork else 0,
            self._can_upgrade_peer(),
            True,
            exchange.is_downloading,
            exchange.proves_manifest,
            exchange.allow_push,
        )
        told = self._told
        if not answer and told is not None:
            # What we know of the other side is an acknowledgement, not news: it would be answered for ever.
            known, news.remote_length = news.remote_length, told.remote_length
            if news == told:
                return
            news.remote_length = known
        self._told = news
        self.channel.send(messages.SYNC, news.encode())
        self.wake()

    def announce(self, start: int, end: int) -> None:
        """Tell of blocks that were stored, if the peer has to know."""
        core = self._core
        length = core.tree.length
        if core.contiguous_length == length:
            if self._told_contiguous != length:
                self._told_contiguous = length
                self._send_range(Range(False, 0, length))
        elif (end + _NEWS > length or self._is_wanted(start, end)) and not self.blocks.has(start, end):
            self._send_range(Range(False, start, end - start))

    def retract(self, start: int, end: int) -> None:
        """Tell of blocks that are gone, and ask anew about their stretches when they are wanted.

        As long as the peer thinks that they are here it does not tell that it has them.
        """
        self._told_contiguous = min(self._told_contiguous, start)
        self._send_range(Range(True, start, end - start))
        for stretch in [stretch for stretch in self._wants if start // BLOCKS_PER_WANT <= stretch]:
            if stretch * BLOCKS_PER_WANT < end:
                self._unwant(stretch)

    def extend(self, name: str, payload: bytes) -> None:
        """Send a message of an extension.

        Raises:
            BadArgument: the name or the message is too long.
        """
        self.channel.send(messages.EXTENSION, Extension(name, payload).encode())
        self.wake()

    def _send_range(self, range_: Range) -> None:
        self.channel.send(messages.RANGE, range_.encode())
        self.wake()

    def _can_upgrade_peer(self) -> bool:
        core = self._core
        fork, length = (self.fork, self.length) if self.is_synced else (0, 0)
        if fork != core.fork:
            return False
        if length == 0:
            return True
        try:
            return length < core.tree.length and all(
                core.node(index) is not None for index in flat_tree.full_roots(length)
            )
        except StorageError:
            return False  # and whatever has changed the core has not failed because of that

    def _is_wanted(self, start: int, end: int) -> bool:
        return any(first < end and start < last for first, last in self._remote_wants)

    # --- what it says -----------------------------------------------------------------------------

    def on_sync(self, sync: Sync) -> None:
        """Take note of a Sync; ``answer_syncs`` answers it where it has to be answered."""
        if (sync.fork, sync.length) != (self.fork, self.length):
            self.news += 1
            self.refused_until = 0.0
            self.is_doubtful = False
            self._looked_at = 0.0
        if sync.fork != self.fork:
            self.proven = 0
            self.unwant()  # of what it has in this fork it tells only what it does not think to be here, too
        self.fork, self.length, self.acknowledged = sync.fork, sync.length, sync.remote_length
        self.can_upgrade = sync.can_upgrade
        self.uploading, self.downloading = sync.uploading, sync.downloading
        self.has_manifest, self.allow_push = sync.has_manifest, sync.allow_push
        self.is_synced = True
        core = self._core
        # The acknowledgement that a shorter peer needs before it may ask for an upgrade.
        self._is_answer_due = sync.fork == core.fork and sync.length < core.tree.length
        self._has_synced = True

    def answer_syncs(self) -> None:
        """Answer the Syncs that came since the last call, however many, with one."""
        if self._has_synced:
            self._has_synced = False
            self.sync(answer=self._is_answer_due)

    def on_range(self, range_: Range) -> None:
        """Take note of blocks that it has, or has no longer."""
        end = range_.start + range_.length
        if range_.drop:
            self.blocks.remove(range_.start, end)
        else:
            self.blocks.add(range_.start, end)
            self._look_again(range_.start)

    def on_bitfield(self, bitfield: Bitfield) -> None:
        """Take note of the blocks that it has in one stretch."""
        if bitfield.start % 32 == 0:
            self.blocks.replace(bitfield.start, bitfield.words)
            self._look_again(bitfield.start)

    def _look_again(self, start: int) -> None:
        """Let downloads look again at the blocks from ``start`` on."""
        self.news += 1
        for cursor in self.cursors.values():
            cursor.go_back(start // BLOCKS_PER_GROUP)

    def look_again_where_short(self, now: float) -> None:
        """Let downloads look again at blocks that it could not prove: more nodes may be here now."""
        if self.is_short and now - self._looked_at >= _SECONDS_PER_LOOK:
            self.is_short = False
            self._looked_at = now
            self._look_again(0)

    def on_want(self, want: Want) -> None:
        """Tell which blocks of a stretch are here, and from now on which arrive.

        Raises:
            RemoteProtocolError: it wants to be told of more stretches than any peer needs to, or does not
                read what it is told.
        """
        if want.length > BLOCKS_PER_WANT:
            return
        if self.channel.pending_bytes > MAX_WAITING:
            raise RemoteProtocolError(f"it does not read: more than {MAX_WAITING} bytes wait to be sent")
        start, end = want.start, want.start + want.length
        self._remote_wants[start, end] = None
        if len(self._remote_wants) > _MAX_REMOTE_WANTS:
            raise RemoteProtocolError(f"more than {_MAX_REMOTE_WANTS} stretches of blocks are wanted")
        core = self._core
        contiguous, length = core.contiguous_length, core.tree.length
        if end <= contiguous or contiguous == length or (want.any and start < contiguous):
            self._send_range(Range(False, 0, contiguous))
        elif want.any:
            first = next(core.stored_ranges(start), None)
            if first is not None and first[0] < end:
                self._send_range(Range(False, first[0], 1))
        elif start < length:
            start &= ~31
            while start < min(end, length):
                stop = min((start // BLOCKS_PER_WANT + 1) * BLOCKS_PER_WANT, end, length)
                self.channel.send(messages.BITFIELD, Bitfield(start, _words(core, start, stop)).encode())
                start = stop
            self.wake()

    def on_unwant(self, want: Want) -> None:
        """No longer tell of what arrives in a stretch."""
        self._remote_wants.pop((want.start, want.start + want.length), None)

    # --- what it is asked -------------------------------------------------------------------------

    def may_be_asked(self, now: float) -> bool:
        """Return whether it is of our fork, and deserves to be asked."""
        return (
            self.is_synced
            and self.fork == self._core.fork
            and not self.is_distrusted
            and now >= self.ignored_until
        )

    def may_prove_trees(self, now: float) -> bool:
        """Return whether it deserves to be asked for longer trees, other forks and seeks."""
        return (
            self.is_synced
            and not self.is_distrusted
            and now >= self.ignored_until
            and now >= self.refused_until
        )

    @property
    def may_have_news(self) -> bool:
        """Whether it may prove a longer tree than is known here, or another fork."""
        core = self._core
        if not self.is_synced:
            return not self.is_doubtful
        if self.is_doubtful or self.is_distrusted or not self.uploading:
            return False
        if self.fork == core.fork:
            # Before it knows our length it cannot know whether it can prove more.
            is_able = self.can_upgrade or self.acknowledged != core.tree.length
            return self.length > core.tree.length and is_able
        return self.fork > core.fork and self.length > 0

    def is_due(self, now: float) -> bool:
        """Return whether time alone may change what it is asked."""
        is_waited_for = (
            bool(self.open_questions) or self.wants_more or not (self.is_synced or self.is_doubtful)
        )
        return is_waited_for or self.is_short or self.ignored_until > now or self.refused_until > now

    def has_room(self) -> bool:
        """Return whether more blocks may be asked of it."""
        return self._open_blocks < _MAX_OPEN_BLOCKS and self.open_bytes < _MAX_OPEN_BYTES

    def has_room_for(self, size: int, before: int) -> bool:
        """Return whether an open question may turn out to have another size than expected."""
        return self.open_bytes == before or self.open_bytes + size - before <= 2 * _MAX_OPEN_BYTES

    def asked(self, blocks: int, size: int) -> None:
        """Count an open question about so many blocks, and about so many bytes."""
        self.open_questions += 1
        self._open_blocks += blocks
        self.open_bytes += size

    def settled(self, blocks: int, size: int) -> None:
        """Count a question that is no longer open."""
        self.open_questions -= 1
        self._open_blocks -= blocks
        self.open_bytes -= size

    def resized(self, size: int, before: int) -> None:
        """Count an open question with the size that it turned out to have."""
        self.open_bytes += size - before

    @property
    def holds_too_much(self) -> bool:
        """Whether what came of its blocks, and is not proven, is more than anybody may make us hold."""
        return self.open_bytes > _MAX_HELD_BYTES

    def make_room_for(self, size: int) -> None:
        """Begin another frame if the answers to the one under way might not fit into one frame.

        The reference answers all requests of a frame with one frame.
        """
        if self._frame_bytes and self._frame_bytes + size > _BYTES_PER_FRAME:
            self.end_frame()
            self._frame_bytes = 0
        self._frame_bytes += size

    def want(self, index: int, now: float) -> None:
        """Ask whether it has a block, if it was not asked before; older questions give way."""
        stretch = index // BLOCKS_PER_WANT
        if index >= self.length or stretch in self._wants:
            return
        if len(self._wants) >= _MAX_WANTS:
            oldest = next(iter(self._wants))
            if now - self._wants[oldest] < _SECONDS_PER_WANTS:
                self.wants_more = True
                return
            self._unwant(oldest)
        self._want(stretch, now)

    def want_range(self, start: int, end: int, now: float) -> None:
        """Ask which blocks of a range it has, as far as that is not known and the answers have room."""
        start, end = max(start, self.blocks.prefix), min(end, self.length)
        for stretch in range(max(start // BLOCKS_PER_WANT, self._want_from), -(-end // BLOCKS_PER_WANT)):
            first, last = stretch * BLOCKS_PER_WANT, (stretch + 1) * BLOCKS_PER_WANT
            if stretch not in self._wants and not self._core.has(max(first, start), min(last, end)):
                if len(self._wants) >= _MAX_WANTS:
                    self.wants_more = True
                    return
                self._want(stretch, now)

    def want_anew(self) -> None:
        """Begin with the first stretches again."""
        self._want_from = 0

    def want_on(self, now: float) -> None:
        """Ask about the next stretches, once those before give nothing more to ask for."""
        if not self.wants_more or self.open_questions or not self._wants:
            return
        if now - max(self._wants.values()) >= _SECONDS_PER_WANTS:
            self._want_from = max(self._wants) + 1
            self.unwant()

    def _want(self, stretch: int, now: float) -> None:
        self._wants[stretch] = now
        self.channel.send(messages.WANT, Want(stretch * BLOCKS_PER_WANT, BLOCKS_PER_WANT, False).encode())

    def _unwant(self, stretch: int) -> None:
        del self._wants[stretch]
        self.channel.send(messages.UNWANT, Want(stretch * BLOCKS_PER_WANT, BLOCKS_PER_WANT, False).encode())

    def unwant(self) -> None:
        """No longer ask which blocks it has."""
        if self._wants:
            for stretch in sorted(self._wants):
                self._unwant(stretch)
            self.wake()


def _words(core: CoreState, start: int, stop: int) -> bytes:
    """Return which blocks are stored, from a multiple of 32 on, as whole words."""
    first = start // PAGE_BITS
    pages = range(first, (stop - 1) // PAGE_BITS + 1)
    bits = b"".join(
        core.stored_bits(page * PAGE_BITS, PAGE_BITS).to_bytes(PAGE_BYTES, "little") for page in pages
    )
    skip = (start - first * PAGE_BITS) // 8
    return bits[skip : skip + (stop - start + 31) // 32 * 4]


def _nothing() -> None:
    """What there is to wake before the connection says so."""
