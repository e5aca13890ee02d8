"""The metrics: exact lines, as existing dashboards and Prometheus' conventions want them."""

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from exporter.board import Board
from exporter.metrics import registry_of
from tests.exporter.builders import PROVENANCE, experiment, result

WRITE = experiment("write", nrBlocks=10, blockByteSize=100)


def lines(board, encode=generate_latest):
    return encode(registry_of(board, PROVENANCE)).decode().splitlines()


@pytest.mark.parametrize("encode", [generate_latest, generate_openmetrics], ids=["text", "openmetrics"])
def test_the_labels_stand_in_the_order_of_the_parameters(encode):
    shown = lines(Board([WRITE], [result(WRITE)]), encode)
    assert 'hypercorescale_write{nr_blocks="10",block_byte_size="100"} 0.25' in shown


@pytest.mark.parametrize(
    ("name", "params", "labels"),
    [
        ("bee_write", {"nrEntries": 10, "entryByteSize": 10}, 'nr_entries="10",entry_byte_size="10"'),
        ("drive_get", {"nrFiles": 0, "fileByteSize": 0}, 'nr_files="0",file_byte_size="0"'),
        ("many", {"d": 1, "c": 2, "b": 3, "a": 4}, 'd="1",c="2",b="3",a="4"'),
    ],
    ids=["other-names", "zeros", "four-against-the-alphabet"],
)
def test_names_and_values_of_parameters_become_labels(name, params, labels):
    one = experiment(name, **params)
    assert f"hypercorescale_{name}{{{labels}}} 0.25" in lines(Board([one], [result(one)]))


def test_each_set_of_parameters_has_its_line_in_the_order_of_the_round():
    larger = experiment("write", nrBlocks=100, blockByteSize=100)
    shown = lines(Board([WRITE, larger], [result(larger, run_time_s=2.0), result(WRITE)]))
    assert [line for line in shown if line.startswith("hypercorescale_write{")] == [
        'hypercorescale_write{nr_blocks="10",block_byte_size="100"} 0.25',
        'hypercorescale_write{nr_blocks="100",block_byte_size="100"} 2.0',
    ]


def test_the_conforming_metrics_tell_seconds_success_and_time():
    shown = lines(Board([WRITE], [result(WRITE, timestamp_ms=1500)]))
    labels = '{nr_blocks="10",block_byte_size="100"}'
    assert f"hypercorescale_write_seconds{labels} 0.25" in shown
    assert f"hypercorescale_write_success{labels} 1.0" in shown
    assert f"hypercorescale_write_timestamp_seconds{labels} 1.5" in shown


def test_a_failed_run_shows_minus_one_and_no_seconds():
    shown = lines(Board([WRITE], [result(WRITE, run_time_s=None)]))
    labels = '{nr_blocks="10",block_byte_size="100"}'
    assert f"hypercorescale_write{labels} -1.0" in shown
    assert f"hypercorescale_write_success{labels} 0.0" in shown
    assert not [line for line in shown if line.startswith("hypercorescale_write_seconds")]


def test_a_run_too_fast_to_measure_did_not_fail():
    shown = lines(Board([WRITE], [result(WRITE, run_time_s=0.0)]))
    assert 'hypercorescale_write{nr_blocks="10",block_byte_size="100"} 0.0' in shown
    assert 'hypercorescale_write_success{nr_blocks="10",block_byte_size="100"} 1.0' in shown


def test_an_experiment_that_has_not_run_yet_has_help_but_no_value():
    shown = [line for line in lines(Board([WRITE])) if "hypercorescale_write" in line]
    assert all(line.startswith("#") for line in shown)
    assert shown[0].startswith("# HELP hypercorescale_write Write hypercore blocks to disk")


def test_the_counters_of_the_process_follow_the_board():
    board = Board([WRITE])
    board.finished(result(WRITE))
    board.round_finished(1.5)
    shown = lines(board)
    assert 'hypercorescale_runs_total{experiment="write",outcome="passed"} 1.0' in shown
    assert 'hypercorescale_runs_total{experiment="write",outcome="failed"} 0.0' in shown
    assert "hypercorescale_rounds_total 1.0" in shown
    assert "hypercorescale_round_duration_seconds 1.5" in shown


def test_results_that_could_not_be_stored_are_counted():
    board = Board([WRITE])
    assert "hypercorescale_results_not_stored_total 0.0" in lines(board)
    board.not_stored()
    assert "hypercorescale_results_not_stored_total 1.0" in lines(board)


def test_before_the_first_round_there_is_no_duration():
    assert not [line for line in lines(Board([WRITE])) if line.startswith("hypercorescale_round_duration")]


def test_the_info_tells_what_is_measured():
    expected = 'hypercorescale_info{python_version="3.11.7",revision="abc123",version="0.1.0"} 1.0'
    assert expected in lines(Board([]))
