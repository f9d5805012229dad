"""Files and progress: what every domain shares."""
