"""Where a run's events are kept."""
