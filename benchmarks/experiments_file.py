"""The experiments file: which experiments to run, at which sizes.

    {"write": [{"nrBlocks": 10, "blockByteSize": 100}, ...], "beeWrite": [...], ...}

A key that is missing, or whose list is empty, stands for "none of that experiment". Whatever is wrong with a
file is said in one line that names the file and the place in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.experiments import Experiment, camel_case

# More appends than anybody waits for, and blocks that fit into few memories: surely a slip of the finger.
LARGEST_NUMBER = 1_000_000_000


class ExperimentsFileError(ValueError):
    """The file cannot be used; the message is one line that names the file and the place in it."""


@dataclass(frozen=True)
class ExperimentsFile:
    """A file that is well-formed; whether it fits the experiments is only known when ``cases`` is asked."""

    name: str
    cases_by_key: Mapping[str, Sequence[Mapping[str, int]]]

    def cases(self, experiment: Experiment) -> list[dict[str, int]]:
        """What to run of an experiment, with its own parameter names in its own order.

        Raises:
            ExperimentsFileError: a parameter is unknown or missing, or a case is there twice.
        """
        place = _member("", experiment.key)
        names = {camel_case(name): name for name in experiment.parameters}
        cases: list[dict[str, int]] = []
        for index, given in enumerate(self.cases_by_key.get(experiment.key, ())):
            case_place = f"{place}[{index}]"
            for name in given:
                if name not in names:
                    _fail(self.name, _member(case_place, name), f"unknown, expected {', '.join(names)}")
            for name in names:
                if name not in given:
                    _fail(self.name, _member(case_place, name), "missing")
            case = {own_name: given[name] for name, own_name in names.items()}
            if case in cases:
                _fail(self.name, case_place, f"the same as {place}[{cases.index(case)}]")
            cases.append(case)
        return cases


def read(path: Path, name: str) -> ExperimentsFile:
    """Read a file; ``name`` is what its user calls it, and what messages call it.

    Raises:
        ExperimentsFileError: it cannot be read, is not JSON, or is not built as the module's docstring says.
    """
    shown = name if name.isprintable() else json.dumps(name)
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise ExperimentsFileError(f"{shown}: {getattr(error, 'strerror', None) or error}") from None
    return parse(data, shown)


def parse(data: bytes, name: str) -> ExperimentsFile:
    """The same for the file's bytes.

    Raises:
        ExperimentsFileError: see ``read``.
    """
    return ExperimentsFile(name, dict(_experiments(_json(data, name), name)))


def shown_key(key: str) -> str:
    """A key as messages show it: as it is if it is a plain word, else quoted."""
    return key if re.fullmatch(r"[A-Za-z_$][\w$]*", key, re.ASCII) else json.dumps(key)


def _json(data: bytes, name: str) -> Any:
    """The document, with its objects as tuples of pairs: a dict would hide that a key is there twice."""
    try:
        return json.loads(data.decode(), object_pairs_hook=tuple)
    except UnicodeDecodeError as error:
        message = f"not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}"
    except json.JSONDecodeError as error:
        message = f"line {error.lineno} column {error.colno}: not JSON: {error.msg}"
    except RecursionError:
        message = "not JSON that can be read: nested too deeply"
    except ValueError:  # CPython's limit on the digits of an int
        message = "a number has too many digits"
    raise ExperimentsFileError(f"{name}: {message}")


def _experiments(document: Any, file: str) -> Iterator[tuple[str, list[dict[str, int]]]]:
    for key, place, cases in _members(document, file, "", "an object with a list for each experiment"):
        if not isinstance(cases, list):
            _fail(file, place, f"expected a list, found {_shown(cases)}")
        yield key, [_case(case, file, f"{place}[{index}]") for index, case in enumerate(cases)]


def _case(case: Any, file: str, place: str) -> dict[str, int]:
    numbers = {}
    for name, number_place, number in _members(case, file, place, "an object with a number each"):
        if type(number) is not int or number < 0:  # a bool is an int to isinstance
            _fail(file, number_place, f"expected a whole number >= 0, found {_shown(number)}")
        if number > LARGEST_NUMBER:
            _fail(file, number_place, f"expected at most {LARGEST_NUMBER}, found {_shown(number)}")
        numbers[name] = number
    return numbers


def _members(value: Any, file: str, place: str, expected: str) -> Iterator[tuple[str, str, Any]]:
    """The key, place and value of each member of an object."""
    if not isinstance(value, tuple):
        _fail(file, place, f"expected {expected}, found {_shown(value)}")
    seen = set()
    for key, member in value:
        if key in seen:
            _fail(file, _member(place, key), "there twice")
        seen.add(key)
        yield key, _member(place, key), member


def _member(place: str, key: str) -> str:
    """The place of a member, as JavaScript would write it."""
    shown = shown_key(key)
    if shown != key:
        return f"{place}[{shown}]"
    return f"{place}.{key}" if place else key


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def _fail(file: str, place: str, problem: str) -> NoReturn:
    raise ExperimentsFileError(": ".join(filter(None, [file, place, problem])))
