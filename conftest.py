"""Loads the pytest plugin of the experiments, and pytester, with which that plugin is tested."""

pytest_plugins = ["benchmarks.plugin", "pytester"]
