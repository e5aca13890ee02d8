"""``python -m exporter``: the signal handlers first, then everything else."""

import sys

from exporter.stopping import Stop, ignore_signals


def main() -> int:
    """Run the wrapper until it is told to stop; the exit code."""
    stop = Stop()
    stop.on_signals()
    # Only now: loading the rest takes a few hundred milliseconds, and a signal may arrive in them.
    try:
        from exporter.app import main as run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("exporter", "hypercore"):
            raise  # our own fault
        # The command line of Hypercores does without; this is how to come by what the loop needs besides.
        print(f"exporter: error: {error}; pip install 'hypercore-scale-tests[serve]'", file=sys.stderr)
        return 1

    try:
        return run(sys.argv[1:], stop)
    finally:
        ignore_signals()


if __name__ == "__main__":
    sys.exit(main())
