"""What was asked of peers and is not answered yet.

Every question has a number, and 64 request ids that go with it: ``id = 64 * number + place``. So the blocks
of a subtree are asked for one by one, and what belongs to an answer is found without an entry for each.
Numbers are never used again; 0 stands for what nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import Final

from hypercore.merkle import Node
from hypercore.proofs import ProofRequest
from hypercore.replication.groups import BLOCKS_PER_GROUP
from hypercore.replication.peer import Peer
from hypercore.replication.wants import Want

IDS_PER_QUESTION: Final = 64

_MAX_LEFTOVER_BYTES = 4 << 20
# However short they are.
_MAX_LEFTOVERS = 65_536
# How long an answer may take that is not held up by others, and how slowly these may come.
_PATIENCE = 60.0
_BYTES_PER_SECOND = 16 << 10


class Purpose(Enum):
    """Why a proof was asked for."""

    BLOCK = auto()
    NODES = auto()
    UPGRADE = auto()
    MANIFEST = auto()
    SEEK = auto()
    FORK = auto()


class Question:
    """Something asked of a peer.

    Attributes:
        number: see above.
        peer: who was asked.
        sent_at: when; None before it was sent.
        deadline: when it has to be answered, whatever else the peer answers.
        blocks, bytes: how much of the peer's share of open requests it takes.
        is_open: whether it was asked and not answered yet.
    """

    __slots__ = ("blocks", "bytes", "deadline", "is_open", "number", "peer", "sent_at")

    def __init__(self, peer: Peer, blocks: int, size: int) -> None:
        self.peer = peer
        self.number = 0
        self.sent_at: float | None = None
        self.deadline = 0.0
        self.blocks = blocks
        self.bytes = size
        self.is_open = False

    def resize(self, size: int) -> None:
        """Take note of the size that it turned out to have."""
        self.peer.resized(size, self.bytes)
        self.bytes = size

    def sent(self, now: float) -> None:
        """Take note that it is being sent."""
        self.sent_at = now
        self.deadline = now + _PATIENCE + self.peer.open_bytes / _BYTES_PER_SECOND

    @property
    def ids(self) -> Sequence[int]:
        """The request ids that are still open."""
        raise NotImplementedError


class ProofQuestion(Question):
    """One request that is answered with a proof."""

    __slots__ = ("fork", "manifest", "purpose", "request", "want")

    def __init__(
        self,
        peer: Peer,
        purpose: Purpose,
        request: ProofRequest,
        *,
        fork: int,
        manifest: bool = False,
        size: int = 0,
        want: Want | None = None,
    ) -> None:
        super().__init__(peer, 1, size)
        self.purpose = purpose
        self.request = request
        self.fork = fork
        self.manifest = manifest
        self.want = want

    @property
    def ids(self) -> Sequence[int]:
        """The one request id."""
        return (IDS_PER_QUESTION * self.number,)


class SubtreeQuestion(Question):
    """All blocks of a perfect subtree, to be checked together against its root.

    Attributes:
        first, count: its blocks.
        root: None until it is stored here.
        values: the blocks, as far as they have come.
        missing: how many have not.
        lacking: which of those the peer has said not to have, as bits.
        rest: how many bytes those may have together.
        is_mixed: whether some of them came from another peer.
        is_taken_over: whether it was asked of a slower peer before.
    """

    __slots__ = (
        "count",
        "first",
        "is_mixed",
        "is_taken_over",
        "lacking",
        "missing",
        "rest",
        "root",
        "values",
    )

    def __init__(self, peer: Peer, first: int, count: int, size: int, *, is_taken_over: bool = False) -> None:
        super().__init__(peer, count, size)
        self.first = first
        self.count = count
        self.root: Node | None = None
        self.values: list[bytes | None] = [None] * count
        self.missing = count
        self.lacking = 0
        self.rest = 0
        self.is_mixed = False
        self.is_taken_over = is_taken_over

    @property
    def root_index(self) -> int:
        """The tree index of its root."""
        return 2 * self.first + self.count - 1

    @property
    def is_answered(self) -> bool:
        """Whether the peer has said all that it can of it, though some blocks are missing."""
        return self.missing == self.lacking.bit_count()

    @property
    def ids(self) -> Sequence[int]:
        """The request ids of the blocks that were asked for and have not come."""
        first = IDS_PER_QUESTION * self.number
        if self.root is None:
            return ()
        return [first + place for place, value in enumerate(self.values) if value is None]


class Leftovers:
    """Blocks of subtrees that came without the others: the peer went away, or lacks some of them.

    What is missing is asked of another peer, or the subtree is asked for in smaller ones.
    """

    def __init__(self) -> None:
        self._values: dict[int, bytes] = {}
        self._bytes = 0

    def keep(self, question: SubtreeQuestion) -> None:
        """Keep what has come of a subtree; the oldest leftovers give way."""
        came = [(place, value) for place, value in enumerate(question.values) if value is not None]
        size = sum(len(value) for _, value in came)
        if not size or size > _MAX_LEFTOVER_BYTES:
            return
        self.take(question.first, question.count)
        self._values |= {question.first + place: value for place, value in came}
        self._bytes += size
        while self._bytes > _MAX_LEFTOVER_BYTES or len(self._values) > _MAX_LEFTOVERS:
            self.take(next(iter(self._values)), 1)

    def take(self, first: int, count: int) -> list[bytes | None] | None:
        """Return what has come of a subtree, None if nothing has, and no longer keep it."""
        if not self._values:
            return None
        values = [self._values.pop(index, None) for index in range(first, first + count)]
        self._bytes -= sum(len(value) for value in values if value is not None)
        return values if any(value is not None for value in values) else None

    def clear(self) -> None:
        """Forget all: the core has gone over to another fork."""
        self._values.clear()
        self._bytes = 0


class Questions:
    """The open questions of one core, to all of its peers, and which blocks they are about."""

    def __init__(self) -> None:
        self._next = 1
        self._open: dict[int, Question] = {}
        self._claims: dict[int, int] = {}

    def __iter__(self) -> Iterator[Question]:
        return iter(list(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)

    def add(self, question: Question) -> None:
        """Open a question: give it a number, and claim the blocks that it is about."""
        question.number = self._next
        self._next += 1
        self._open[question.number] = question
        question.is_open = True
        question.peer.asked(question.blocks, question.bytes)
        if isinstance(question, SubtreeQuestion):
            self._claim(question.first, question.count)
        elif isinstance(question, ProofQuestion) and question.request.block is not None:
            self._claim(question.request.block.index, 1)

    def find(self, request_id: int) -> Question | None:
        """Return the open question that a request id belongs to."""
        return self._open.get(request_id // IDS_PER_QUESTION)

    def remove(self, question: Question) -> None:
        """Close a question, in whatever way it ended; its blocks may be asked for again."""
        if self._open.pop(question.number, None) is None:
            return
        question.is_open = False
        question.peer.settled(question.blocks, question.bytes)
        if isinstance(question, SubtreeQuestion):
            self._unclaim(question.first, question.count)
        elif isinstance(question, ProofQuestion) and question.request.block is not None:
            self._unclaim(question.request.block.index, 1)

    def claimed(self, group: int) -> int:
        """Return which blocks of a group are asked for, as bits."""
        return self._claims.get(group, 0)

    def is_claimed(self, index: int) -> bool:
        """Return whether a block is asked for."""
        group, place = divmod(index, BLOCKS_PER_GROUP)
        return bool(self._claims.get(group, 0) >> place & 1)

    def _claim(self, first: int, count: int) -> None:
        group, place = divmod(first, BLOCKS_PER_GROUP)
        self._claims[group] = self._claims.get(group, 0) | ((1 << count) - 1) << place

    def _unclaim(self, first: int, count: int) -> None:
        group, place = divmod(first, BLOCKS_PER_GROUP)
        rest = self._claims.get(group, 0) & ~(((1 << count) - 1) << place)
        if rest:
            self._claims[group] = rest
        else:
            self._claims.pop(group, None)
