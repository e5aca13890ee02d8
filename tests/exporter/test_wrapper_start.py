"""The real wrapper when something it needs is wrong: one line that says what, and an exit code."""

import socket
import subprocess
import sys

import pytest

from tests.exporter.wrapper import HANG, PASS


def only_error(wrapper):
    """The one error it logged."""
    [line] = [line for line in wrapper.lines if line["level"] >= 50]
    assert "err" not in line, "a traceback is not a message"
    return line["msg"]


def test_a_wrong_variable(start):
    wrapper = start(HYPERCORE_SCALE_TEST_INTERVAL_MS="soon")
    assert wrapper.ended() == 2
    [line] = wrapper.stderr().splitlines()
    assert "HYPERCORE_SCALE_TEST_INTERVAL_MS" in line
    assert '"soon"' in line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            '{"fast": [{"nrBlocks": "ten", "blockByteSize": 1}]}', "fast[0].nrBlocks", id="wrong-value"
        ),
        pytest.param("{", "bad.json", id="no-json"),
        pytest.param(None, "bad.json", id="missing"),
    ],
)
def test_a_wrong_experiments_file(start, experiments, tmp_path, text, message):
    file = tmp_path / "bad.json"
    if text is not None:
        file.write_text(text)
    wrapper = start(experiments(fast=PASS), HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC=str(file))
    assert wrapper.ended() == 4
    error = only_error(wrapper)
    assert "bad.json" in error
    assert message in error
    assert len(error.splitlines()) == 1


def test_a_config_json_in_the_working_directory_is_used(start, experiments, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.json").write_text(
        '{"fast": [{"nrBlocks": 7, "blockByteSize": 0}], "download": [{"nrBlocks": 1, "blockByteSize": 1}]}'
    )
    wrapper = start(experiments(fast=PASS, slow=HANG), "--once")
    assert wrapper.ended() == 0
    wrapper.logged("Loading experiment config from config.json")
    wrapper.logged("Finished Fast experiment with params: nrBlocks: 7, blockByteSize: 0 in")
    assert [line["msg"] for line in wrapper.lines if "not available yet" in line["msg"]] == [
        "Experiments not available yet: download"
    ]


@pytest.mark.parametrize(
    "file", [None, '{"fast": [{"nrBlocks": 7, "blockByteSize": 0}]}'], ids=["built-in", "file"]
)
def test_the_pytest_ini_of_the_experiments_is_used_whatever_names_their_sizes(
    start, experiments, tmp_path, file
):
    toys = experiments(fast="import warnings; warnings.warn('an odd thing')")
    (toys.path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    if file is not None:
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "config.json").write_text(file)
    wrapper = start(toys, "--once")
    assert wrapper.ended() == 1
    assert "UserWarning: an odd thing" in only_error(wrapper)


def test_a_port_in_use(start, experiments):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        wrapper = start(experiments(fast=PASS), HYPERCORE_SCALE_METRICS_PORT=port)
        assert wrapper.ended() == 1
    assert f"127.0.0.1:{port}" in only_error(wrapper)
    assert wrapper.leftovers() == []


def test_a_storage_in_use(start, experiments):
    suite = experiments(slow=HANG)
    first = start(suite)
    suite.pid("slow")
    second = start(suite)
    assert second.ended() == 1
    assert "hypercore-scale-corestore" in only_error(second)
    assert first.get("/health") == "healthy\n"


def test_a_storage_that_is_a_file(start, experiments, tmp_path):
    (tmp_path / "file").touch()
    wrapper = start(experiments(fast=PASS), HYPERCORE_SCALE_STORAGE_PATH=str(tmp_path / "file"))
    assert wrapper.ended() == 1
    assert str(tmp_path / "file") in only_error(wrapper)


def test_experiments_that_cannot_be_loaded(start, experiments):
    suite = experiments(fast=PASS)
    (suite.path / "test_experiments.py").write_text("import no_such_module")
    wrapper = start(suite)
    assert wrapper.ended() == 1
    assert "collecting the experiments failed" in only_error(wrapper)
    [line] = [line for line in wrapper.lines if line["level"] >= 50]
    assert "No module named 'no_such_module'" in line["output"]


def main_without(module):
    """Run the wrapper where a module cannot be imported; return the process."""
    program = (
        f"import sys; sys.modules[{module!r}] = None; from exporter.__main__ import main; sys.exit(main())"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_a_dependency_that_is_not_installed():
    ended = main_without("waitress")
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    assert "waitress" in line
    assert "pip install 'hypercore-scale-tests[serve]'" in line


def test_a_module_of_ours_that_is_missing_is_no_dependency():
    ended = main_without("exporter.page")
    assert "Traceback" in ended.stderr
    assert "pip install" not in ended.stderr
