"""The recorded behaviour of the JavaScript packages."""

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def vectors(name: str) -> Any:
    """Return the content of a JSON file beside this one."""
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
