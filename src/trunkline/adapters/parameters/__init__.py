"""Where parameters and secrets of clouds come from."""
