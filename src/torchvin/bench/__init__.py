"""What `torchvin bench` measures: formulations side by side in one run, and the steps around the planner."""
