"""The command line: ``python -m hypercore COMMAND``.

A command, or a group of them, is a module with an ``add_to(commands)``; hypercore.cli.app lists them. What a
command prints for others to use goes to stdout, everything else to stderr.
"""

from hypercore.cli.app import main

__all__ = ["main"]
