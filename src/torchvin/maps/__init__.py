"""Maps: moves, generators, files, and the planes a network sees."""
