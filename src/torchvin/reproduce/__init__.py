"""The paper's experiments, each from nothing to its table."""
