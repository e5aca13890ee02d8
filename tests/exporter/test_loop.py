"""The loop: order, intervals, failures, cancelling, and the phrases of the log."""

import logging

import pytest

from exporter.board import Board
from exporter.experiment import Outcome
from exporter.loop import Loop
from exporter.stopping import Canceled, Stop
from hypercore.errors import StorageError
from tests.exporter.builders import experiment

WRITE, READ = experiment("write"), experiment("read")


class World:
    """A suite, an archive, a clock and a stop in one: nothing here takes any time."""

    def __init__(self, monkeypatch):
        self.stop = Stop()
        monkeypatch.setattr(self.stop, "wait", self.wait)
        self.time = 0.0
        self.ahead_s = 0.0
        self.run_s = 1.0
        self.events = []
        self.outcomes = {}
        self.stored = []
        self.forgotten = []
        self.full_disk = None
        self.last_event = 1000
        self.waits = []
        self.last_wait = 1000

    def run(self, one):
        if len(self.events) >= self.last_event:
            self.stop.set()
            raise Canceled
        self.events.append((one.name, self.time))
        self.time += self.run_s
        return self.outcomes.get(one.name, Outcome(run_time_s=0.5, rounds=3))

    def put(self, result, _outcome):
        if self.full_disk:
            raise self.full_disk
        self.stored.append(result)

    def forget(self, before_ms, now_ms):
        if self.full_disk:
            raise self.full_disk
        self.forgotten.append((before_ms, now_ms))
        return 3

    def wait(self, timeout_s):
        self.time += timeout_s
        self.waits.append(timeout_s)
        if len(self.waits) == self.last_wait:
            self.stop.set()
        return self.stop.is_set()

    def loop(self, *experiments, interval_s=10, history_days=0):
        board = Board(experiments)
        loop = Loop(
            self,
            self,
            board,
            interval_s=interval_s,
            history_days=history_days,
            stop=self.stop,
            clock=lambda: self.time,
            now=lambda: self.time + self.ahead_s,
        )
        return loop, board


@pytest.fixture
def world(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    return World(monkeypatch)


def test_a_round_runs_every_experiment_in_order(world):
    loop, board = world.loop(WRITE, READ)
    assert loop.run_round() is True
    assert [name for name, _ in world.events] == ["write", "read"]
    assert (board.current.rounds, board.current.last_round_s) == (1, 2.0)


def test_each_result_is_stored_and_shown(world):
    loop, board = world.loop(WRITE)
    loop.run_round()
    assert world.stored == [board.current.result(WRITE)]
    assert (world.stored[0].run_time_s, world.stored[0].timestamp_ms) == (0.5, 1000)


def test_rounds_start_an_interval_apart(world):
    world.last_event = 4
    loop, _ = world.loop(WRITE, READ)
    loop.run()
    assert world.events == [("write", 0), ("read", 1), ("write", 10), ("read", 11)]


def test_a_round_that_takes_longer_than_the_interval_is_followed_at_once_by_the_next(world, caplog):
    world.last_event, world.run_s = 4, 6.0
    loop, _ = world.loop(WRITE, READ)
    loop.run()
    assert world.events == [("write", 0), ("read", 6), ("write", 12), ("read", 18)]
    warning = "Previous experiment still running. Needs a bigger interval?"
    assert [record.levelname for record in caplog.records if record.message == warning] == ["WARNING"] * 2


def test_a_long_round_is_warned_of_once(world, caplog):
    world.run_s = 6.0
    loop, _ = world.loop(WRITE, READ, experiment("bee_write"), experiment("drive_get"))
    loop.run_round()
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1


def test_a_failed_experiment_is_stored_as_failed_and_the_others_still_run(world):
    world.outcomes["write"] = Outcome(error="timed out")
    loop, board = world.loop(WRITE, READ)
    assert loop.run_round() is False
    assert [(result.success, result.error) for result in world.stored] == [(False, "timed out"), (True, None)]
    assert board.current.runs[("write", "failed")] == 1


@pytest.mark.parametrize(
    "full_disk", [OSError(28, "No space left on device"), StorageError("disk full")], ids=["system", "store"]
)
def test_a_result_that_cannot_be_stored_is_shown_and_the_loop_goes_on(world, caplog, full_disk):
    world.full_disk = full_disk
    loop, board = world.loop(WRITE, READ)
    assert loop.run_round() is True
    assert board.current.result(WRITE).success
    assert board.current.not_stored == 2
    errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert errors == [f"The result of {one} could not be stored: {full_disk}" for one in (WRITE, READ)]


def test_a_canceled_experiment_has_no_result_and_ends_the_loop(world, caplog):
    world.last_event = 1
    loop, board = world.loop(WRITE, READ)
    loop.run()
    assert [result.experiment for result in world.stored] == [WRITE]
    assert board.current.result(READ) is None
    assert f"Canceling experiment '{READ}' because the runner is shutting down" in caplog.messages


def test_a_request_to_stop_between_two_experiments_ends_the_round(world):
    loop, _ = world.loop(WRITE)
    world.stop.set()
    with pytest.raises(Canceled):
        loop.run_round()
    assert world.events == []


def test_a_round_without_experiments_waits_for_the_next(world):
    world.last_wait = 1
    loop, _ = world.loop()
    loop.run()
    assert world.waits == [10]


def test_the_log_has_the_phrases_that_existing_tools_look_for(world, caplog):
    world.outcomes["read"] = Outcome(error="boom")
    loop, _ = world.loop(WRITE, READ)
    loop.run_round()
    assert caplog.messages[:4] == [
        "Running Write experiment with params: nrBlocks: 10, blockByteSize: 100",
        "Finished Write experiment with params: nrBlocks: 10, blockByteSize: 100 in 0.500000s",
        "Running Read experiment with params: nrBlocks: 10, blockByteSize: 100",
        "Read experiment with params: nrBlocks: 10, blockByteSize: 100 failed: boom",
    ]


def test_the_log_tells_machines_how_far_the_round_is(world, caplog):
    loop, _ = world.loop(WRITE, READ)
    loop.run_round()
    last = [record for record in caplog.records if record.message.startswith("Finished")][-1]
    assert (last.experiment, last.position, last.total, last.runTimeS) == ("read", 2, 2, 0.5)


DAY_S = 86_400


def test_old_results_are_forgotten_once_a_day(world, caplog):
    loop, _ = world.loop(WRITE, history_days=2)
    for time_s in (5 * DAY_S, 5.5 * DAY_S, 6.25 * DAY_S):
        world.time = time_s
        loop.run_round()
    first, second = 5 * DAY_S + 1, 6.25 * DAY_S + 1
    assert world.forgotten == [
        ((first - 2 * DAY_S) * 1000, first * 1000),
        ((second - 2 * DAY_S) * 1000, second * 1000),
    ]
    assert "Forgot 3 results of more than 2 days ago" in caplog.messages


def test_a_clock_that_was_ahead_puts_off_no_forgetting(world):
    loop, _ = world.loop(WRITE, history_days=2)
    world.ahead_s = 1000 * DAY_S
    loop.run_round()
    world.time, world.ahead_s = 1.5 * DAY_S, 0
    loop.run_round()
    assert len(world.forgotten) == 2


def test_without_a_limit_nothing_is_forgotten(world):
    loop, _ = world.loop(WRITE)
    loop.run_round()
    assert world.forgotten == []


def test_a_loop_that_cannot_forget_goes_on(world, caplog):
    loop, _ = world.loop(WRITE, history_days=2)
    world.full_disk = StorageError("db: disk full")
    loop.run_round()
    assert "Old results could not be forgotten: db: disk full" in caplog.messages
    assert loop.run_round() is True
