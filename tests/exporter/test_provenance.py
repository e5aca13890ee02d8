"""Where results come from."""

import subprocess

import pytest

from exporter import provenance as provenance_module
from exporter.provenance import provenance


@pytest.fixture
def repository(tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    return tmp_path


def test_the_revision_of_a_checkout_is_gits(repository):
    head = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "--short=12", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert provenance(repository).revision == head.stdout.strip()


def test_a_repository_around_an_installed_copy_is_not_its_revision(repository, monkeypatch):
    installed = repository / "site-packages"
    installed.mkdir()
    monkeypatch.setattr(provenance_module, "_version", lambda _name: "1.2.3")
    assert provenance(installed).revision == "1.2.3"


@pytest.mark.parametrize("command", ["no-such-git", "false"], ids=["git-is-missing", "git-fails"])
def test_without_an_answer_from_git_the_revision_is_the_version(repository, monkeypatch, command):
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda _command, **options: run([command], **options))
    monkeypatch.setattr(provenance_module, "_version", lambda _name: "1.2.3")
    assert provenance(repository).revision == "1.2.3"


def test_a_distribution_that_is_not_installed_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance_module, "DISTRIBUTIONS", ("pytest", "no-such-distribution"))
    found = provenance(tmp_path)
    assert set(found.versions) == {"pytest", "python"}
    assert found.revision == "unknown"


def test_the_machine_is_described(tmp_path):
    machine = provenance(tmp_path).machine
    assert machine["platform"]
    assert int(machine["cpuCount"]) >= 1
