"""Whether a process is there, as the tests that kill some want to know."""

from pathlib import Path


def gone(pid: int) -> bool:
    """Whether that process has ended; one that waits for its parent to notice has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"
