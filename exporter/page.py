"""The page for people: the last result of every experiment in a table."""

from __future__ import annotations

from datetime import datetime, timezone
from html import escape

from exporter.board import Snapshot
from exporter.experiment import Experiment, Result

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="30">
<meta name="viewport" content="width=device-width">
<title>Hypercore Scale Tests</title>
<style>
body {{ font-family: sans-serif; margin: 2em; }}
table {{ border-collapse: collapse; }}
th, td {{ text-align: left; padding: .3em 1em; border-bottom: 1px solid #ccc; }}
td.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
.failed {{ color: #b00; }}
</style>
</head>
<body>
<h1>Hypercore Scale Tests</h1>
<p><a href="/metrics">/metrics</a> &middot; <a href="/health">/health</a></p>
<p>{state}</p>
<table>
<thead><tr><th>Experiment</th><th>Parameters</th><th>Run time</th><th>Last run</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def render(snapshot: Snapshot) -> str:
    """The page as HTML."""
    rows = "\n".join(_row(experiment, snapshot.result(experiment)) for experiment in snapshot.experiments)
    state = f"Rounds finished since the start: {snapshot.rounds}."
    if snapshot.running:
        state += f" Now running: {snapshot.running}."
    return _PAGE.format(state=escape(state), rows=rows)


def _row(experiment: Experiment, result: Result | None) -> str:
    params = ", ".join(f"{name}: {value}" for name, value in experiment.params.items())
    return (
        f'<tr><td title="{escape(experiment.help)}">{escape(experiment.name)}</td>'
        f"<td>{escape(params)}</td>{_result_cells(result)}</tr>"
    )


def _result_cells(result: Result | None) -> str:
    if result is None:
        return '<td class="number">not run yet</td><td></td>'
    when = datetime.fromtimestamp(result.timestamp_ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    if result.run_time_s is None:
        shown = f'<td class="number failed">failed: {escape(result.error or "unknown")}</td>'
    else:
        shown = f'<td class="number">{result.run_time_s:.6f} s</td>'
    return f"{shown}<td>{escape(when)}</td>"
