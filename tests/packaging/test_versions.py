"""The versions of Python that are supported, which several tools have to be told."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

SUPPORTED = re.findall(
    r'"Programming Language :: Python :: (3\.\d+)"', (PROJECT / "pyproject.toml").read_text()
)


def versions(file: str, pattern: str) -> list[str]:
    """What a pattern's group finds in a file, as versions of Python."""
    found = re.search(pattern, (PROJECT / file).read_text(), re.MULTILINE)
    assert found is not None
    return [f"3.{minor}" for minor in re.findall(r"(?:3\.)?(\d+)", found[1])]


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("tox.ini", r"^\[testenv:py3\{(.*)\}\]"),
        (".ci/run", r"^SUPPORTED=\((.*)\)"),
        (".github/workflows/test.yml", r"^ +python-version: \[(.*)\]"),
    ],
)
def test_every_tool_tests_the_versions_that_the_package_promises(file, pattern):
    assert versions(file, pattern) == SUPPORTED


@pytest.mark.parametrize(
    ("pattern"), [r'^requires-python = ">=(.*)"', r'^target-version = "py3(.*)"'], ids=["pip", "ruff"]
)
def test_the_oldest_version_is_the_one_that_code_is_written_for(pattern):
    assert versions("pyproject.toml", pattern) == SUPPORTED[:1]
