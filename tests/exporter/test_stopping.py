"""The request to stop: a flag that wakes whoever waits for it."""

import os
import signal
import threading

import pytest

from exporter.stopping import Stop, ignore_signals


@pytest.fixture
def signal_handlers():
    """Puts the handlers back that were there before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_waiting_ends_without_the_flag_when_the_time_is_over():
    assert Stop().wait(0) is False


def test_setting_the_flag_ends_the_waiting():
    stop = Stop()
    threading.Timer(0, stop.set).start()
    assert stop.wait(60) is True


def test_a_flag_that_is_set_stays_set():
    stop = Stop()
    stop.set()
    stop.set()
    assert [stop.wait(60), stop.wait(60), stop.is_set()] == [True, True, True]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.usefixtures("signal_handlers")
def test_a_signal_sets_the_flag_however_often_it_comes(number):
    stop = Stop()
    stop.on_signals()
    os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)
    assert stop.wait(60)


@pytest.mark.usefixtures("signal_handlers")
def test_signals_that_are_ignored_neither_set_the_flag_nor_end_the_process():
    stop = Stop()
    stop.on_signals()
    ignore_signals()
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    assert not stop.is_set()
