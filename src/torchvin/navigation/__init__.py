"""A robot's question: a path on its own map, in metres, at a distance from obstacles."""
