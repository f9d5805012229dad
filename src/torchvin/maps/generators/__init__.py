"""Random maps, seeded."""
