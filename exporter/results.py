"""The results in their Hyperbee: core ``res-bee``, a sub per experiment, a key per set of parameters.

A value, on disk and therefore not to be renamed (the first five as the JavaScript tool writes them):
    {success, runTimeS: seconds or -1, params: {nrBlocks: 10, ...}, name, timestamp: milliseconds,
     rounds, stats, error, revision, versions, machine}
One thread owns the store; other threads read the board instead.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeGuard

from exporter.experiment import FAILED_RUN_TIME, Experiment, Outcome, Result
from exporter.provenance import Provenance
from hypercore import Corestore, Hyperbee, Hypercore
from hypercore.errors import DecodingError, HypercoreError, StorageError

CORE_NAME = "res-bee"
# The end of the year 9999: what a calendar can still show.
LATEST_MS = 253_402_300_799_999

log = logging.getLogger(__name__)


class Results:
    """The store of the results; closing it ends the lock on its directory."""

    def __init__(self, path: Path | None, provenance: Provenance) -> None:
        """Open the store in directory ``path``, or in memory.

        Raises:
            StorageLocked: another process has it open.
            StorageError: it cannot be opened.
        """
        self._path = path
        self._provenance = provenance
        self._open()

    @property
    def core(self) -> Hypercore:
        """The core that the bee is on; another object after the store had to be opened again."""
        return self._bee.core

    def _open(self) -> None:
        store = Corestore(self._path)
        try:
            core = store.get(name=CORE_NAME)
            self._bee = Hyperbee(core, key_encoding="utf-8", value_encoding="json")
        except BaseException:
            store.close()
            raise
        self._store = store

    @contextmanager
    def _open_bee(self) -> Iterator[Hyperbee]:
        """Give the bee; a store that failed takes nothing more, so it is opened again the next time."""
        if self._store.closed:
            self._open()
        try:
            yield self._bee
        except StorageError:
            self._store.close()
            raise

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def put(self, result: Result, outcome: Outcome) -> None:
        """Store the result of a run.

        Raises:
            HypercoreError, OSError: it could not be stored.
        """
        value = {
            "success": result.success,
            "runTimeS": FAILED_RUN_TIME if result.run_time_s is None else result.run_time_s,
            "params": dict(result.experiment.params),
            "name": result.experiment.title,
            "timestamp": result.timestamp_ms,
            "rounds": outcome.rounds,
            "stats": outcome.stats and dict(outcome.stats),
            "error": result.error,
            "revision": self._provenance.revision,
            "versions": self._provenance.versions,
            "machine": self._provenance.machine,
        }
        with self._open_bee() as bee:
            bee.sub(result.experiment.name).put(result.experiment.key, value)

    def forget(self, before_ms: int, now_ms: int) -> int:
        """Forget the results from before a time, but for the latest of each experiment; return how many.

        Their space on disk is given back. A copy of the bee from before that time cannot follow it further.

        Raises:
            HypercoreError: that failed; no result from after that time is lost.
        """
        with self._open_bee() as bee:
            core = bee.core
            version = _version_before(bee, before_ms, now_ms)
            stored = core.info().stored_blocks
            bee.clear_unlinked(version, prune=True)
            forgotten = stored - core.info().stored_blocks
            if forgotten:
                core.compact(end=version)
            return forgotten

    def load(self, experiments: Iterable[Experiment]) -> list[Result]:
        """The results stored earlier for these experiments; entries that make no sense are skipped."""
        return [result for experiment in experiments if (result := self._load(experiment))]

    def _load(self, experiment: Experiment) -> Result | None:
        try:
            entry = self._bee.sub(experiment.name).get(experiment.key)
            return _result(experiment, entry.value) if entry else None
        except (HypercoreError, ValueError) as error:
            log.warning("Skipping unexpected entry at %s %s: %s", experiment.name, experiment.key, error)
            return None


def _version_before(bee: Hyperbee, before_ms: int, now_ms: int) -> int:
    """The version of a bee with the operations of before a time; those that do not say when they were are.

    One from the future was stored while the clock was ahead. It does not end what is old, or nothing that was
    stored after it could ever be forgotten; and it is not old by itself, as it may be now that is wrong.
    """
    version = 1
    for start, end in bee.core.stored_ranges(1):
        for seq in range(start, end):
            time_ms = _time_ms(bee, seq)
            if time_ms is None or time_ms < before_ms:
                version = seq + 1
            elif time_ms <= now_ms:
                return version
    return version


def _time_ms(bee: Hyperbee, seq: int) -> float | None:
    """When the result of an operation was measured, if it says so."""
    try:
        value = bee.get_by_seq(seq).value
    except DecodingError:
        return None
    time_ms = value.get("timestamp") if isinstance(value, Mapping) else None
    return time_ms if _is_number(time_ms) else None


def _result(experiment: Experiment, value: Any) -> Result:
    """The result in a stored value.

    Raises:
        ValueError: there is none.
    """
    if not isinstance(value, Mapping):
        raise ValueError("expected an object")
    run_time_s, timestamp_ms = value.get("runTimeS"), value.get("timestamp")
    if not _is_number(run_time_s):
        raise ValueError(f"runTimeS: expected a number, found {run_time_s!r}")
    if not _is_number(timestamp_ms) or not 0 <= timestamp_ms <= LATEST_MS:
        raise ValueError(f"timestamp: expected milliseconds since 1970, found {timestamp_ms!r}")
    return Result(
        experiment=experiment,
        run_time_s=float(run_time_s) if value.get("success") is True and run_time_s >= 0 else None,
        timestamp_ms=int(timestamp_ms),
        error=str(value["error"]) if value.get("error") else None,
    )


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
