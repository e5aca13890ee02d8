"""``python -m exporter``: the signal handlers first, then everything else."""

import sys

from exporter.stopping import Stop, ignore_signals


def main() -> int:
    """Run the wrapper until it is told to stop; the exit code."""
    stop = Stop()
    stop.on_signals()
    # Only now: loading the rest takes a few hundred milliseconds, and a signal may arrive in them.
    from exporter.app import main as run

    try:
        return run(sys.argv[1:], stop)
    finally:
        ignore_signals()


if __name__ == "__main__":
    sys.exit(main())
