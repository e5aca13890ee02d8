"""A core of any length in no time: its tree is signed, but nobody has its blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypercore import KeyPair, crypto, flat_tree
from hypercore.manifest import Manifest
from hypercore.merkle import MerkleTree, Node
from hypercore.proofs import Proof, UpgradeProof
from hypercore.signing import Authority
from hypercore.wire import Data, Request, Sync
from tests.hypercore.replication.played import PlayedPeer


class ForgedPeer(PlayedPeer):
    """A peer that proves how long its core is, and answers nothing else by itself.

    Args:
        length: of the core.
        react: called with each message that it does not answer.
    """

    def __init__(self, length: int, react: Callable[[Any], None] = lambda message: None) -> None:
        pair = KeyPair.generate()
        self.manifest = Manifest.for_key(pair.public_key)
        self.key = self.manifest.key()
        roots = [
            Node(index, 100, crypto.blake2b_256(b"%d" % index)) for index in flat_tree.full_roots(length)
        ]
        self.tree = MerkleTree(roots)
        signer = Authority(self.key, self.manifest).signer(pair)
        self.signature = signer.sign(self.tree.tree_hash(), length, 0)
        self.react = react
        super().__init__([self.key])
        self.on_message = self._answer

    def _answer(self, message: Any) -> None:
        length = self.tree.length
        if isinstance(message, Sync):
            self.say(Sync(0, length, message.length, True, True, False, True, False))
        elif isinstance(message, Request) and message.proof.upgrade is not None:
            upgrade = UpgradeProof(0, length, self.tree.roots, [], self.signature)
            self.say(Data(message.id, Proof(0, upgrade=upgrade, manifest=self.manifest)))
        else:
            self.react(message)
