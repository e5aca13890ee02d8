"""The random numbers of the vectors, and the big histories that are made of them. See README.md."""

from collections.abc import Callable
from typing import Any


def random_below(seed: int) -> Callable[[int], int]:
    """Return a function that gives a number below its argument, from x = (69069 x + 1) mod 2**32."""
    x = seed

    def below(n: int) -> int:
        nonlocal x
        x = (69069 * x + 1) % 2**32
        return (x >> 8) % n

    return below


def generate(generator: dict[str, int]) -> list[dict[str, Any]]:
    """Return the operations of a generator in bee.json."""
    below = random_below(generator["seed"])

    def operation(value: str) -> dict[str, Any]:
        key = f"key-{below(generator['space']):06d}".encode().hex()
        if below(10) < 3:
            return {"op": "del", "key": key}
        return {"op": "put", "key": key, "value": value.encode().hex()}

    if "count" in generator:
        return [operation(f"value-{i}") for i in range(generator["count"])]
    return [
        {"op": "batch", "ops": [operation(f"value-{b}-{i}") for i in range(generator["perBatch"])]}
        for b in range(generator["batches"])
    ]
