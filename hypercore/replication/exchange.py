"""One core that is exchanged with peers: what all who take part in that have to know of it."""

from __future__ import annotations

from hypercore.core import CoreState
from hypercore.errors import HypercoreError
from hypercore.replication.wants import Wants


class Exchange:
    """A core that is exchanged.

    Attributes:
        core: the core.
        wants: what is wanted of it.
        is_used: whether the application has it open.
        allow_push: whether peers may send blocks that were not asked for.
        error: why it is exchanged no more: two different trees were signed for it.
    """

    def __init__(self, core: CoreState) -> None:
        self.core = core
        self.wants = Wants()
        self.is_used = False
        self.allow_push = False
        self.error: HypercoreError | None = None

    @property
    def is_downloading(self) -> bool:
        """Whether peers should stay: somebody here uses the core, or something of it is wanted."""
        return self.is_used or bool(self.wants)

    @property
    def proves_manifest(self) -> bool:
        """Whether there is a manifest to be sent: the key of a compat core says as much."""
        core = self.core
        return core.manifest is not None and core.authority is not None and not core.authority.is_compat
