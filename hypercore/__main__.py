"""``python -m hypercore``: looks at stores, and reads and writes cores, from a terminal."""

import sys

from hypercore.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
