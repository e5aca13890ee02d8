"""The board: immutable snapshots of what is running and what was measured."""

from exporter.board import Board
from tests.exporter.builders import experiment, result

WRITE, READ = experiment("write"), experiment("read")


def test_a_stored_result_is_there_from_the_start():
    board = Board([WRITE, READ], [result(WRITE)])
    assert board.current.result(WRITE) == result(WRITE)
    assert board.current.result(READ) is None


def test_a_new_result_takes_the_place_of_the_one_before():
    board = Board([WRITE], [result(WRITE, run_time_s=1.0)])
    board.finished(result(WRITE, run_time_s=2.0))
    assert board.current.result(WRITE) == result(WRITE, run_time_s=2.0)


def test_a_snapshot_does_not_change_afterwards():
    board = Board([WRITE])
    before = board.current
    board.started(WRITE)
    board.finished(result(WRITE))
    board.not_stored()
    board.round_finished(1.0)
    assert before.not_stored == 0
    assert (before.running, before.results, before.rounds) == (None, {}, 0)
    assert before.runs == {("write", "passed"): 0, ("write", "failed"): 0}


def test_runs_are_counted_by_experiment_and_outcome():
    board = Board([WRITE, READ])
    for run in (result(WRITE), result(WRITE), result(WRITE, run_time_s=None)):
        board.finished(run)
    assert board.current.runs[("write", "passed")] == 2
    assert board.current.runs[("write", "failed")] == 1
    assert board.current.runs[("read", "passed")] == 0


def test_an_experiment_runs_from_its_start_to_its_end():
    board = Board([WRITE])
    board.started(WRITE)
    assert board.current.running == WRITE
    board.finished(result(WRITE))
    assert board.current.running is None


def test_rounds_are_counted_and_the_last_one_timed():
    board = Board([WRITE])
    board.round_finished(3.0)
    board.round_finished(2.0)
    assert (board.current.rounds, board.current.last_round_s) == (2, 2.0)
