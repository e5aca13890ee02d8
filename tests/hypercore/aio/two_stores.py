"""What the fixtures ``stores``, ``core`` and ``copy`` hold, and where they meet."""

HOST = "127.0.0.1"
BLOCKS = [b"%d" % number for number in range(200)]
