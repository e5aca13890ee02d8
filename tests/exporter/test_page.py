"""The page for people."""

from exporter.board import Board
from exporter.page import render
from tests.exporter.builders import experiment, result

WRITE = experiment("write")


def test_a_result_is_a_row_with_its_run_time_and_moment():
    page = render(Board([WRITE], [result(WRITE, run_time_s=0.25, timestamp_ms=0)]).current)
    assert "nrBlocks: 10, blockByteSize: 100" in page
    assert "0.250000 s" in page
    assert "1970-01-01 00:00:00 UTC" in page


def test_an_experiment_that_has_not_run_yet_says_so():
    assert "not run yet" in render(Board([WRITE]).current)


def test_a_failed_run_shows_its_reason():
    page = render(Board([WRITE], [result(WRITE, run_time_s=None, error="timed out")]).current)
    assert "failed: timed out" in page


def test_the_page_tells_what_is_running():
    board = Board([WRITE])
    board.started(WRITE)
    assert f"Now running: {WRITE}." in render(board.current)


def test_nothing_on_the_page_can_break_out_of_its_place():
    nasty = '"><script>alert(1)</script>'
    one = experiment(nasty, help=nasty, title=nasty, **{nasty: 1})
    board = Board([one], [result(one, run_time_s=None, error=nasty)])
    board.started(one)
    assert "<script" not in render(board.current)
