"""Manifests as core.json writes them."""

from typing import Any

from hypercore.manifest import Manifest, Prologue, Signer


def manifest_of(fields: dict[str, Any]) -> Manifest:
    """Return the manifest with the fields of a vector."""
    prologue = fields["prologue"]
    user_data = fields["userData"]
    return Manifest(
        tuple(Signer(raw(each["publicKey"]), raw(each["namespace"])) for each in fields["signers"]),
        fields["version"],
        fields["quorum"],
        fields["allowPatch"],
        prologue and Prologue(raw(prologue["hash"]), prologue["length"]),
        tuple(map(raw, fields["linked"] or ())),
        None if user_data is None else raw(user_data),
    )


raw = bytes.fromhex
