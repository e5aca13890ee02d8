"""Makes tox treat SIGTERM as Ctrl-C.

By itself tox dies of SIGTERM at once, and what it runs (`tox -e serve`) goes on without it.
"""

import signal

signal.signal(signal.SIGTERM, signal.default_int_handler)
