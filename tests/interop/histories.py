"""Random histories of a Hyperbee, in the form that both sides execute."""

from random import Random
from typing import Any

SUBS: tuple[list[dict[str, str]], ...] = (
    [],
    [],
    [{"prefix": "a"}],
    [{"prefix": "a"}, {"prefix": "b"}],
    [{"prefixHex": "ff00", "sep": "2f"}],
)


def random_history(random: Random) -> list[dict[str, Any]]:
    """Return up to 150 operations on few or many keys: puts, deletes, refused puts, batches, subs."""
    keys = [random.randbytes(random.randint(0, 6)) for _ in range(random.choice((5, 30, 120, 400)))]
    deletes = random.choice((0.1, 0.3, 0.6))
    operations: list[dict[str, Any]] = []
    if len(keys) == 400:
        # Enough for a tree of three levels from the beginning.
        operations.append(
            {"op": "batch", "ops": [{"op": "put", "key": key.hex(), "value": ""} for key in keys]}
        )
    while len(operations) < 150:
        if random.random() < 0.15:
            operations.append(_batch(random, keys, deletes))
        else:
            operations.append(_operation(random, keys, deletes) | _sub(random))
    return operations


def _operation(random: Random, keys: list[bytes], deletes: float) -> dict[str, Any]:
    operation: dict[str, Any] = {"op": "del", "key": random.choice(keys).hex()}
    if random.random() >= deletes:
        operation |= {"op": "put", "value": _value(random)}
    if random.random() < 0.1:
        operation["cas"] = random.choice(("never", "always", "changed"))
    return operation


def _value(random: Random) -> str | None:
    return random.choice((None, "", "00", "6162", random.randbytes(random.randint(1, 200)).hex()))


def _sub(random: Random) -> dict[str, Any]:
    path = random.choice(SUBS)
    return {"sub": path} if path else {}


def _batch(random: Random, keys: list[bytes], deletes: float) -> dict[str, Any]:
    length = random.choice((0, 1, 3, 10, 60))
    operations = [_operation(random, keys, deletes) for _ in range(length)]
    if random.random() < 0.3:
        operations.append({"op": "get", "key": random.choice(keys).hex()})
    return {"op": "batch", "ops": operations, "end": "close" if random.random() < 0.15 else "flush"}


def random_questions(
    random: Random, operations: list[dict[str, Any]], versions: list[int]
) -> list[dict[str, Any]]:
    """Return questions about everything, and about random parts, of the bee and of checkouts."""
    flat = [each for operation in operations for each in operation.get("ops", [operation])]
    keys = sorted({each["key"] for each in flat})
    questions: list[dict[str, Any]] = [{"q": "range", "opts": {}}, {"q": "history", "opts": {}}]
    questions += [{"q": "get", "key": key} for key in keys]
    questions += [{"q": "range", "opts": _range(random, keys)} for _ in range(20)]
    questions += [{"q": "peek", "opts": _range(random, keys)} for _ in range(5)]
    for version in random.sample(versions, min(10, len(versions))):
        questions.append(_diff(random, keys, version, random.choice(versions)))
        questions.append({"q": "range", "opts": _range(random, keys), "version": version})
        questions.append({"q": "get", "key": random.choice(keys), "version": version})
    return questions


def _diff(random: Random, keys: list[str], version: int, right: int) -> dict[str, Any]:
    """Ask for a difference with at most one bound at each end: the reference confuses two of them."""
    opts: dict[str, Any] = {
        random.choice(ends): random.choice(keys) for ends in (("gt", "gte"), ("lt", "lte"))
    }
    if random.random() < 0.5:
        opts = {}
    if random.random() < 0.3:
        opts["limit"] = random.randint(0, 10)
    return {"q": "diff", "opts": opts, "version": version, "right": right}


def _range(random: Random, keys: list[str]) -> dict[str, Any]:
    bounds = random.sample(("gt", "gte", "lt", "lte"), random.randint(0, 3))
    opts: dict[str, Any] = {bound: random.choice(keys) for bound in bounds}
    if random.random() < 0.5:
        opts["reverse"] = True
    if random.random() < 0.5:
        opts["limit"] = random.randint(0, 10)
    return opts


def random_json(random: Random, depth: int = 0) -> Any:
    """Return a value that JSON can hold; numbers and texts are of the kinds that encoders get wrong."""
    kind = random.randrange(7 if depth < 3 else 5)
    if kind == 0:
        return random.choice((None, True, False, 0, -1, 2**53 - 1, 10**15))
    if kind == 1:
        return random.choice((1.0, 0.1, -0.0, 1e21, 1e-7, 5e-324, 123456789.125))
    if kind == 2:
        return random.uniform(-1, 1) * 10.0 ** random.randint(-300, 300)
    if kind < 5:
        return "".join(
            random.choice('aZ é"\\/\n\t\x00\x1f\x7f\u2028🫐\ud800') for _ in range(random.randint(0, 8))
        )
    children = range(random.randint(0, 4))
    if kind == 5:
        return [random_json(random, depth + 1) for _ in children]
    names = [random.choice(("b", "a", "10", "9", "01", "-1", "é", "")) for _ in children]
    return {name: random_json(random, depth + 1) for name in names}
