"""The real wrapper asked to stop: exit code 0 and nothing left behind, whatever it was doing."""

import signal

import pytest

from tests.exporter.processes import gone
from tests.exporter.wrapper import HANG, IGNORE_SIGTERM_AND_HANG, PASS, START_A_CHILD_AND_HANG
from tests.waiting import wait_for

CANCELING = "Canceling experiment 'Slow experiment with params: nrBlocks: 10, blockByteSize: 100'"


@pytest.mark.parametrize(
    ("number", "body"),
    [
        pytest.param(signal.SIGTERM, HANG, id="SIGTERM"),
        pytest.param(signal.SIGINT, HANG, id="SIGINT"),
        pytest.param(signal.SIGTERM, IGNORE_SIGTERM_AND_HANG, id="the-experiment-ignores-SIGTERM"),
    ],
)
def test_in_the_middle_of_an_experiment(start, experiments, number, body):
    suite = experiments(slow=body)
    wrapper = start(suite)
    pid = suite.pid("slow")
    assert wrapper.stop(number) == 0
    assert gone(pid)
    assert wrapper.leftovers() == []
    assert wrapper.logged(CANCELING)
    assert wrapper.messages[-3:] == ["Closing runner", "Closing server", "Shut down successfully"]
    assert wrapper.stderr() == ""


def test_what_the_experiment_started_goes_with_it(start, experiments):
    suite = experiments(slow=START_A_CHILD_AND_HANG)
    wrapper = start(suite)
    grandchild = suite.pid("grandchild")
    assert wrapper.stop() == 0
    wait_for(lambda: gone(grandchild), "the experiment's child to be gone")


def test_while_waiting_for_the_next_round(start, experiments):
    wrapper = start(experiments(fast=PASS))
    wrapper.logged("Next round in")
    assert wrapper.stop() == 0
    assert wrapper.leftovers() == []


def test_while_the_experiments_are_being_collected(start, experiments):
    suite = experiments(fast=PASS)
    endless = "import os, signal\nfrom pathlib import Path\n"
    endless += "(Path(__file__).parent / 'collecting.pid').write_text(str(os.getpid()))\nsignal.pause()\n"
    (suite.path / "test_experiments.py").write_text(endless)
    wrapper = start(suite)
    pid = suite.pid("collecting")
    assert wrapper.stop() == 0
    assert gone(pid)
    assert wrapper.leftovers() == []
    assert wrapper.messages[-1] == "Shut down successfully"


def test_signals_that_keep_coming_change_nothing(start, experiments):
    suite = experiments(slow=HANG)
    wrapper = start(suite)
    suite.pid("slow")

    def ended_by_yet_another_signal():
        wrapper.process.send_signal(signal.SIGTERM)
        wrapper.process.send_signal(signal.SIGINT)
        return wrapper.process.poll() is not None

    wait_for(ended_by_yet_another_signal, "the wrapper to end")
    assert wrapper.ended() == 0
    assert wrapper.messages[-1] == "Shut down successfully"
    assert wrapper.stderr() == ""


def test_the_results_so_far_are_kept(start, experiments):
    suite = experiments(fast=PASS, slow=HANG)
    first = start(suite)
    suite.pid("slow")
    shown = [line for line in first.get("/metrics").splitlines() if line.startswith("hypercorescale_fast")]
    assert first.stop() == 0
    second = start(experiments(fast=HANG, slow=HANG))
    assert len(shown) == 4
    assert set(shown) <= set(second.get("/metrics").splitlines())
