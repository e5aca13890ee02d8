"""The experiments, and the pytest plugin that parametrises, measures and reports them."""
