"""The real wrapper with experiments that fail, hang and crash: each costs its own result and no other."""

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.exporter.processes import gone
from tests.exporter.wrapper import EXIT, FAIL, HANG, KILLED, PASS, PROJECT, SEGFAULT, START_A_CHILD_AND_HANG
from tests.waiting import wait_for

LABELS = '{nr_blocks="10",block_byte_size="100"}'


def test_each_way_to_fail_is_recorded_with_its_reason_and_the_others_still_run(start, experiments):
    wrapper = start(experiments(asserts=FAIL, crashes=SEGFAULT, exits=EXIT, is_killed=KILLED, passes=PASS))
    wrapper.logged("Round 1 finished")
    reasons = {line["experiment"]: line["error"] for line in wrapper.lines if "error" in line}
    assert reasons.pop("asserts").startswith("AssertionError: boom")
    assert reasons == {
        "crashes": "killed by signal SIGSEGV",
        "exits": "exited without a result (exit status 7)",
        "is_killed": "killed by signal SIGKILL",
    }
    shown = wrapper.get("/metrics")
    assert set(re.findall(r"^hypercorescale_(\w+){.*} -1.0$", shown, re.M)) == {"asserts", *reasons}
    assert f"hypercorescale_passes_success{LABELS} 1.0" in shown


def test_an_experiment_that_hangs_is_ended_and_the_next_one_runs(start, experiments):
    wrapper = start(
        experiments(hangs=HANG, waits_its_turn=PASS), "--once", HYPERCORE_SCALE_TEST_TIMEOUT_MS="3000"
    )
    assert wrapper.ended() == 1
    assert wrapper.logged("failed: timed out after 3 s")["experiment"] == "hangs"
    assert wrapper.logged("Running Waits Its Turn experiment")


def test_a_failed_experiment_leaves_its_output_in_the_log(start, experiments):
    wrapper = start(experiments(broken="print('on the way'); " + FAIL), "--once")
    wrapper.ended()
    line = wrapper.logged("Broken experiment with params: nrBlocks: 10, blockByteSize: 100 failed: ")
    assert line["level"] == 50
    assert "on the way" in line["output"]


def test_a_killed_wrapper_leaves_no_process_and_the_next_one_removes_its_files(start, experiments):
    suite = experiments(slow=START_A_CHILD_AND_HANG)
    killed = start(suite)
    pids = [suite.pid("slow"), suite.pid("grandchild")]
    killed.stop(signal.SIGKILL)
    wait_for(lambda: all(map(gone, pids)), "the experiment and its child to be gone")
    [leftover] = killed.leftovers()
    following = start(experiments(fast=PASS), "--once")
    assert following.ended() == 0
    assert leftover in following.logged("left behind by a process that was killed")["msg"]
    assert following.leftovers() == []


def test_a_second_wrapper_leaves_the_files_of_the_first_alone(start, experiments):
    suite = experiments(slow=HANG)
    first = start(suite)
    suite.pid("slow")
    before = first.leftovers()
    second = start(suite, HYPERCORE_SCALE_STORAGE_PATH="another")
    second.logged("Running Slow")
    assert set(before) < set(first.leftovers())


@pytest.mark.parametrize(
    "redirection", [">/dev/full", ">&-", "| true"], ids=["full", "closed", "broken-pipe"]
)
@pytest.mark.parametrize(("body", "code"), [(PASS, 0), (FAIL, 1)], ids=["passing", "failing"])
def test_a_log_that_nobody_takes_does_not_change_the_exit_code(
    tmp_path, experiments, redirection, body, code
):
    command = f'"$0" -m exporter --once --benchmarks "$1" {redirection}'
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}", sys.executable, experiments(one=body).path],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert (done.returncode, done.stderr) == (code, "")
