"""Tests that are coroutines."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

HANG_S = 120
"""After so long a test has hung; no test comes near it."""


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run a test in an event loop; what its callbacks raise fails it."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        raised: list[dict[str, Any]] = []

        async def guarded() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: raised.append(context))
            await asyncio.wait_for(test(*args, **kwargs), HANG_S)

        asyncio.run(guarded())
        assert not raised

    return run
