"""What figures were measured with: processor, system, versions."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path

from benchmarks.peers.javascript import find_node

_HERE = Path(__file__).parent


def machine() -> dict[str, str]:
    """Return what a measurement on this side depends on."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": f"{os.cpu_count()} x {_processor()}",
    }


def reference() -> dict[str, str]:
    """Return the versions of the reference's packages, and that of Node.

    Raises:
        NodeError: there is no node.
    """
    node = subprocess.run([*find_node(), "--version"], capture_output=True, text=True, check=True)
    packages: dict[str, str] = json.loads((_HERE / "package.json").read_text())["dependencies"]
    return {"node": node.stdout.strip().removeprefix("v"), **packages}


def _processor() -> str:
    """Return what Linux calls the processor; on some architectures it has no name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
