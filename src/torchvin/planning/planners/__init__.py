"""Planners: from an observation to a plan."""
