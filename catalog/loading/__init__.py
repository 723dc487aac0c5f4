"""Reading catalogue data from files, and what every loader shares: problems with their place, and a report."""
