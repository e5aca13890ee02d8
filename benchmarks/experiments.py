"""What an experiment is: a pytest function, its docstring, and the sizes it runs at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

MARKER = "experiment"


def sizes(*cases: Mapping[str, int], title: str | None = None) -> pytest.MarkDecorator:
    """Make a test an experiment that runs once per case, the quickest case first.

    The keys are the test's parameters, and their order is the order of the metric's labels. ``title`` is the
    experiment's name in logs; without it, that is the function's name in title case.

    Raises:
        ValueError: there is no case, or the cases differ in their parameters.
    """
    if not cases:
        raise ValueError("an experiment needs at least one case")
    for case in cases:
        if list(case) != list(cases[0]):
            raise ValueError(f"cases differ in their parameters: {list(cases[0])} and {list(case)}")
    marker: pytest.MarkDecorator = getattr(pytest.mark, MARKER)
    return marker(*cases, title=title)


@dataclass(frozen=True)
class Experiment:
    """One experiment as its function declares it; ``name`` and the parameters are in snake_case."""

    name: str
    title: str
    help: str
    defaults: Sequence[Mapping[str, int]]

    @property
    def key(self) -> str:
        """The experiment's key in the experiments file: ``bee_write`` is ``beeWrite`` there."""
        return camel_case(self.name)

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters, in order."""
        return list(self.defaults[0])


def experiment_of(test: pytest.Function) -> Experiment | None:
    """The experiment that a test, or the definition of one, belongs to; None when it is no experiment."""
    marker = test.get_closest_marker(MARKER)
    if marker is None:
        return None
    name = test.function.__name__.removeprefix("test_")
    return Experiment(
        name=name,
        title=marker.kwargs["title"] or f"{name.replace('_', ' ').title()} experiment",
        help=(test.function.__doc__ or "").strip().partition("\n")[0],
        defaults=marker.args,
    )


def case_id(case: Mapping[str, int]) -> str:
    """The test id of a case, which is also the key of its results: ``nrBlocks=10_blockByteSize=100``."""
    return "_".join(f"{camel_case(name)}={value}" for name, value in case.items())


def camel_case(name: str) -> str:
    """``nr_blocks`` as the experiments file and the results write it: ``nrBlocks``."""
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)
