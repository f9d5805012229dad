"""Pictures of maps, plans and trainings; matplotlib is imported when one is drawn."""
