"""The shell that turns commands into effects; it knows only ports."""
