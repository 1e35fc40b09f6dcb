"""The outside world: one sub-folder a port, one file a variant; only app imports them."""
