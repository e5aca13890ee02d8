"""Results that can be followed from elsewhere: their store in a thread of its own, which also serves it.

A store belongs to one thread, and peers want to be answered while an experiment runs. So what the wrapper
does with the results is done in that thread, between what peers ask for.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

from exporter.experiment import Experiment, Outcome, Result
from exporter.provenance import Provenance
from exporter.results import Results
from hypercore import Hypercore, aio

T = TypeVar("T")

log = logging.getLogger(__name__)


class PublishedResults:
    """Results that whoever knows the key of their core can replicate; it does what Results does.

    Args:
        path: the directory of the store, or None for memory.
        provenance: what is measured.
        host: the address to listen at.
        port: 0 takes any free one.

    Raises:
        ConnectionLost: the address cannot be used.
        StorageError: the store cannot be opened.
    """

    def __init__(self, path: Path | None, provenance: Provenance, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._server: aio.Server | None = None
        self._served: Hypercore | None = None
        self._open: Results | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="results")
        self._thread.start()
        try:
            self._open = self._do(lambda: Results(path, provenance))
            self._wait_for(self._serve())
        except BaseException:
            self.close()
            raise
        log.info("Results can be followed at %s:%d, bee %s", host, self.port, self.id)

    @property
    def port(self) -> int:
        """The port that it listens at."""
        assert self._server is not None
        return self._server.port

    @property
    def id(self) -> str:
        """The id of the core that the bee is on."""
        return self._do(lambda: self._results.core.id)

    @property
    def _results(self) -> Results:
        assert self._open is not None
        return self._open

    def put(self, result: Result, outcome: Outcome) -> None:
        """Store the result of a run; see Results."""
        self._change(lambda: self._results.put(result, outcome))

    def forget(self, before_ms: int, now_ms: int) -> int:
        """Forget the results from before a time; see Results."""
        return self._change(lambda: self._results.forget(before_ms, now_ms))

    def load(self, experiments: Iterable[Experiment]) -> list[Result]:
        """Return the results stored earlier; see Results."""
        return self._do(lambda: self._results.load(experiments))

    def close(self) -> None:
        """End all connections and close the store."""
        if self._thread.is_alive():
            self._wait_for(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> PublishedResults:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _change(self, work: Callable[[], T]) -> T:
        """Do something that may open the store again: then it has to be served again, too."""
        try:
            return self._do(work)
        finally:
            self._wait_for(self._serve())

    def _do(self, work: Callable[[], T]) -> T:
        async def done() -> T:
            return work()

        return self._wait_for(done())

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _serve(self) -> None:
        """Serve the core, unless it is served already or its store could not be opened again."""
        core = self._results.core
        if core is self._served or core.closed:
            return
        if self._server is not None:
            self._port = self._server.port
            await self._server.close()
        self._server = await aio.serve(core, self._host, self._port, report=_report)
        self._served = core

    async def _end(self) -> None:
        if self._server is not None:
            await self._server.close()
        if self._open is not None:
            self._open.close()


def _report(error: Exception) -> None:
    log.warning("Who follows the results gets an error: %s", error)
