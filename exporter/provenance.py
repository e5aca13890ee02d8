"""Where a result comes from: the revision measured, the versions of what it depends on, the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PROJECT = "hypercore-scale-tests"
DISTRIBUTIONS = (PROJECT, "plyvel", "pynacl", "pytest-benchmark")
GIT_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Provenance:
    """What is stored with every result besides its figures."""

    revision: str
    versions: dict[str, str]
    machine: dict[str, str | int]


def provenance(root: Path) -> Provenance:
    """The provenance of results measured with the code in ``root``."""
    versions = {name: version for name in DISTRIBUTIONS if (version := _version(name))}
    versions["python"] = platform.python_version()
    return Provenance(
        revision=_git_revision(root) or versions.get(PROJECT, "unknown"),
        versions=versions,
        machine={"platform": platform.platform(), "cpuCount": _cpu_count()},
    )


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _git_revision(root: Path) -> str | None:
    # Without this check git would find whatever repository an installed copy happens to lie in.
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _cpu_count() -> int:
    """The processors this process may use, which in a container can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
