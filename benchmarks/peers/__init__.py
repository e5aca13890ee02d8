"""Compares the hypercore package with the JavaScript reference: ``python -m benchmarks.peers``."""
