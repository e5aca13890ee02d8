"""Settings: defaults, variables, wrong values, and a help text that names everything."""

from pathlib import Path

import pytest

from exporter.settings import SettingsError, load

VARIABLES = {
    "HYPERCORE_SCALE_METRICS_PORT": "8080",
    "HYPERCORE_SCALE_METRICS_HOST": "0.0.0.0",
    "HYPERCORE_SCALE_TEST_INTERVAL_MS": "1500",
    "HYPERCORE_SCALE_STORAGE_PATH": "elsewhere",
    "HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC": "sizes.json",
    "HYPERCORE_SCALE_TEST_TIMEOUT_MS": "2500",
    "HYPERCORE_SCALE_HISTORY_DAYS": "7",
}


@pytest.mark.parametrize("environment", [{}, dict.fromkeys(VARIABLES, "")], ids=["not-set", "set-to-nothing"])
def test_without_a_value_each_variable_has_its_default(environment, tmp_path):
    settings = load([], environment, tmp_path)
    assert (settings.metrics_host, settings.metrics_port) == ("127.0.0.1", 0)
    assert (settings.interval_s, settings.test_timeout_s, settings.history_days) == (300, 1800, 90)
    assert settings.storage_path == Path("hypercore-scale-corestore")
    assert settings.experiments_file is None
    assert settings.benchmarks is None
    assert not settings.once


def test_each_variable_is_taken_from_the_environment(tmp_path):
    settings = load([], VARIABLES, tmp_path)
    assert (settings.metrics_host, settings.metrics_port) == ("0.0.0.0", 8080)
    assert (settings.interval_s, settings.test_timeout_s, settings.history_days) == (1.5, 2.5, 7)
    assert settings.storage_path == Path("elsewhere")
    assert settings.experiments_file == Path("sizes.json")


def test_a_config_json_that_is_there_is_the_experiments_file(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert load([], {}, tmp_path).experiments_file == Path("config.json")


def test_the_variable_wins_over_a_config_json(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert load([], VARIABLES, tmp_path).experiments_file == Path("sizes.json")


@pytest.mark.parametrize("value", ["abc", "-1", "65536", "1.5", "0x10"])
def test_a_wrong_port_is_named_with_its_variable(value, tmp_path):
    with pytest.raises(SettingsError) as caught:
        load([], {"HYPERCORE_SCALE_METRICS_PORT": value}, tmp_path)
    expected = "expected a whole number from 0 to 65535"
    assert str(caught.value) == f'HYPERCORE_SCALE_METRICS_PORT: {expected}, found "{value}"'


@pytest.mark.parametrize("variable", ["HYPERCORE_SCALE_TEST_INTERVAL_MS", "HYPERCORE_SCALE_TEST_TIMEOUT_MS"])
@pytest.mark.parametrize("value", ["0", "soon", "99999999999"])
def test_a_wrong_duration_is_named_with_its_variable(variable, value, tmp_path):
    with pytest.raises(SettingsError, match=f'{variable}.*"{value}"'):
        load([], {variable: value}, tmp_path)


def test_the_options_are_taken_from_the_command_line(tmp_path):
    settings = load(["--once", "--benchmarks", "mine"], {}, tmp_path)
    assert settings.once
    assert settings.benchmarks == Path("mine")


def test_the_help_names_every_variable_and_address(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        load(["--help"], {}, tmp_path)
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert not [name for name in [*VARIABLES, "/metrics", "/health", "--once"] if name not in shown]


def test_the_help_fits_a_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        load(["--help"], {}, tmp_path)
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


def test_a_wrong_option_ends_with_exit_code_2(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        load(["--twice"], {}, tmp_path)
    assert caught.value.code == 2
    assert "--twice" in capsys.readouterr().err
