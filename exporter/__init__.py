"""The wrapper: runs the experiments for ever, keeps the results in a Hyperbee, serves them to Prometheus."""
