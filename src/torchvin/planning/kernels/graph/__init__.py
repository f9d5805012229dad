"""Value iteration on graphs: the definition in PyTorch, and the compiled kernel."""
