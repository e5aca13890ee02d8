"""The metrics in the hands of the real Prometheus: its linter, and a server that scrapes them."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

from tests.exporter.wrapper import FAIL, PASS, Experiments, Wrapper
from tests.waiting import wait_for


def tool(name):
    """The path of a program of Prometheus; without it the test is skipped, but not in CI."""
    path = shutil.which(name)
    if path is None:
        assert not os.environ.get("CI"), f"{name} is missing: CI has to have it"
        pytest.skip(f"{name} is not installed")
    return path


@pytest.fixture(scope="module")
def wrapper(tmp_path_factory):
    """A wrapper after its first round."""
    directory = tmp_path_factory.mktemp("wrapper")
    suite = Experiments(directory / "experiments", broken=FAIL, fast=PASS)
    with Wrapper(directory / "home", "--benchmarks", suite.path) as wrapper:
        wrapper.logged("Next round in")
        yield wrapper


def test_the_linter_has_nothing_to_say(wrapper):
    checked = subprocess.run(
        [tool("promtool"), "check", "metrics"], input=wrapper.get("/metrics"), capture_output=True, text=True
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


CONFIG = """
scrape_configs:
  - job_name: hypercore-scale-tests
    scrape_interval: 1s
    static_configs:
      - targets: ["{target}"]
"""


@pytest.fixture
def prometheus(wrapper, tmp_path):
    """The address of a Prometheus server that scrapes the wrapper."""
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.format(target=wrapper.url.removeprefix("http://")))
    log = tmp_path / "prometheus.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [
                tool("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={tmp_path / 'tsdb'}",
                "--web.listen-address=127.0.0.1:0",
                "--log.format=json",
            ],
            stderr=output,
        ) as process,
    ):
        yield wait_for(lambda: listen_address(log), "Prometheus to listen")
        process.kill()


def listen_address(log):
    for line in log.read_text().splitlines():
        if '"Listening on"' in line:
            return "http://" + json.loads(line)["address"]
    return None


def query(prometheus, expression):
    """What Prometheus answers: labels and value of each sample."""
    url = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            samples = json.load(response)["data"]["result"]
    except urllib.error.URLError:
        return None
    return [(sample["metric"], float(sample["value"][1])) for sample in samples]


def test_prometheus_stores_what_it_scrapes(prometheus):
    [(labels, value)] = wait_for(lambda: query(prometheus, "hypercorescale_fast"), "the sample to arrive")
    assert (labels["nr_blocks"], labels["block_byte_size"]) == ("10", "100")
    assert value > 0
    [(_, failed)] = query(prometheus, "hypercorescale_broken")
    assert failed == -1
    [(_, count)] = query(prometheus, 'hypercorescale_runs_total{outcome="passed"} == 1')
    assert count == 1
