"""The examples in the README do what they say."""

import asyncio
import re
from pathlib import Path
from textwrap import indent
from typing import Any

from hypercore import Corestore, Hyperbee, aio

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_examples_of_the_package_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    local, network = re.findall("```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(local, {})
    assert (tmp_path / "folder" / "notes" / "today.txt").read_bytes() == b"..."

    *_, connecting = network.split("\n\n")  # the server is a block of its own, on another machine
    names: dict[str, Any] = {"aio": aio, "Hyperbee": Hyperbee}
    exec(
        f"async def example(port):\n{indent(connecting.replace('4977', 'port'), '    ')}    return entry\n",
        names,
    )

    async def both_ends():
        with Corestore("data") as store, Corestore(None) as other_store:
            bee = Hyperbee(store.get(name="index"))
            names.update(core=store.get(name="log"), bee=bee, other_store=other_store)
            async with await aio.serve(store) as server:
                return await names["example"](server.port)

    assert asyncio.run(both_ends()).value == b'{"value":42}'
