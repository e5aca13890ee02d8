"""The real wrapper from start to end: what it logs, serves and stores."""

import json

from tests.exporter.wrapper import FAIL, HANG, PASS, PROJECT

PARAMS = "nrBlocks: 10, blockByteSize: 100"
LABELS = '{nr_blocks="10",block_byte_size="100"}'


def test_the_example_config_gives_a_line_for_each_experiment_that_exists(start):
    config = json.loads((PROJECT / "example-config.json").read_text())
    wrapper = start(
        HYPERCORE_SCALE_EXPERIMENTS_FILE_LOC=str(PROJECT / "example-config.json"),
        HYPERCORE_SCALE_TEST_INTERVAL_MS="100",
    )
    last = "Finished Write experiment with params: nrBlocks: 10, blockByteSize: 100"
    wrapper.logged(last)
    shown = wrapper.get("/metrics")
    assert f"hypercorescale_write{LABELS} " in shown
    assert f"hypercorescale_read{LABELS} " in shown
    assert 'hypercorescale_bee_write{nr_entries="10",entry_byte_size="100"} ' in shown
    assert config.keys() >= {"write", "read", "beeWrite"}
    assert wrapper.stop() == 0
    assert wrapper.stderr() == ""


def test_the_log_tells_each_step_from_start_to_end(start, experiments):
    wrapper = start(experiments(fast=PASS))
    wrapper.logged("Next round in")
    assert wrapper.stop() == 0
    url = wrapper.url
    steps = [
        "Using storage hypercore-scale-corestore",
        "Loading experiment config from built-in defaults",
        f"Server listening at {url}",
        "Fully setup",
        f"Running Fast experiment with params: {PARAMS}",
        "Closing runner",
        "Closing server",
        "Shut down successfully",
    ]
    assert [message for message in wrapper.messages if message in steps] == steps
    assert wrapper.stderr() == ""


def shown_results(wrapper):
    """The results among the metrics, without the counters of the process."""
    names = ("hypercorescale_fast", "hypercorescale_broken")
    return [line for line in wrapper.get("/metrics").splitlines() if line.startswith(names)]


def test_the_last_results_are_shown_at_once_after_a_restart(start, experiments):
    first = start(experiments(broken=FAIL, fast=PASS))
    first.logged("Next round in")
    before = shown_results(first)
    assert first.stop() == 0
    second = start(experiments(broken=HANG, fast=HANG))
    assert shown_results(second) == before
    assert f"hypercorescale_broken{LABELS} -1.0" in before


def test_the_page_and_health_are_served_while_an_experiment_runs(start, experiments):
    suite = experiments(slow=HANG)
    wrapper = start(suite)
    suite.pid("slow")
    assert wrapper.get("/health") == "healthy\n"
    assert f"Now running: Slow experiment with params: {PARAMS}." in wrapper.get("/")


def test_one_round_is_enough_for_once(start, experiments):
    wrapper = start(experiments(fast=PASS), "--once")
    assert wrapper.ended() == 0
    assert [message for message in wrapper.messages if message.startswith("Round")] == [
        wrapper.logged("Round 1 finished")["msg"]
    ]
    assert wrapper.messages[-1] == "Shut down successfully"


def test_once_fails_when_an_experiment_failed(start, experiments):
    assert start(experiments(broken=FAIL), "--once").ended() == 1
