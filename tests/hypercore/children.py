"""Python programs in processes of their own."""

import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import hypercore


def start(program: str, *arguments: object) -> AbstractContextManager[Any]:
    """Run a program text with pipes for its input and output; at the end of the block it is waited for."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=Path(hypercore.__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
